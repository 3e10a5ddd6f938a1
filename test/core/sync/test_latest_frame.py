# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import threading
import weakref

import numpy as np
import pytest

from emotion_perception.core.sync.latest_frame import MAX_OVERWRITTEN, LatestFrameWorker
from emotion_perception.core.types import FrameCounts

WAIT_S = 5.0


class Bench:
    """A worker whose work waits until it is let through."""

    def __init__(self, work=lambda item: item, **options):
        self.begun, self.gate = threading.Semaphore(0), threading.Semaphore(0)
        self.results, self.failures = [], []
        self._work = work
        self.worker = LatestFrameWorker(
            self._run, self._deliver, lambda e, counts: self.failures.append((str(e), counts)), **options
        )

    def _run(self, item):
        self.begun.release()
        assert self.gate.acquire(timeout=WAIT_S)
        return self._work(item)

    def _deliver(self, result, counts):
        self.results.append((result, counts))


def balanced(counts):
    return counts.received == counts.processed + counts.dropped + counts.failed + counts.pending


def test_the_newest_frame_wins_and_the_others_are_counted():
    bench = Bench()
    bench.worker.put(0)
    assert bench.begun.acquire(timeout=WAIT_S)
    for item in (1, 2, 3):
        bench.worker.put(item)
        assert balanced(bench.worker.counts)
    assert bench.worker.counts == FrameCounts(received=4, dropped=2)
    bench.gate.release(2)
    assert bench.worker.stop(WAIT_S)
    assert [result for result, _ in bench.results] == [0, 3]
    assert bench.worker.counts == FrameCounts(received=4, processed=2, dropped=2)
    assert bench.worker.counts.pending == 0


@pytest.mark.parametrize("max_waiting", [1, 3, 6])
def test_a_short_pause_loses_no_frame_and_a_longer_one_the_oldest(max_waiting, monkeypatch):
    bench = Bench(max_waiting=max_waiting)
    monkeypatch.setattr(bench.worker.load, "keeps_up", lambda: True)
    bench.worker.put(0)
    assert bench.begun.acquire(timeout=WAIT_S)
    for item in range(1, max_waiting + 1):
        bench.worker.put(item)
        assert bench.worker.counts == FrameCounts(received=item + 1)
    bench.worker.put(max_waiting + 1)
    assert bench.worker.counts == FrameCounts(received=max_waiting + 2, dropped=1)
    bench.gate.release(max_waiting + 1)
    assert bench.worker.stop(WAIT_S)
    assert [result for result, _ in bench.results] == [0, *range(2, max_waiting + 2)]


def test_only_the_newest_frame_waits_where_the_work_does_not_keep_up(monkeypatch):
    bench = Bench(max_waiting=3)
    monkeypatch.setattr(bench.worker.load, "keeps_up", lambda: True)
    bench.worker.put(0)
    assert bench.begun.acquire(timeout=WAIT_S)
    for item in (1, 2, 3):
        bench.worker.put(item)
    monkeypatch.setattr(bench.worker.load, "keeps_up", lambda: False)
    bench.worker.put(4)
    assert bench.worker.counts == FrameCounts(received=5, dropped=3)
    bench.gate.release(2)
    assert bench.worker.stop(WAIT_S)
    assert [result for result, _ in bench.results] == [0, 4]


def test_the_counts_of_a_result_include_its_frame():
    bench = Bench()
    bench.gate.release(1)
    bench.worker.put("frame")
    assert bench.worker.stop(WAIT_S)
    assert bench.results == [("frame", FrameCounts(received=1, processed=1))]


def test_a_frame_that_fails_is_counted_and_the_next_is_processed():
    def work(item):
        if item == "bad":
            raise RuntimeError("no such image")
        return item

    bench = Bench(work)
    bench.gate.release(2)
    bench.worker.put("bad")
    assert bench.begun.acquire(timeout=WAIT_S)
    bench.worker.put("good")
    assert bench.worker.stop(WAIT_S)
    assert bench.failures == [("no such image", bench.failures[0][1])]
    assert bench.failures[0][1].failed == 1
    assert [result for result, _ in bench.results] == ["good"]
    assert bench.worker.counts == FrameCounts(received=2, processed=1, failed=1)


def busy_worker():
    """Returns a worker that works on frame 0 until the gate is released, the gate, and what happens to each frame."""
    told, gate, begun = [], threading.Semaphore(0), threading.Semaphore(0)

    def work(item):
        begun.release()
        assert gate.acquire(timeout=WAIT_S)
        return item

    worker = LatestFrameWorker(
        work,
        lambda result, counts: told.append(("done", result)),
        lambda e, counts: told.append(("failed", str(e))),
        on_drop=lambda item: told.append(("dropped", item)),
    )
    worker.put(0)
    assert begun.acquire(timeout=WAIT_S)
    return worker, gate, told


def test_overwritten_frames_are_told_in_order_before_the_one_that_overwrote_them():
    worker, gate, told = busy_worker()
    for item in (1, 2, 3):
        worker.put(item)
    gate.release(2)
    assert worker.stop(WAIT_S)
    assert told == [("done", 0), ("dropped", 1), ("dropped", 2), ("done", 3)]


def test_overwritten_frames_wait_without_their_image():
    gate, begun, dropped = threading.Semaphore(0), threading.Semaphore(0), []

    def work(item):
        begun.release()
        assert gate.acquire(timeout=WAIT_S)

    worker = LatestFrameWorker(
        work,
        lambda result, counts: None,
        lambda e, counts: None,
        on_drop=dropped.append,
        without_image=lambda frame: (None, frame[1]),
    )
    frames = [(np.zeros(9), number) for number in range(4)]
    worker.put(frames[0])
    assert begun.acquire(timeout=WAIT_S)
    images = [weakref.ref(image) for image, _ in frames]
    for frame in frames[1:]:
        worker.put(frame)
    del frame, frames
    assert [image() is None for image in images[1:]] == [True, True, False]
    gate.release(2)
    assert worker.stop(WAIT_S)
    assert dropped == [(None, 1), (None, 2)]


def test_the_number_of_overwritten_frames_that_wait_is_bounded():
    worker, gate, told = busy_worker()
    for item in range(1, MAX_OVERWRITTEN + 4):
        worker.put(item)
    assert told == [("dropped", 1), ("dropped", 2)], "at once, although the work on frame 0 has not ended"
    gate.release(2)
    assert worker.stop(WAIT_S)
    assert [item for _, item in told] == [1, 2, 0, *range(3, MAX_OVERWRITTEN + 4)]


def test_a_result_that_cannot_be_sent_does_not_end_the_thread():
    sent = []

    def deliver(result, counts):
        if result == 1:
            raise RuntimeError("publisher gone")
        sent.append(result)

    faults = threading.Semaphore(0)
    worker = LatestFrameWorker(lambda item: item, deliver, lambda e, counts: faults.release())
    worker.put(1)
    assert faults.acquire(timeout=WAIT_S)
    worker.put(2)
    assert worker.stop(WAIT_S)
    assert sent == [2]
    assert worker.counts == FrameCounts(received=2, processed=2)


def test_what_is_unfinished_when_stop_gives_up_is_dropped_in_order_and_never_delivered():
    worker, gate, told = busy_worker()
    for item in (1, 2):
        worker.put(item)
    assert not worker.stop(0.05)
    assert told == [("dropped", 0), ("dropped", 1), ("dropped", 2)]
    assert worker.counts == FrameCounts(received=3, dropped=3)
    gate.release()
    assert worker.stop(WAIT_S), "the thread ends when its work does"
    assert len(told) == 3
    assert worker.counts == FrameCounts(received=3, dropped=3)


def test_after_stop_nothing_is_taken():
    bench = Bench()
    assert bench.worker.stop(WAIT_S)
    bench.worker.put(1)
    assert bench.worker.counts == FrameCounts()


@pytest.mark.parametrize("frames", [1, 50, 500])
def test_whatever_the_pace_every_frame_is_accounted_for(frames):
    seen = []
    worker = LatestFrameWorker(lambda item: item, lambda result, counts: seen.append(counts), lambda e, counts: None)
    for frame in range(frames):
        worker.put(frame)
        assert balanced(worker.counts)
    assert worker.stop(WAIT_S)
    assert worker.counts.received == frames == worker.counts.processed + worker.counts.dropped
    assert all(balanced(counts) for counts in seen)
