# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import threading

import numpy as np
import pytest
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from emotion_perception.core.sync import WorkLoad
from emotion_perception.ros.conversions import FaceArray, counts_of
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode


@pytest.fixture
def faces_of(graph, make):
    """Starts the node with a fake detector; returns (node, publisher of images, list of FaceArrays)."""
    node = graph.node(FaceDetectionNode, detector_factory=lambda config: make.detector())
    faces = graph.listen(FaceArray, "faces")
    graph.wait(lambda: graph.probe.count_publishers("faces") and node.count_subscribers("faces"))
    return node, graph.speak(Image, "image_raw"), faces


@pytest.mark.guarantee("Every output carries the header of its source image, bit for bit.", section="Every node")
def test_faces_carry_the_header_of_their_image_bit_for_bit(graph, make, faces_of):
    _, images, faces = faces_of
    images.publish(make.image(3))
    graph.wait(lambda: faces)
    assert faces[0].header == make.header(3)
    roi = faces[0].faces[0].roi
    assert (roi.x_offset, roi.y_offset, roi.width, roi.height) == (10, 5, 40, 40)
    assert faces[0].faces[0].track_id == 1


def test_an_image_without_a_face_gives_an_empty_array(graph, make, faces_of):
    _, images, faces = faces_of
    images.publish(make.image(value=0))
    graph.wait(lambda: faces)
    assert list(faces[0].faces) == []


def test_a_face_keeps_its_id(graph, make, faces_of):
    _, images, faces = faces_of
    for number in range(3):
        images.publish(make.image(number))
        graph.wait_for(faces, number + 1)
    assert [array.faces[0].track_id for array in faces] == [1, 1, 1]


@pytest.mark.parametrize(
    "spoil",
    [
        {"encoding": "dream8"},
        {"data": [1, 2, 3]},
        {"step": 3},
        {"width": 0},
    ],
    ids=lambda spoil: next(iter(spoil)),
)
def test_a_malformed_image_is_counted_and_the_next_is_answered(graph, make, faces_of, spoil):
    node, images, faces = faces_of
    bad = make.image(0)
    for name, value in spoil.items():
        setattr(bad, name, value)
    images.publish(bad)
    graph.wait(lambda: node.faults == 1)
    images.publish(make.image(1))
    graph.wait(lambda: faces)
    counts = counts_of(faces[0])
    assert (counts.received, counts.processed, counts.dropped, counts.failed) == (2, 1, 0, 1)


@pytest.mark.guarantee("A failure on one frame is counted, and the next frame is processed.", section="Every node")
def test_a_detector_that_fails_on_one_frame_works_on_the_next(graph, make, faces_of):
    node, images, faces = faces_of
    images.publish(make.image(0, value=255))
    graph.wait(lambda: node.faults == 1)
    images.publish(make.image(1))
    graph.wait(lambda: faces)
    assert counts_of(faces[0]).failed == 1


@pytest.mark.guarantee(
    "A slow detector processes the newest frame and counts every other as dropped.", section="Face detection node"
)
def test_a_slow_detector_gets_the_newest_image_and_every_other_is_counted(graph, make, monkeypatch):
    monkeypatch.setattr(WorkLoad, "keeps_up", lambda load: False)
    gate, begun = threading.Semaphore(0), threading.Semaphore(0)

    class SlowDetector(make.detector):
        def detect(self, image_bgr):
            begun.release()
            assert gate.acquire(timeout=10)
            return super().detect(image_bgr)

    node = graph.node(FaceDetectionNode, detector_factory=lambda config: SlowDetector())
    faces = graph.listen(FaceArray, "faces")
    images = graph.speak(Image, "image_raw")
    images.publish(make.image(0))
    graph.wait(lambda: begun.acquire(blocking=False))
    for number in range(1, 6):
        images.publish(make.image(number))
        graph.wait(lambda wanted=number + 1: node.status()["received"] == wanted)
    gate.release(2)
    graph.wait(lambda: len(faces) == 2)
    assert [array.header for array in faces] == [make.header(0), make.header(5)]
    counts = counts_of(faces[1])
    assert (counts.received, counts.processed, counts.dropped, counts.pending) == (6, 2, 4, 0)


@pytest.mark.guarantee(
    "Up to three images wait during a short pause of a detector that keeps up.", section="Face detection node"
)
def test_a_pause_of_the_detector_loses_no_image(graph, make, monkeypatch):
    monkeypatch.setattr(WorkLoad, "keeps_up", lambda load: True)  # however slow the machine of the test is
    gate, begun = threading.Event(), threading.Event()

    class PausingDetector(make.detector):
        def detect(self, image_bgr):
            begun.set()
            assert gate.wait(timeout=60)
            return super().detect(image_bgr)

    node = graph.node(FaceDetectionNode, detector_factory=lambda config: PausingDetector())
    faces = graph.listen(FaceArray, "faces")
    images = graph.speak(Image, "image_raw")
    images.publish(make.image(0))
    graph.wait(begun.is_set)
    for number in range(1, 4):
        images.publish(make.image(number))
        graph.wait(lambda wanted=number + 1: node.status()["pending"] == wanted)
    gate.set()
    graph.wait(lambda: len(faces) == 4)
    assert [array.header for array in faces] == [make.header(number) for number in range(4)]
    assert counts_of(faces[-1]).dropped == 0


@pytest.mark.guarantee(
    "The image subscription takes the reliability that the publishers offer.", section="Face detection node"
)
@pytest.mark.parametrize(
    "offered", [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT], ids=["reliable", "best effort"]
)
def test_the_image_subscription_takes_what_the_camera_offers(graph, make, offered):
    graph.node(FaceDetectionNode, detector_factory=lambda config: make.detector())
    faces = graph.listen(FaceArray, "faces")
    images = graph.speak(Image, "image_raw", qos=QoSProfile(depth=5, reliability=offered), listeners=0)

    def subscribed():
        (info,) = graph.probe.get_subscriptions_info_by_topic("image_raw")
        return info.qos_profile.reliability == offered and images.get_subscription_count() == 1

    graph.wait(lambda: len(graph.probe.get_subscriptions_info_by_topic("image_raw")) == 1 and subscribed())
    images.publish(make.image(0))
    graph.wait_for(faces)


@pytest.mark.guarantee("A live parameter takes effect on the next frame.", section="Every node")
def test_thresholds_change_while_it_runs_and_act_on_the_next_frame(graph, make, faces_of):
    node, images, faces = faces_of
    assert node.set_parameters([Parameter("score_threshold", value=0.95)])[0].successful
    images.publish(make.image(0))
    graph.wait(lambda: faces)
    assert list(faces[0].faces) == []


@pytest.mark.guarantee(
    "An invalid parameter value is rejected with the reason and changes nothing.", section="Every node"
)
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [("score_threshold", 2.0, "score_threshold"), ("max_faces", 0, "max_faces"), ("detector", "haar", "read-only")],
)
def test_a_bad_or_structural_value_is_refused_with_the_reason(faces_of, name, value, reason):
    node, _, _ = faces_of
    result = node.set_parameters([Parameter(name, value=value)])[0]
    assert not result.successful
    assert reason in result.reason


@pytest.mark.guarantee("An inactive node processes nothing.", section="Every node")
def test_while_inactive_nothing_is_processed(graph, make, faces_of):
    node, images, faces = faces_of
    node.trigger_deactivate()
    images.publish(make.image(0))
    graph.let_run(0.3)
    assert faces == []
    node.trigger_activate()
    graph.wait(lambda: images.get_subscription_count() == 1)
    images.publish(make.image(1))
    graph.wait(lambda: faces)


def test_the_life_cycle_can_be_gone_through_twice(graph, make, faces_of):
    node, images, faces = faces_of
    for number in range(2):
        node.trigger_deactivate()
        node.trigger_cleanup()
        node.trigger_configure()
        node.trigger_activate()
        graph.wait(lambda: images.get_subscription_count() == 1)
        images.publish(make.image(number, value=100 + number))
        graph.wait_for(faces, number + 1)
    assert threading.active_count() < 8
    assert np.isfinite(faces[-1].detect_ms)
