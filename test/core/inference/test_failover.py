# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.errors import DeviceError
from emotion_perception.core.inference.failover import RETRY_S, FailoverBackend

BATCH = np.zeros((2, 1, 4, 4), np.float32)


class FakeBackend:
    def __init__(self, device, value):
        self.device, self.value, self.broken, self.calls = device, value, False, 0
        self.fallback, self.problem = False, ""

    def __call__(self, batch):
        self.calls += 1
        if self.broken:
            raise DeviceError("cuda:0: out of memory")
        return np.full((len(batch), 7), self.value, np.float32)


@pytest.fixture
def rig():
    """A failover whose GPU can be broken and whose clock can be turned."""

    class Rig:
        gpu, cpu, now_s, made = FakeBackend("cuda:0", 1.0), FakeBackend("cpu", 2.0), 0.0, 0

        def make_cpu(self):
            self.made += 1
            return self.cpu

    rig = Rig()
    rig.backend = FailoverBackend(rig.gpu, rig.make_cpu, clock_s=lambda: rig.now_s)
    return rig


def state(rig):
    return rig.backend.device, rig.backend.fallback, rig.backend.problem


def test_a_healthy_gpu_does_all_the_work(rig):
    assert rig.backend(BATCH)[0, 0] == 1.0
    assert state(rig) == ("cuda:0", False, "")
    assert rig.made == 0


@pytest.mark.guarantee(
    "A GPU that fails is replaced by the CPU with a WARN and a flag, and is tried again (tested with a fake GPU).",
    section="Emotion classifier node",
)
def test_the_batch_that_fails_is_answered_by_the_cpu(rig, caplog):
    rig.gpu.broken = True
    assert rig.backend(BATCH)[0, 0] == 2.0
    assert state(rig) == ("cpu", True, "cuda:0: out of memory")
    assert "classifying on the CPU: cuda:0: out of memory" in caplog.text


def test_a_broken_gpu_is_left_alone_for_a_while_and_then_tried_again(rig):
    rig.gpu.broken = True
    rig.backend(BATCH)
    rig.now_s = RETRY_S - 1
    rig.backend(BATCH)
    assert rig.gpu.calls == 1
    rig.now_s = RETRY_S
    rig.backend(BATCH)
    assert (rig.gpu.calls, rig.backend.fallback, rig.made) == (2, True, 1)


@pytest.mark.guarantee("A GPU that works again is used again.", section="Fault injection")
def test_a_gpu_that_works_again_is_used_again(rig):
    rig.gpu.broken = True
    rig.backend(BATCH)
    rig.gpu.broken, rig.now_s = False, RETRY_S
    assert rig.backend(BATCH)[0, 0] == 1.0
    assert state(rig) == ("cuda:0", False, "")
