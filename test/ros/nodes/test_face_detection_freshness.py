# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A detector that is slower than the camera: what it works on is fresh, and every frame is accounted for."""

import statistics
import threading
import time

import pytest
from sensor_msgs.msg import Image

from emotion_perception.ros.conversions import FaceArray, counts_of, stamp_ns
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode

RATE_HZ, DETECTOR_S, SECONDS = 30.0, 0.1, 3.0
MOST_MS = 50.0
ATTEMPTS = 3  # a machine that is busy otherwise may miss the bar, a node that queues misses it every time
STARVED_MS = (
    10.0  # a thread that only sleeps and publishes wakes within a millisecond where there is a processor for it
)


class Pace(threading.Thread):
    """Publishes images at 30 Hz from a thread of its own, stamped with the moment they are published."""

    def __init__(self, publisher, clock, image):
        super().__init__(name="pace")
        self._publisher, self._clock, self._image = publisher, clock, image
        self._enough = threading.Event()
        self.published, self.late_ms = 0, []

    def run(self):
        begun_s = time.monotonic()
        while self.published < RATE_HZ * SECONDS:
            if self._enough.wait(max(0.0, begun_s + self.published / RATE_HZ - time.monotonic())):
                return
            self.late_ms.append((time.monotonic() - begun_s - self.published / RATE_HZ) * 1e3)
            self._image.header.stamp = self._clock.now().to_msg()
            self._publisher.publish(self._image)
            self.published += 1

    def end(self):
        self._enough.set()
        self.join()


@pytest.mark.guarantee(
    "A detector of 100 ms on a 30 Hz stream starts on frames younger than 50 ms (median).",
    section="Face detection node",
)
def test_a_100_ms_detector_on_a_30_hz_stream_works_on_fresh_frames(graph, make):
    begun_ns, never = [], threading.Event()

    class Slow(make.detector):
        def detect(self, image_bgr):
            begun_ns.append(clock.now().nanoseconds)
            never.wait(DETECTOR_S)
            return super().detect(image_bgr)

    node = graph.node(FaceDetectionNode, detector_factory=lambda config: Slow())
    clock = node.get_clock()
    faces = graph.listen(FaceArray, "faces", qos=100)
    graph.wait(lambda: node.count_subscribers("faces"))
    images, told = graph.speak(Image, "image_raw"), []
    for _ in range(ATTEMPTS):
        begun_ns.clear()
        faces.clear()
        pace = Pace(images, clock, make.image(width=640, height=480))
        ages_ms = watch(graph, node, faces, begun_ns, pace)
        median_ms, late_ms = statistics.median(ages_ms), statistics.median(pace.late_ms)
        told.append(f"median age {median_ms:.1f} ms, largest {max(ages_ms):.1f}; publisher late by {late_ms:.1f} ms")
        if median_ms < MOST_MS:
            break
    print("; ".join(told), node.status())
    if median_ms >= MOST_MS and late_ms > STARVED_MS:
        pytest.skip(f"this machine is too busy to tell: {'; '.join(told)}")
    assert median_ms < MOST_MS, "; ".join(told)


def watch(graph, node, faces, begun_ns, pace):
    """Lets the node work while images come; returns the age of each image when the detector began with it, in ms.

    Whatever the machine is doing, every frame is accounted for.
    """
    before = node.status()
    pace.start()
    try:
        graph.wait(lambda: not pace.is_alive(), "the publisher did not end")
    finally:
        pace.end()
    graph.let_run(0.3)  # what is still on its way
    graph.wait(lambda: node.status()["pending"] == 0 and before["processed"] + len(faces) == node.status()["processed"])
    status = node.status()
    assert status["failed"] == 0, status
    assert status["received"] == status["processed"] + status["dropped"] + status["failed"], status
    assert 0 < status["received"] - before["received"] <= pace.published, status
    assert status["dropped"] > before["dropped"], status
    for array in faces:
        counts = counts_of(array)
        assert counts.received == counts.processed + counts.dropped + counts.failed + counts.pending
        assert counts.pending in (0, 1)
    return [(begun - stamp_ns(array.header)) * 1e-6 for begun, array in zip(begun_ns, faces, strict=True)]
