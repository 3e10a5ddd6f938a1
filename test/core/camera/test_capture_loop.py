# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import threading
import time

import numpy as np
import pytest

from emotion_perception.core.camera.capture_loop import CaptureLoop
from emotion_perception.core.errors import ModelFileError, SourceError
from emotion_perception.core.types import Frame

WAIT_S = 5.0
PICTURE = np.zeros((2, 2, 3), np.uint8)


class ScriptedSource:
    """Gives what its script says: frames, None at the end, or a fault."""

    def __init__(self, script, *, rate_hz=1000.0, is_live=False):
        self.script, self.rate_hz, self.is_live, self.closed = list(script), rate_hz, is_live, False

    def read(self):
        step = self.script.pop(0) if self.script else None
        if isinstance(step, Exception):
            raise step
        return step and Frame(PICTURE, time.monotonic())

    def close(self):
        self.closed = True


class Pump:
    """A pump whose source is opened by the steps of a script: sources, faults to raise, or functions to call.

    The last one is opened again and again.
    """

    def __init__(self, *script, deliver=None):
        self.script, self.frames, self.losses, self.faults, self.returns = list(script), [], [], [], 0
        self.opened = 0
        self.running = CaptureLoop(
            self._open,
            name="the camera",
            on_frame=deliver or self.frames.append,
            on_loss=self.losses.append,
            on_recovery=self._count_return,
            on_error=self.faults.append,
        )
        self.running.start()

    def _open(self):
        self.opened += 1
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else step

    def _count_return(self):
        self.returns += 1


class Hanging(ScriptedSource):
    """Gives a frame, then hangs in read until it is freed."""

    def __init__(self, free, **options):
        super().__init__([True], **options)
        self.free = free

    def read(self):
        return super().read() if self.script else self.free.wait(WAIT_S) and None


def wait_until(condition):
    deadline_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        threading.Event().wait(0.002)


def test_every_frame_is_delivered_once_and_the_end_is_told():
    source = ScriptedSource([True] * 5)
    pump = Pump(source)
    wait_until(lambda: pump.running.ended)
    assert pump.running.stop(WAIT_S)
    assert (len(pump.frames), pump.losses, pump.faults, pump.returns, source.closed) == (5, [], [], 0, True)


def test_a_file_is_paced_by_its_rate():
    pump = Pump(ScriptedSource([True] * 6, rate_hz=50.0))
    wait_until(lambda: pump.running.ended)
    pump.running.stop(WAIT_S)
    gaps_s = np.diff([frame.grabbed_s for frame in pump.frames])
    assert pump.frames[-1].grabbed_s - pump.frames[0].grabbed_s >= 5 / 50 * 0.95
    assert (gaps_s > 0).all()


def test_a_live_source_is_not_paced():
    pump = Pump(ScriptedSource([True] * 5, rate_hz=0.01, is_live=True))
    wait_until(lambda: pump.running.ended)
    pump.running.stop(WAIT_S)
    assert len(pump.frames) == 5


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (SourceError("cable pulled"), "cable pulled"),
        (ModelFileError("no photograph"), "no photograph"),
        (OSError("out of memory\nin the driver"), "the camera: OSError: out of memory"),
    ],
)
def test_a_loss_is_told_and_the_source_opened_again(fault, line):
    broken = ScriptedSource([True, fault])
    pump = Pump(broken, SourceError("still gone"), ScriptedSource([True, True]))
    wait_until(lambda: pump.running.ended)
    pump.running.stop(WAIT_S)
    assert pump.losses == [line, "still gone"]
    assert broken.closed
    assert (len(pump.frames), pump.returns, pump.faults) == (3, 1, [])


def test_a_source_that_is_missing_at_first_is_taken_when_it_is_there():
    pump = Pump(SourceError("no camera"), SourceError("no camera"), ScriptedSource([True] * 3))
    wait_until(lambda: pump.running.ended)
    pump.running.stop(WAIT_S)
    assert (pump.losses, len(pump.frames), pump.returns) == (["no camera"] * 2, 3, 1)


def test_the_waits_between_attempts_grow_to_a_few_seconds(monkeypatch):
    def open_source():
        raise SourceError("no camera")

    waits, losses = [], []
    running = CaptureLoop(open_source, name="", on_frame=None, on_loss=losses.append, on_recovery=None, on_error=None)
    monkeypatch.setattr(running._stop, "wait", lambda wait_s: waits.append(wait_s) or len(waits) > 7)
    running.start()
    running._thread.join(WAIT_S)
    assert waits == [0.0, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0]
    assert losses == ["no camera"] * 7


@pytest.mark.parametrize("is_live", [True, False])
def test_a_source_that_hangs_in_read_is_a_loss_too(is_live):
    free = threading.Event()
    pump = Pump(Hanging(free, is_live=is_live), ScriptedSource([True]))
    wait_until(lambda: pump.frames)
    pump.running.check()
    assert pump.losses == []
    wait_until(lambda: pump.running.check() or pump.losses)
    assert pump.losses[0].startswith("the camera: no image for ")
    pump.running.check()
    assert len(pump.losses) == 1
    free.set()
    pump.running.stop(WAIT_S)


def test_a_frame_that_cannot_be_delivered_is_a_fault_and_the_next_one_comes():
    taken = []

    def deliver(frame):
        taken.append(frame)
        if len(taken) == 2:
            raise RuntimeError("the network\nis down")

    pump = Pump(ScriptedSource([True] * 4), deliver=deliver)
    wait_until(lambda: pump.running.ended)
    pump.running.stop(WAIT_S)
    assert (len(taken), pump.faults, pump.losses) == (4, ["RuntimeError: the network"], [])


def test_stopping_wakes_a_live_source_that_waits_for_a_image():
    class Waiting(ScriptedSource):
        woken = threading.Event()

        def read(self):
            assert self.woken.wait(WAIT_S)

        def close(self):
            self.woken.set()

    pump = Pump(Waiting([], is_live=True))
    wait_until(lambda: pump.opened)
    begun_s = time.monotonic()
    assert pump.running.stop(WAIT_S)
    assert time.monotonic() - begun_s < 1.0
    assert (pump.frames, pump.losses, pump.running.ended) == ([], [], False)


def test_stopping_does_not_wait_for_the_next_attempt():
    pump = Pump(SourceError("gone"))
    wait_until(lambda: len(pump.losses) >= 3)
    begun_s = time.monotonic()
    assert pump.running.stop(WAIT_S)
    assert time.monotonic() - begun_s < 1.0


@pytest.mark.parametrize("where", ["open", "read"])
def test_a_source_that_hangs_is_left_behind_and_closed_when_it_gets_free(where):
    free = threading.Event()
    source = Hanging(free) if where == "read" else ScriptedSource([True] * 3)
    pump = Pump(source if where == "read" else lambda: free.wait(WAIT_S) and source)
    wait_until(lambda: pump.frames if where == "read" else pump.opened)
    assert not pump.running.stop(0.05)
    frames = len(pump.frames)
    free.set()
    wait_until(lambda: source.closed)
    assert pump.running.stop(WAIT_S)
    assert (len(pump.frames), pump.losses) == (frames, [])
