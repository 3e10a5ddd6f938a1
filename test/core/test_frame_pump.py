import threading
import time

import numpy as np

from emotion_perception.core.errors import SourceError
from emotion_perception.core.frame_pump import FramePump
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


def pump(source, reopen=None):
    frames, faults = [], []
    pump = FramePump(source, reopen=reopen, deliver=frames.append, on_fault=faults.append)
    pump.start()
    return pump, frames, faults


def wait_until(condition):
    deadline_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        threading.Event().wait(0.002)


def test_every_frame_is_delivered_once_and_the_end_is_told():
    source = ScriptedSource([True] * 5)
    running, frames, faults = pump(source)
    wait_until(lambda: running.ended)
    assert running.stop(WAIT_S)
    assert (len(frames), faults, source.closed) == (5, [], True)


def test_a_file_is_paced_by_its_rate():
    running, frames, _ = pump(ScriptedSource([True] * 6, rate_hz=50.0))
    wait_until(lambda: running.ended)
    running.stop(WAIT_S)
    gaps_s = np.diff([frame.grabbed_s for frame in frames])
    assert frames[-1].grabbed_s - frames[0].grabbed_s >= 5 / 50 * 0.95
    assert (gaps_s > 0).all()


def test_a_live_source_is_not_paced():
    running, frames, _ = pump(ScriptedSource([True] * 5, rate_hz=0.01, is_live=True))
    wait_until(lambda: running.ended)
    running.stop(WAIT_S)
    assert len(frames) == 5


def test_a_fault_is_told_and_the_source_opened_again():
    broken = ScriptedSource([True, SourceError("cable pulled")])
    attempts = [SourceError("still gone"), ScriptedSource([True, True])]

    def reopen():
        step = attempts.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    running, frames, faults = pump(broken, reopen)
    wait_until(lambda: running.ended)
    running.stop(WAIT_S)
    assert faults == ["cable pulled", "still gone"]
    assert broken.closed
    assert len(frames) == 3


def test_stopping_wakes_a_live_source_that_waits_for_a_picture():
    class Waiting(ScriptedSource):
        woken = threading.Event()

        def read(self):
            assert self.woken.wait(WAIT_S)

        def close(self):
            self.woken.set()

    running, frames, faults = pump(Waiting([], is_live=True))
    begun_s = time.monotonic()
    assert running.stop(WAIT_S)
    assert time.monotonic() - begun_s < 1.0
    assert (frames, faults) == ([], [])


def test_stopping_does_not_wait_for_the_next_attempt():
    def reopen():
        raise SourceError("gone")

    running, _, faults = pump(ScriptedSource([SourceError("gone")]), reopen)
    wait_until(lambda: len(faults) >= 2)
    begun_s = time.monotonic()
    assert running.stop(WAIT_S)
    assert time.monotonic() - begun_s < 1.0
