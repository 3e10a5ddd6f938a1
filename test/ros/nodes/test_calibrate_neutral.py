# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The service calibrate_neutral of the classifier node, with a classifier that reads the brightness of a face."""

import numpy as np
import pytest
from fake_classifier import BrightnessClassifier
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Image

from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.classification.resting_head import RestingHead
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.types import Box, Face, FrameCounts
from emotion_perception.ros.conversions import CalibrateNeutral, EmotionArray, FaceArray, faces_to_msg
from emotion_perception.ros.nodes.emotion_classifier import EmotionClassifierNode

RATE_HZ, NAME = 10, "emotion_classifier_node/calibrate_neutral"
SEEN = "0 of 1 faces calibrated; face 7: the face was seen for"
FACE = Face(Box(0, 0, 20, 20), 0.9, track_id=7)
BRIGHT, BRIGHTER = 200, 250  # a face whose rest is bright is called happy


class RestingClassifier(BrightnessClassifier):
    """Calls bright faces happy; relative to rest a face has to become brighter by more than a tenth."""

    labels = ("happiness", "neutral")
    spec = ModelSpec(architecture="fake", labels=labels, crop_margin=0.0)
    resting_head = RestingHead(np.array([[1], [0]], np.float32), np.array([-2, 0], np.float32))

    def predict(self, crops):
        rows = self.classify(crops)
        return rows, self.resting_head.project(20 * rows[:, :1])


class Stream:
    """Publishes images of one brightness with one face, and waits for each result."""

    def __init__(self, graph, make, classifier, *, camera="", **parameters):
        self.graph, self.make, self.number = graph, make, 0
        self.node = graph.node(
            EmotionClassifierNode,
            classifier_factory=lambda options, shared: classifier,
            parameters={"smoothing_s": 0.0, **parameters},
        )
        self.emotions = graph.listen(EmotionArray, f"{camera}emotions")
        self.images = graph.speak(Image, f"{camera}image_raw")
        self.faces = graph.speak(FaceArray, f"{camera}faces")
        self.client = graph.probe.create_client(CalibrateNeutral, NAME)

    def show(self, *values, faces=(FACE,)):
        """Returns the face of the last result, None without one."""
        for value in values:
            self.number += 1
            header = self.make.header(0)
            header.stamp.sec, tenths = divmod(self.number, RATE_HZ)
            header.stamp.nanosec = tenths * 100_000_000
            image = self.make.image(0, value=value)
            image.header = header
            self.images.publish(image)
            self.faces.publish(faces_to_msg(header, faces, detector="fake", detect_ms=1.0, counts=FrameCounts()))
            self.graph.wait(lambda: len(self.emotions) >= self.number)
        return next(iter(self.emotions[-1].faces), None)

    def call(self, **fields):
        self.graph.wait(self.client.service_is_ready, "the service is not there")
        answer = self.client.call_async(CalibrateNeutral.Request(**fields))
        self.graph.wait(answer.done, "no response")
        return answer.result()


@pytest.fixture
def stream(graph, make):
    return Stream(graph, make, RestingClassifier())


@pytest.mark.guarantee(
    "`~/calibrate_neutral` makes expressions relative to what a face has just shown, from the next frame on.",
    section="Emotion classifier node",
)
@pytest.mark.parametrize("track_id", [0, 7])
def test_a_calibrated_face_is_neutral_from_the_next_frame_on(stream, track_id):
    before = stream.show(*[BRIGHT] * 20)
    assert (before.label, before.baseline_weight) == ("happiness", 0.0)
    answer = stream.call(track_id=track_id, seconds=1.0)
    assert (answer.success, answer.message) == (True, "1 of 1 faces calibrated")
    assert (list(answer.track_ids), list(answer.frames), list(answer.problems)) == ([7], [11], [""])
    assert list(answer.steadiness) == [1.0]
    after = stream.show(BRIGHT)
    assert (after.label, after.baseline_weight) == ("neutral", 1.0)
    assert list(after.probabilities) == list(before.probabilities), "they are those of the network alone"
    assert stream.show(BRIGHTER).label == "happiness"


@pytest.mark.parametrize(
    ("track_id", "message"),
    [(0, "no face is seen"), (7, "0 of 1 faces calibrated; face 7: no face with the track id 7 in the last 2 s")],
)
def test_a_face_that_has_left_is_not_calibrated(stream, track_id, message):
    stream.show(*[BRIGHT] * 20)
    assert stream.show(*[BRIGHT] * 25, faces=()) is None
    answer = stream.call(track_id=track_id, seconds=1.0)
    assert (answer.success, answer.message) == (False, message)


@pytest.mark.guarantee(
    "`~/calibrate_neutral` is refused with the reason while the face is not still.", section="Emotion classifier node"
)
@pytest.mark.parametrize(
    ("shown", "request_fields", "message"),
    [
        ([100, 100, 250] * 10, {}, "0 of 1 faces calibrated; face 7: the face is not still: its expression was steady"),
        ([100] * 8, {"seconds": 2.0}, f"{SEEN} 0.7 s of 2 s, in 8 frame(s); half of the time and 5 frames are needed"),
        ([100] * 8, {"seconds": 1e-38}, f"{SEEN} 0.0 s of 1e-38 s, in 1 frame(s); half of the time and 5 frames are"),
        ([100] * 8, {"track_id": 3}, "0 of 1 faces calibrated; face 3: no face with the track id 3 in the last 2 s"),
        ([], {}, "no face is seen"),
        ([], {"seconds": 11.0}, "seconds 11 is not above 0 and at most 10"),
        ([], {"seconds": -1.0}, "seconds -1 is not above 0 and at most 10"),
        ([], {"seconds": float("nan")}, "seconds nan is not above 0 and at most 10"),
    ],
    ids=["moving", "too short", "a request too short", "unknown id", "nobody", "too long", "negative", "nan"],
)
def test_a_calibration_is_refused_with_the_reason(stream, shown, request_fields, message):
    stream.show(*shown) if shown else None
    answer = stream.call(**request_fields)
    assert not answer.success
    assert answer.message.startswith(message)
    if shown:
        assert stream.show(100).baseline_weight == 0.0


@pytest.mark.parametrize(
    ("classifier", "parameters", "message"),
    [
        (BrightnessClassifier(), {}, "fake has no statistics of resting faces"),
        (RestingClassifier(), {"baseline": "off"}, "the parameter baseline is off"),
    ],
)
def test_a_calibration_without_statistics_or_switched_off_is_refused(graph, make, classifier, parameters, message):
    answer = Stream(graph, make, classifier, **parameters).call()
    assert (answer.success, answer.message.startswith(message)) == (False, True)


def test_auto_needs_statistics_at_start(graph):
    classifier = BrightnessClassifier()
    node = graph.node(
        EmotionClassifierNode,
        activate=False,
        classifier_factory=lambda options, shared: classifier,
        parameters={"baseline": "auto"},
    )
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert isinstance(node.transition_error, ConfigurationError)
    assert "fake has no statistics of resting faces" in str(node.transition_error)


def test_with_several_cameras_the_face_of_the_right_one_is_calibrated(graph, make):
    topics = ["front/image_raw", "rear/image_raw"]
    stream = Stream(graph, make, RestingClassifier(), camera="rear/", image_topics=topics)
    stream.show(*[BRIGHT] * 12)
    answer = stream.call(track_id=7, seconds=1.0)
    assert (answer.success, list(answer.track_ids)) == (True, [7])
    assert stream.show(BRIGHT).label == "neutral"
