# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
from rclpy.time import Time
from std_msgs.msg import Header

from emotion_perception.core.errors import RegionError
from emotion_perception.core.types import Box, Face, FaceEmotion, FrameCounts, Landmarks, Point
from emotion_perception.ros.conversions import (
    ClassificationResult,
    EmotionArray,
    ModelInfo,
    counts_of,
    emotions_from_msg,
    faces_from_msg,
    faces_to_msg,
    stamp_ns,
)

HEADER = Header(frame_id="camera_optical_frame")
HEADER.stamp.sec, HEADER.stamp.nanosec = 1_700_000_000, 123_456_789
COUNTS = FrameCounts(received=10, processed=6, dropped=3, failed=1)
IDENTITY = ModelInfo(("glad", "sad"), "tiny", "ab" * 32, "cpu", False)
FACE = Face(Box(10, 20, 40, 60), 0.75, Landmarks(right_eye=Point(15.5, 30.25)), track_id=2**40)


def emotion(face=FACE):
    probabilities = np.array([0.25, 0.75], np.float32)
    return FaceEmotion(face, "sad", 0.75, True, probabilities, probabilities[::-1].copy())


def faces_message(faces=(FACE,)):
    return faces_to_msg(HEADER, faces, detector="haar", detect_ms=1.5, counts=COUNTS)


def emotions_message(emotions=None):
    answer = ClassificationResult(
        faces_message(), EmotionArray.OK, [emotion()] if emotions is None else emotions, classify_ms=2.5
    )
    return answer.to_msg(IDENTITY, Time(nanoseconds=stamp_ns(HEADER) + 20_000_000))


def test_a_stamp_is_exact_to_the_nanosecond():
    assert stamp_ns(HEADER) == 1_700_000_000_123_456_789


def test_faces_survive_the_message():
    message = faces_message()
    assert message.header == HEADER
    (face,) = faces_from_msg(message)
    assert (face.box, face.score, face.track_id) == (FACE.box, FACE.score, FACE.track_id)
    assert face.landmarks.right_eye == Point(15.5, 30.25)
    assert not face.landmarks.nose.known
    assert counts_of(message) == COUNTS


def test_unknown_landmarks_are_nan_in_all_three_axes():
    nose = faces_message().faces[0].landmarks[2]
    assert all(math.isnan(value) for value in (nose.x, nose.y, nose.z))


def test_emotions_survive_the_message():
    message = emotions_message()
    (received,) = emotions_from_msg(message)
    assert (received.label, received.score, received.uncertain) == ("sad", 0.75, True)
    assert received.face.box == FACE.box
    np.testing.assert_array_equal(received.probabilities, [0.25, 0.75])
    np.testing.assert_array_equal(received.smoothed_probabilities, [0.75, 0.25])


def test_an_emotion_array_carries_the_header_the_cost_and_the_counts_of_its_faces():
    message = emotions_message()
    assert message.header == HEADER
    assert (message.detect_ms, message.classify_ms, message.age_ms) == (1.5, 2.5, 20.0)
    assert counts_of(message) == COUNTS
    assert (message.model, message.model_sha256, message.device, list(message.labels)) == (
        "tiny",
        "ab" * 32,
        "cpu",
        ["glad", "sad"],
    )


def test_nobody_there_is_an_empty_array():
    assert faces_from_msg(faces_message(faces=())) == []
    assert emotions_from_msg(emotions_message(emotions=())) == []


@pytest.mark.parametrize("field", ["width", "height"])
def test_a_region_of_zero_area_is_no_face(field):
    message = faces_message()
    setattr(message.faces[0].roi, field, 0)
    assert faces_from_msg(message) == [None]


def test_an_emotion_with_an_impossible_region_is_refused():
    message = emotions_message()
    message.faces[0].face.roi.width = 0
    with pytest.raises(RegionError, match="face 1099511627776 is invalid: x_max 10 is not right of x_min 10"):
        emotions_from_msg(message)
