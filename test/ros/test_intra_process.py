# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""How images go from node to node within a process."""

import threading
import time

import numpy as np
import pytest
from fake_classifier import GladClassifier
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import CompressedImage, Image

from emotion_perception.core.camera import FrameSource
from emotion_perception.core.types import Frame
from emotion_perception.ros.conversions import EmotionArray, FaceArray, stamp_ns
from emotion_perception.ros.intra_process import IntraProcessSubscription, IntraProcessTopics, SharedImage
from emotion_perception.ros.nodes.camera import CameraNode
from emotion_perception.ros.nodes.emotion_classifier import EmotionClassifierNode
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode

TOPICS = {"raw": "/image_raw", "compressed": "/image_raw/compressed"}


class Steady(FrameSource):
    """A source of gray images at 50 Hz.

    Attributes:
        images: those it gave, by the number of the read.
    """

    rate_hz, is_live = 50.0, False

    def __init__(self):
        self.images = []

    def read(self):
        self.images.append(np.full((48, 64, 3), 128, np.uint8))
        return Frame(self.images[-1], time.monotonic())

    def close(self):
        pass


class Keeping:
    """A detector that finds nothing, keeps the images that it saw, and takes its time.

    Attributes:
        images: those it saw.
    """

    name = "keeping"

    def __init__(self, work_s=0.0):
        self.images, self._work_s = [], work_s

    def warm_up(self):
        pass

    def detect(self, image_bgr):
        self.images.append(image_bgr)
        time.sleep(self._work_s)
        return []


@pytest.fixture
def pair(graph):
    """Returns a function that makes a camera and a detection node of one process."""

    def make(detector=None, *, remappings=(), **parameters):
        local, source, detector = IntraProcessTopics(), Steady(), detector or Keeping()
        camera = graph.node(
            CameraNode, activate=False, intra_process=local, opener=lambda config: source, remappings=remappings
        )
        assert camera.trigger_configure() == TransitionCallbackReturn.SUCCESS
        detection = graph.node(
            FaceDetectionNode,
            intra_process=local,
            detector_factory=lambda config: detector,
            remappings=remappings,
            parameters=parameters,
        )
        assert camera.trigger_activate() == TransitionCallbackReturn.SUCCESS
        return local, camera, detection, source, detector

    return make


def stamps(messages):
    """Returns the stamps of messages in ns; they have to increase, so that none comes twice."""
    found = [stamp_ns(message.header) for message in messages]
    assert found == sorted(set(found))
    return found


@pytest.mark.guarantee(
    "Subscribers in the process receive the camera's own image, read-only.", section="All nodes in one process"
)
@pytest.mark.parametrize("remappings", [[], [("image_raw", "/front/image")]], ids=["", "remapped"])
def test_the_detector_sees_the_cameras_own_images_and_cannot_write_to_them(graph, pair, remappings):
    *_, source, detector = pair(remappings=remappings)
    graph.wait(lambda: len(detector.images) > 3)
    assert all(any(np.shares_memory(seen, given) for given in source.images) for seen in detector.images)
    with pytest.raises(ValueError, match="read-only"):
        detector.images[0][:] = 0


@pytest.mark.guarantee(
    "No image leaves the process before another process subscribes.", section="All nodes in one process"
)
@pytest.mark.parametrize("transport", ["raw", "compressed"])
def test_nothing_is_subscribed_over_dds_while_all_publishers_are_here(graph, pair, transport):
    local, camera, detection, *_ = pair(image_transport=transport)
    faces = graph.listen(FaceArray, "faces")
    graph.wait_for(faces, 3)
    assert graph.probe.count_subscribers(TOPICS[transport]) == 0
    assert local.subscribers(TOPICS[transport]) == camera.status()["subscribers"] == 1
    assert detection.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert local.subscribers(TOPICS[transport]) == camera.status()["subscribers"] == 0


@pytest.mark.guarantee(
    "Other processes receive the same images under the same stamps, each once.", section="All nodes in one process"
)
@pytest.mark.parametrize(("kind", "transport"), [(Image, "raw"), (CompressedImage, "compressed")])
def test_those_outside_get_the_same_stamps_and_nobody_gets_one_twice(graph, pair, kind, transport):
    pair(image_transport=transport)
    faces, images = graph.listen(FaceArray, "faces"), graph.listen(kind, TOPICS[transport])
    graph.wait(lambda: len(images) > 10)
    inside, outside = stamps(faces), stamps(images)
    common = [stamp for stamp in inside if outside[0] <= stamp <= outside[-1]]
    assert len(common) > 5
    assert set(common) <= set(outside)


@pytest.mark.guarantee(
    "A camera of another process on the topic is received too; one that joins the process is taken within it.",
    section="All nodes in one process",
)
def test_another_camera_on_the_topic_is_heard_too_and_nothing_comes_twice(graph, pair, make):
    local, *_ = pair()
    faces = graph.listen(FaceArray, "faces")
    graph.wait_for(faces, 3)
    other = graph.speak(Image, "image_raw")
    assert local.subscribers("/image_raw") == 0

    def is_heard():
        other.publish(make.image(3))  # again and again: an image that the next one overtakes is dropped
        return any(message.header == make.header(3) for message in faces)

    graph.wait(is_heard, "the other is not heard")
    count = len(faces)
    graph.wait_for(faces, count + 3)
    graph.probe.destroy_publisher(other)
    graph.wait(lambda: local.subscribers("/image_raw") == 1, "it does not come back")
    graph.wait_for(faces, len(faces) + 3)
    stamps(message for message in faces if message.header != make.header(3))


@pytest.mark.guarantee(
    "A slow detector delays no camera, and every frame is counted.", section="All nodes in one process"
)
def test_a_slow_detector_holds_up_no_camera_and_every_image_is_counted(graph, pair):
    _, camera, detection, source, _ = pair(Keeping(work_s=0.1), detection_interval=1)
    graph.wait(lambda: len(source.images) > 50)
    assert camera.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    graph.let_run(0.3)
    counts = detection.status()
    published = camera.status()["frames_published"]
    assert counts["received"] == published == counts["processed"] + counts["dropped"]
    assert counts["dropped"] > 2 * counts["processed"]
    assert counts["pending"] == counts["failed"] == 0


@pytest.mark.guarantee(
    "A camera of another process on the topic is received too; one that joins the process is taken within it.",
    section="All nodes in one process",
)
def test_a_camera_that_comes_later_or_anew_is_taken_from_here(graph, pair):
    local, camera, *_ = pair()
    faces = graph.listen(FaceArray, "faces")
    for transition in ("deactivate", "cleanup"):
        assert getattr(camera, f"trigger_{transition}")() == TransitionCallbackReturn.SUCCESS
    graph.wait(lambda: local.subscribers("/image_raw") == 0, "it does not listen to others")
    graph.wait(lambda: graph.probe.count_subscribers("/image_raw") == 1, "it does not listen to others")
    for transition in ("configure", "activate"):
        assert getattr(camera, f"trigger_{transition}")() == TransitionCallbackReturn.SUCCESS
    graph.wait(lambda: local.subscribers("/image_raw") == 1, "it does not come back")
    graph.wait_for(faces, len(faces) + 3)
    stamps(faces)


@pytest.mark.guarantee(
    "Faces and emotions stay in the process too, and other processes receive each once.",
    section="All nodes in one process",
)
def test_results_stay_here_too_and_others_get_each_once(graph, pair):
    local, *_ = pair()
    node = graph.node(
        EmotionClassifierNode, intra_process=local, classifier_factory=lambda options, shared: GladClassifier()
    )
    assert local.subscribers("/faces") == 1
    assert graph.probe.count_subscribers("/faces") == 0
    emotions = graph.listen(EmotionArray, "emotions")
    graph.wait_for(emotions, 5)
    faces = graph.listen(FaceArray, "faces")
    graph.wait_for(faces, 5)
    inside, outside = stamps(emotions), stamps(faces)
    common = [stamp for stamp in inside if outside[0] <= stamp <= outside[-1]]
    assert common
    assert set(common) <= set(outside)
    assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert local.subscribers("/faces") == 0


@pytest.mark.guarantee(
    "Faces and emotions stay in the process too, and other processes receive each once.",
    section="All nodes in one process",
)
def test_another_detector_on_the_topic_is_heard_too(graph, pair, make):
    local, *_ = pair()
    graph.node(EmotionClassifierNode, intra_process=local, classifier_factory=lambda options, shared: GladClassifier())
    emotions = graph.listen(EmotionArray, "emotions")
    graph.wait_for(emotions, 3)
    other = graph.speak(FaceArray, "faces")
    assert local.subscribers("/faces") == 0
    other.publish(FaceArray(header=make.header(3)))
    graph.wait(lambda: any(message.header == make.header(3) for message in emotions), "the other is not heard")
    graph.wait_for(emotions, len(emotions) + 3)
    stamps(message for message in emotions if message.header != make.header(3))


def test_going_through_the_life_cycle_twice_leaks_nothing_here_either(graph, pair):
    local, camera, detection, *_ = pair()

    def entities():
        nodes = (camera, detection)
        return [len(list(group)) for it in nodes for group in (it.publishers, it.subscriptions, it.timers, it.guards)]

    graph.let_run(0.1)
    threads, before = threading.active_count(), entities()
    for _ in range(2):
        for transition in ("deactivate", "cleanup", "configure", "activate"):
            for node in (camera, detection):
                assert getattr(node, f"trigger_{transition}")() == TransitionCallbackReturn.SUCCESS
        graph.let_run(0.1)
    assert threading.active_count() <= threads
    assert entities() == before
    assert local.subscribers("/image_raw") == 1


def test_of_more_images_than_the_queue_holds_the_newest_wait(graph, make):
    heard = []
    subscription = IntraProcessSubscription(graph.probe, heard.append, 3)
    for number in range(5):
        subscription.put(number)
    graph.wait(lambda: heard)
    assert heard == [2, 3, 4]
    subscription.destroy()


def test_a_shared_image_leaves_the_array_that_was_given_as_it_is(make):
    given = np.zeros((2, 2, 3), np.uint8)
    assert not SharedImage(make.header(0), given).image_bgr.flags.writeable
    assert given.flags.writeable
