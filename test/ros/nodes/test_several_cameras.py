# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""One classifier node for several cameras."""

import math

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from fake_classifier import BrightnessClassifier
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Image

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.types import Box, Face, FrameCounts
from emotion_perception.ros.conversions import EmotionArray, FaceArray, faces_to_msg
from emotion_perception.ros.nodes.emotion_classifier import EmotionClassifierNode

CAMERAS = ("front", "/arm/left")
TOPICS = [f"{camera}/image_raw" for camera in CAMERAS]


class Camera:
    """A camera and its detector: sends images with one face and keeps the emotions that come back."""

    def __init__(self, graph, make, name):
        self._make, self._graph = make, graph
        self.emotions = graph.listen(EmotionArray, f"{name}/emotions")
        self._images = graph.speak(Image, f"{name}/image_raw")
        self._faces = graph.speak(FaceArray, f"{name}/faces")

    def send(self, number, value):
        """Sends an image of that brightness."""
        header = self._make.header(number)
        face = Face(Box(0, 0, 20, 20), 0.9, track_id=1)
        self._images.publish(self._make.image(number, value=value))
        self._faces.publish(faces_to_msg(header, [face], detector="fake", detect_ms=1.0, counts=FrameCounts()))

    def answer(self, number, value):
        """Sends an image and returns the answer."""
        self.send(number, value)
        self._graph.wait_for(self.emotions, len(self.emotions) + 1)
        assert self.emotions[-1].header == self._make.header(number)
        return self.emotions[-1]


@pytest.fixture
def start(graph):
    def make(topics=TOPICS, **parameters):
        return graph.node(
            EmotionClassifierNode,
            classifier_factory=lambda options, shared: BrightnessClassifier(),
            parameters={"image_topics": list(topics), **parameters},
        )

    return make


@pytest.mark.guarantee(
    "The emotions of each camera are published in its namespace, with a smoothing of its own.",
    section="Several cameras with one classifier",
)
def test_each_camera_is_answered_beside_its_images_with_a_smoothing_of_its_own(graph, make, start):
    node = start(smoothing_s=0.1, label_hysteresis=0.0)
    front, left = (Camera(graph, make, name) for name in CAMERAS)
    graph.wait(lambda: all(node.count_subscribers(f"{name}/emotions") for name in CAMERAS))
    assert front.answer(0, 0).faces[0].label == "sad"
    assert left.answer(5, 204).faces[0].smoothed_probabilities[0] == pytest.approx(0.8, abs=1e-6), "its own face 1"
    assert front.answer(1, 204).faces[0].smoothed_probabilities[0] == pytest.approx(0.8 * (1 - math.exp(-1)), abs=1e-4)
    assert left.answer(6, 204).faces[0].smoothed_probabilities[0] == pytest.approx(0.8, abs=1e-6)
    assert (len(front.emotions), len(left.emotions)) == (2, 2)


@pytest.mark.guarantee(
    "`/diagnostics` has the counts of all cameras together and of each.", section="Several cameras with one classifier"
)
def test_diagnostics_count_all_cameras_together_and_each(graph, make, start):
    node = start()
    front, left = (Camera(graph, make, name) for name in CAMERAS)
    for number in range(3):
        front.answer(number, 100)
    left.answer(0, 255)  # blinds the classifier
    statuses = graph.listen(DiagnosticArray, "/diagnostics")
    graph.wait(lambda: any(array.status[0].name == f"/{node.get_name()}: emotions" for array in statuses))
    values = {pair.key: pair.value for pair in statuses[-1].status[0].values}
    expected = {"ok": (3, 0), "error": (0, 1), "received": (3, 1), "processed": (3, 1), "dropped": (0, 0)}
    for key, each in expected.items():
        assert int(values[key]) == sum(each)
        assert tuple(int(values[f"{topic} {key}"]) for topic in TOPICS) == each
    assert values["faults"] == "1"


@pytest.mark.guarantee(
    "Three failed frames in a row are an ERROR in `/diagnostics` until a frame succeeds, in every node.",
    section="Every node",
)
def test_a_camera_whose_frames_all_fail_is_an_error_while_the_other_works(graph, make, start):
    start()
    front, left = (Camera(graph, make, name) for name in CAMERAS)
    for number in range(3):
        front.answer(number, 100)
        left.answer(number, 255)  # blinds the classifier
    statuses = graph.listen(DiagnosticArray, "/diagnostics")
    graph.wait(lambda: statuses and statuses[-1].status[0].level == DiagnosticStatus.ERROR)
    assert statuses[-1].status[0].message.startswith("/arm/left/image_raw: the last 3 frames failed: ")


@pytest.mark.guarantee("A camera that stops delays no other.", section="Several cameras with one classifier")
def test_a_camera_that_stops_holds_up_nobody(graph, make, start):
    start(max_queue_delay_ms=20.0)
    front, left = (Camera(graph, make, name) for name in CAMERAS)
    left.answer(0, 100)
    for number in range(5):
        assert front.answer(number, 100).status == EmotionArray.OK


@pytest.mark.guarantee(
    "`image_topics` with no topic, a topic or namespace twice or an invalid name is rejected in one line.",
    section="Several cameras with one classifier",
)
@pytest.mark.parametrize(
    ("topics", "complaint"),
    [([], "image_topics is a list"), (["a/image_raw", "a/image_raw"], "image_topics .* has a duplicate")],
    ids=["none", "twice"],
)
def test_no_camera_or_one_twice_is_refused_in_a_line(start, topics, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        start(topics)


@pytest.mark.guarantee(
    "`image_topics` with no topic, a topic or namespace twice or an invalid name is rejected in one line.",
    section="Several cameras with one classifier",
)
@pytest.mark.parametrize(
    ("topic", "complaint"),
    [
        *((topic, f"'{topic}' is not a topic name") for topic in ("no topic/image_raw", "image_raw/", "/")),
        ("/front/other", "of front/image_raw, /front/other two have the same namespace, so the same faces"),
    ],
)
def test_what_is_no_topic_fails_configure_with_a_line_and_leaves_nothing(graph, topic, complaint):
    node = graph.node(
        EmotionClassifierNode,
        activate=False,
        classifier_factory=lambda options, shared: BrightnessClassifier(),
        parameters={"image_topics": ["front/image_raw", topic]},
    )
    before = len(list(node.publishers))
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert isinstance(node.transition_error, ConfigurationError)
    assert complaint in str(node.transition_error)
    assert len(list(node.publishers)) == before


def test_an_image_topic_that_is_remapped_leaves_faces_and_emotions_where_they_are(graph, make):
    node = graph.node(
        EmotionClassifierNode,
        classifier_factory=lambda options, shared: BrightnessClassifier(),
        remappings=[("image_raw", "/elsewhere/image")],
    )
    names = {name for name, _ in node.get_topic_names_and_types()}
    assert {"/elsewhere/image", "/faces", "/emotions"} <= names
