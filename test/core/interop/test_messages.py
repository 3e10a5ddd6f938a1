# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The messages of hri_msgs and vision_msgs, made of plain objects."""

import math
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from emotion_perception.core.interop import DetectionBuilder, HriMessageBuilder, face_rotation
from emotion_perception.core.interop.hri import EXPRESSIONS
from emotion_perception.core.types import (
    Box,
    Face,
    FaceEmotion,
    HeadPose,
    Landmarks,
    Point,
    Position,
    PositionSource,
)

HEADER = SimpleNamespace(stamp=SimpleNamespace(sec=7, nanosec=8), frame_id="cam")
LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
IMAGE_WH = (200, 100)
NOTHING = np.empty(0, np.float32)


def types(name):
    return partial(SimpleNamespace, kind=name)


HRI, DETECTIONS = HriMessageBuilder(types), DetectionBuilder(types)


def a_face(**values):
    return Face(**{"box": Box(20, 10, 100, 90), "score": 0.75, "track_id": 3, **values})


def an_emotion(face=None, label="happiness", **values):
    row = np.array([0.02, 0.01, 0.01, 0.9, 0.01, 0.02, 0.03], np.float32)
    return FaceEmotion(face or a_face(), label, 0.9, False, row, values.pop("smoothed", row), **values)


def test_the_tracked_faces_are_a_list_of_ids():
    message = HRI.ids_list(HEADER, ("abcd1", "efgh2"))
    assert (message.kind, message.header, message.ids) == ("hri_msgs/msg/IdsList", HEADER, ["abcd1", "efgh2"])


def test_a_region_has_shares_of_the_image_and_the_confidence_of_the_detector():
    message = HRI.region(HEADER, a_face(), IMAGE_WH)
    assert message.header is HEADER
    assert (message.xmin, message.ymin, message.xmax, message.ymax, message.c) == (0.1, 0.1, 0.5, 0.9, 0.75)


def test_a_region_beyond_the_image_ends_at_its_edge():
    message = HRI.region(HEADER, a_face(box=Box(-20, 50, 300, 400)), IMAGE_WH)
    assert (message.xmin, message.ymin, message.xmax, message.ymax) == (0.0, 0.5, 1.0, 1.0)


def test_the_five_landmarks_have_the_indices_of_the_message():
    points = [Point(20.0 + k, 10.0 + k) for k in range(5)]
    message = HRI.landmarks(HEADER, a_face(landmarks=Landmarks(*points)), IMAGE_WH)
    assert (len(message.landmarks), message.width, message.height) == (70, 200, 100)
    known = {index: (point.x, point.y) for index, point in enumerate(message.landmarks) if point.c}
    right_pupil, left_pupil, nose, mouth_outer_right, mouth_outer_left = 68, 69, 30, 48, 54
    indices = (right_pupil, left_pupil, nose, mouth_outer_right, mouth_outer_left)
    assert known == {index: (point.x / 200, point.y / 100) for index, point in zip(indices, points, strict=True)}
    assert {point.c for point in message.landmarks} == {0.0, 0.75}


def test_an_unknown_landmark_has_no_confidence():
    message = HRI.landmarks(HEADER, a_face(landmarks=Landmarks(nose=Point(20.0, 10.0))), IMAGE_WH)
    assert [index for index, point in enumerate(message.landmarks) if point.c] == [30]


def test_every_label_has_a_word_of_the_message():
    assert {EXPRESSIONS[label] for label in LABELS} == {
        *("angry", "disgusted", "scared", "happy", "sad", "surprised", "neutral")
    }


def test_an_expression_has_word_valence_arousal_and_score():
    message = HRI.expression(HEADER, an_emotion(valence=0.5, arousal=-0.25))
    values = message.expression, message.valence, message.arousal, message.confidence
    assert values == ("happy", 0.5, -0.25, pytest.approx(0.9))
    assert message.header is HEADER


def test_a_label_that_the_message_does_not_know_has_no_word():
    message = HRI.expression(HEADER, an_emotion(label="contempt"))
    assert message.expression == ""
    assert math.isnan(message.valence)


def test_a_detection_has_the_track_id_its_box_and_a_score_for_each_label():
    array = DETECTIONS.detections_2d(HEADER, [an_emotion()], LABELS)
    (detection,) = array.detections
    assert array.header is detection.header is HEADER
    assert detection.id == "3"
    center = detection.bbox.center
    assert (center.position.x, center.position.y, center.theta) == (60.0, 50.0, 0.0)
    assert (detection.bbox.size_x, detection.bbox.size_y) == (80.0, 80.0)
    scores = {result.hypothesis.class_id: result.hypothesis.score for result in detection.results}
    assert scores.keys() == set(LABELS)
    assert sum(scores.values()) == pytest.approx(1)
    assert detection.results[0].hypothesis.class_id == "happiness"


def test_a_face_without_a_prediction_is_a_detection_without_classes():
    array = DETECTIONS.detections_2d(HEADER, [an_emotion(label="", smoothed=NOTHING)], LABELS)
    assert array.detections[0].results == []


def test_without_faces_there_is_an_empty_array():
    assert DETECTIONS.detections_2d(HEADER, [], LABELS).detections == []
    assert DETECTIONS.detections_3d(HEADER, [], LABELS).detections == []


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_position_whose_covariance_is_not_finite_has_a_large_one(value):
    position = Position(0.1, -0.2, 1.5, (*COVARIANCE[:4], value, *COVARIANCE[5:]), PositionSource.DEPTH)
    (detection,) = DETECTIONS.detections_3d(HEADER, [an_emotion(a_face(position=position))], LABELS).detections
    covariance = detection.results[0].pose.covariance.reshape(6, 6)
    np.testing.assert_array_equal(covariance[:3, :3], 1e4 * np.eye(3))


COVARIANCE = (0.1, 0.2, 0.3, 0.2, 0.4, 0.5, 0.3, 0.5, 0.6)


@pytest.mark.parametrize(
    ("pose", "variance"), [(HeadPose(0.1, 0.2, 0.3), math.radians(6) ** 2), (HeadPose(), math.pi**2 / 3)]
)
def test_only_faces_with_a_position_are_detections_in_space(pose, variance):
    position = Position(0.1, -0.2, 1.5, COVARIANCE, PositionSource.DEPTH)
    near, unknown = an_emotion(a_face(position=position, head_pose=pose)), an_emotion(a_face(track_id=4))
    (detection,) = DETECTIONS.detections_3d(HEADER, [unknown, near], LABELS).detections
    assert detection.id == "3"
    center, size = detection.bbox.center, detection.bbox.size
    assert (center.position.x, center.position.y, center.position.z) == (0.1, -0.2, 1.5)
    rotation = center.orientation
    assert (rotation.x, rotation.y, rotation.z, rotation.w) == face_rotation(pose)
    assert size.x == size.y == size.z == 0.16
    for result in detection.results:
        assert result.pose.pose is center
        covariance = result.pose.covariance.reshape(6, 6)
        np.testing.assert_array_equal(covariance[:3, :3], np.reshape(COVARIANCE, (3, 3)))
        np.testing.assert_array_equal(covariance[3:, 3:], np.eye(3) * variance)
        assert not covariance[:3, 3:].any()
        assert not covariance[3:, :3].any()
