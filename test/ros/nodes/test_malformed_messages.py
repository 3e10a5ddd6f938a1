# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""No message ends a node, and the good frame after it is answered. `make soak` sends many more of them."""

import os

import pytest
from fake_classifier import GladClassifier
from malformed import Malformed
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from emotion_perception.core.types import Box, Face
from emotion_perception.ros.conversions import EmotionArray, FaceArray, faces_to_msg
from emotion_perception.ros.nodes.emotion_classifier import EmotionClassifierNode
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode
from emotion_perception.ros.nodes.overlay import OverlayNode

COUNT = int(os.environ.get("MALFORMED", "500"))  # of each kind of message


class Watchful(GladClassifier):
    """A classifier that is not handed crops larger than any image here."""

    def classify(self, crops):
        assert all(crop.size < 10**8 for crop in crops)
        return super().classify(crops)


@pytest.fixture
def malformed(make):
    return Malformed(seed=1, header=make.header)


def worked_on(graph, node, count):
    """Waits until a node is done with everything it was given."""
    graph.wait(lambda: node.status()["received"] >= count and not node.status()["pending"])


@pytest.mark.guarantee(
    "After 500 malformed messages of each kind, a node processes the next good frame (10,000 in `make soak`).",
    section="Fault injection",
)
@pytest.mark.parametrize(
    ("transport", "kind"), [("raw", Image), pytest.param("compressed", CompressedImage, marks=pytest.mark.slow)]
)
def test_the_detector_survives_malformed_images_calibrations_and_depth_images(graph, make, malformed, transport, kind):
    parameters = {"image_transport": transport, "depth_topic": "depth"}
    node = graph.node(FaceDetectionNode, detector_factory=lambda config: make.detector(), parameters=parameters)
    faces = graph.listen(FaceArray, "faces")
    images = graph.speak(kind, "image_raw" if kind is Image else "image_raw/compressed")
    infos, depths = graph.speak(CameraInfo, "camera_info"), graph.speak(Image, "depth")
    make_one = malformed.image if kind is Image else malformed.compressed
    for number in range(COUNT):
        if kind is Image:
            (infos if number % 2 else depths).publish(
                (malformed.camera_info if number % 2 else malformed.image)(number)
            )
        images.publish(make_one(number))
        worked_on(graph, node, number + 1)
    failed = node.status()["failed"]
    assert failed > COUNT // 4, "they are malformed indeed"
    graph.wait_for(faces, COUNT - failed)
    good = make.image(COUNT + 1) if kind is Image else make.compressed(COUNT + 1)
    images.publish(good)
    graph.wait(lambda: faces and faces[-1].header == good.header)
    assert len(faces[-1].faces) == 1
    counts = node.status()
    assert counts["received"] == counts["processed"] + counts["dropped"] + counts["failed"] == COUNT + 1


@pytest.mark.guarantee(
    "Every FaceArray gets exactly one EmotionArray, in order, also without its image.",
    section="Emotion classifier node",
)
@pytest.mark.guarantee(
    "After 500 malformed messages of each kind, a node processes the next good frame (10,000 in `make soak`).",
    section="Fault injection",
)
def test_the_classifier_answers_every_malformed_face_array(graph, make, malformed):
    node = graph.node(EmotionClassifierNode, classifier_factory=lambda options, shared: Watchful())
    answers = graph.listen(EmotionArray, "emotions")
    images, faces = graph.speak(Image, "image_raw"), graph.speak(FaceArray, "faces")
    graph.wait(lambda: node.count_subscribers("emotions"))
    for number in range(COUNT):
        images.publish(malformed.image(number) if number % 2 else make.image(number))
        faces.publish(malformed.faces(number))
        graph.wait_for(answers, number + 1)
    good = [Face(Box(0, 0, 20, 20), 0.9, track_id=1)]
    images.publish(make.image(COUNT))
    faces.publish(faces_to_msg(make.header(COUNT), good, detector="x", detect_ms=0.0, counts=make.counts))
    graph.wait_for(answers, COUNT + 1)
    assert [answer.header for answer in answers] == [make.header(number) for number in range(COUNT + 1)]
    assert (answers[-1].status, len(answers[-1].faces)) == (EmotionArray.OK, 1)
    assert any(answer.status == EmotionArray.ERROR for answer in answers)


@pytest.mark.guarantee(
    "After 500 malformed messages of each kind, a node processes the next good frame (10,000 in `make soak`).",
    section="Fault injection",
)
def test_the_overlay_survives_malformed_emotions_and_images(graph, make, malformed):
    node = graph.node(OverlayNode)
    overlays = graph.listen(Image, "image_overlay")
    images, emotions = graph.speak(Image, "image_raw"), graph.speak(EmotionArray, "emotions")
    graph.wait(lambda: node.count_subscribers("image_overlay"))
    for number in range(COUNT):
        images.publish(malformed.image(number) if number % 2 else make.image(number))
        emotions.publish(malformed.emotions(number))
        graph.let_run(0.001)
    good = make.header(COUNT + 5)
    images.publish(make.image(COUNT + 5))
    emotions.publish(EmotionArray(header=good))
    graph.wait(lambda: overlays and overlays[-1].header == good, "the good image is not drawn")
    assert node.faults > 0
