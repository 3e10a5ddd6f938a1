# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import pytest

from emotion_perception.core.errors import DeviceError
from emotion_perception.core.inference import dynamic_batching
from emotion_perception.core.inference.dynamic_batching import BatchingBackend

WAIT_S = 10.0
NEVER_S = 1000.0


class Network:
    """Doubles what it gets; can be held up.

    Attributes:
        runs: how many faces each run had.
        free: while clear, a run does not end.
    """

    device, fallback, problem = "cuda:0", True, "too hot"

    def __init__(self):
        self.runs, self.free, self.fault = [], threading.Event(), None
        self.began = threading.Semaphore(0)
        self.free.set()

    def __call__(self, batch):
        self.runs.append(len(batch))
        self.began.release()
        assert self.free.wait(WAIT_S)
        if self.fault is not None:
            raise self.fault
        return 2 * batch.reshape(len(batch), -1)[:, :7]

    def wait_for_run(self):
        assert self.began.acquire(timeout=WAIT_S)


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def threads():
    with ThreadPoolExecutor(8) as pool:
        yield pool


def faces(count, value=1.0):
    return np.full((count, 1, 8, 8), value, np.float32)


def wait_until(condition):
    deadline_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


def ask(shared, threads, *values, gathered=0):
    """Asks for one face a value, each in a thread, and waits until they have come."""
    asked = []
    for number, value in enumerate(values, gathered + 1):
        asked.append(threads.submit(shared, faces(1, value)))
        wait_until(lambda number=number: len(shared._queue) >= number)
    return asked


@pytest.mark.guarantee(
    "Faces of several cameras form one batch of at most `max_batch_size`, and each camera gets its own results.",
    section="Several cameras with one classifier",
)
def test_what_comes_while_the_network_runs_is_run_together_and_each_gets_its_own(network, threads):
    shared = BatchingBackend(network, max_batch_size=32, max_queue_delay_s=0.0)
    network.free.clear()
    first = threads.submit(shared, faces(2, 1.0))
    network.wait_for_run()
    others = ask(shared, threads, 2.0, 3.0, 4.0)
    network.free.set()
    assert wait([first, *others], WAIT_S).not_done == set()
    assert network.runs == [2, 3]
    np.testing.assert_array_equal(first.result(), np.full((2, 7), 2.0))
    for value, other in zip((2.0, 3.0, 4.0), others, strict=True):
        np.testing.assert_array_equal(other.result(), np.full((1, 7), 2 * value))


@pytest.mark.guarantee(
    "Faces of several cameras form one batch of at most `max_batch_size`, and each camera gets its own results.",
    section="Several cameras with one classifier",
)
def test_a_run_has_at_most_max_batch_faces(network, threads):
    shared = BatchingBackend(network, max_batch_size=4, max_queue_delay_s=0.0)
    np.testing.assert_array_equal(shared(faces(10)), np.full((10, 7), 2.0))
    assert network.runs == [4, 4, 2]
    network.runs.clear()
    network.free.clear()
    network.began = threading.Semaphore(0)
    asked = [threads.submit(shared, faces(1))]
    network.wait_for_run()
    for number in range(1, 4):
        asked.append(threads.submit(shared, faces(3)))
        wait_until(lambda number=number: len(shared._queue) >= number)
    network.free.set()
    assert [len(it.result(WAIT_S)) for it in asked] == [1, 3, 3, 3]
    assert network.runs == [1, 3, 3, 3], "two of three would be six"


def test_faces_wait_for_those_of_a_camera_that_is_there(network, threads):
    shared = BatchingBackend(network, max_batch_size=32, max_queue_delay_s=0.3)  # shorter than a camera is remembered
    together = threading.Barrier(2)

    def camera(value):
        answers = []
        for _ in range(10):
            together.wait(WAIT_S)
            answers.append(shared(faces(1, value)))
        return answers

    for value, answers in zip((1.0, 2.0), threads.map(camera, (1.0, 2.0)), strict=True):
        assert all((answer == 2 * value).all() for answer in answers)
    assert network.runs.count(2) >= 9, "the first may come before the other camera is known"


@pytest.mark.guarantee("A camera that stops delays no other.", section="Several cameras with one classifier")
def test_nobody_waits_for_a_camera_that_has_gone(network, threads, monkeypatch):
    monkeypatch.setattr(dynamic_batching, "_FORGET_S", 0.05)
    shared = BatchingBackend(network, max_batch_size=32, max_queue_delay_s=NEVER_S)
    threads.submit(shared, faces(1)).result(WAIT_S)
    time.sleep(0.06)
    assert len(shared(faces(1))) == 1


def test_enough_faces_wait_for_nobody(network, threads):
    shared = BatchingBackend(network, max_batch_size=2, max_queue_delay_s=NEVER_S)
    shared(faces(1))
    assert len(threads.submit(shared, faces(2)).result(WAIT_S)) == 2


def test_the_wait_ends(network, threads):
    shared = BatchingBackend(network, max_batch_size=32, max_queue_delay_s=0.02)
    threads.submit(shared, faces(1)).result(WAIT_S)
    assert len(shared(faces(1))) == 1
    assert network.runs == [1, 1]


@pytest.mark.guarantee(
    "A failure reaches all callers of the batch in which it happened and no other.",
    section="Several cameras with one classifier",
)
def test_a_fault_reaches_everybody_whose_faces_were_in_that_run_and_nobody_else(network, threads):
    shared = BatchingBackend(network, max_batch_size=32, max_queue_delay_s=0.0)
    network.free.clear()
    first = threads.submit(shared, faces(1))
    network.wait_for_run()
    others = ask(shared, threads, 1.0, 2.0)
    network.fault = DeviceError("gone")
    network.free.set()
    for asked in (first, *others):
        with pytest.raises(DeviceError, match="gone"):
            asked.result(WAIT_S)
    network.fault = None
    assert len(shared(faces(1))) == 1


def test_it_says_what_its_backend_says(network):
    shared = BatchingBackend(network, max_batch_size=1, max_queue_delay_s=0.0)
    assert (shared.device, shared.fallback, shared.problem) == ("cuda:0", True, "too hot")


def test_many_threads_each_get_their_own_answers(network, threads):
    shared = BatchingBackend(network, max_batch_size=5, max_queue_delay_s=0.001)

    def camera(number):
        sizes = np.random.default_rng(number).integers(1, 4, 200)
        return all((shared(faces(size, number)) == 2 * number).all() for size in sizes)

    assert all(threads.map(camera, range(1, 9)))
    assert sum(network.runs) == sum(np.random.default_rng(n).integers(1, 4, 200).sum() for n in range(1, 9))
    assert max(network.runs) <= 5
