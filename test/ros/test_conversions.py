# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest
from bag_files import header as recorded_header
from bag_files import typestore
from rclpy.serialization import serialize_message
from rclpy.time import Time
from result_values import COUNTS, EMOTION, FACE, MODEL, assert_same_emotion
from std_msgs.msg import Header

from emotion_perception.bags.io.messages import EMOTIONS, FACES
from emotion_perception.core.errors import RegionError
from emotion_perception.core.message_adapters import MessageBuilder
from emotion_perception.core.types import Box, Face, FaceEmotion, Status
from emotion_perception.ros.conversions import (
    ClassificationResult,
    counts_of,
    emotions_from_msg,
    faces_from_msg,
    faces_to_msg,
    stamp_ns,
)

HEADER = Header(frame_id="camera_optical_frame")
HEADER.stamp.sec, HEADER.stamp.nanosec = 1_700_000_000, 123_456_789
UNKNOWN_FACE = Face(Box(10, 20, 40, 60), 0.5)


def faces_message(faces=(FACE,)):
    return faces_to_msg(HEADER, faces, detector="haar", detect_ms=1.5, counts=COUNTS)


def emotions_message(emotions=(EMOTION,)):
    result = ClassificationResult(faces_message(), Status.OK, emotions, classify_ms=2.5)
    return result.to_msg(MODEL, Time(nanoseconds=stamp_ns(HEADER) + 20_000_000))


def test_a_stamp_is_exact_to_the_nanosecond():
    assert stamp_ns(HEADER) == 1_700_000_000_123_456_789


def test_faces_survive_the_message():
    message = faces_message()
    assert message.header == HEADER
    assert faces_from_msg(message) == [FACE]
    assert counts_of(message) == COUNTS


def test_unknown_landmarks_are_nan_in_all_three_axes():
    nose = faces_message([UNKNOWN_FACE]).faces[0].landmarks[2]
    assert all(math.isnan(value) for value in (nose.x, nose.y, nose.z))


def test_emotions_survive_the_message():
    (received,) = emotions_from_msg(emotions_message())
    assert_same_emotion(received, EMOTION)


def test_messages_for_ros_and_for_recordings_are_the_same():
    nothing = np.empty(0, np.float32)
    emotions = [EMOTION, FaceEmotion(UNKNOWN_FACE, "", 0.0, True, nothing, nothing, prediction_age_s=math.nan)]
    builder = MessageBuilder(typestore().types.__getitem__)
    header = recorded_header(stamp_ns(HEADER), HEADER.frame_id)
    faces = builder.face_array(header, [FACE, UNKNOWN_FACE], detector="haar", detect_ms=1.5, counts=COUNTS)
    recorded = builder.emotion_array(
        header,
        emotions,
        status=Status.OK,
        faces_omitted=0,
        model=MODEL,
        detect_ms=1.5,
        classify_ms=2.5,
        age_ms=20.0,
        counts=COUNTS,
    )
    result = ClassificationResult(faces_message([FACE, UNKNOWN_FACE]), Status.OK, emotions, classify_ms=2.5)
    sent = result.to_msg(MODEL, Time(nanoseconds=stamp_ns(HEADER) + 20_000_000))
    for ros_message, message, kind in ((result.source, faces, FACES), (sent, recorded, EMOTIONS)):
        read = typestore().deserialize_cdr(serialize_message(ros_message), kind)
        assert typestore().serialize_cdr(read, kind) == typestore().serialize_cdr(message, kind)


def test_the_fields_of_a_message_are_checked_by_rclpy():
    with pytest.raises(AssertionError, match="'detector' field must be of type 'str'"):
        faces_to_msg(HEADER, [], detector=None, detect_ms=1.5, counts=COUNTS)


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


@pytest.mark.guarantee(
    "An EmotionArray whose probabilities do not belong to its labels is not used: overlay, markers and page go on with "
    "the next one.",
    section="Limits",
)
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"smoothed_probabilities": [0.5]}, "2 probabilities and 1 smoothed ones for 2 labels"),
        ({"probabilities": [0.1] * 3}, "3 probabilities and 2 smoothed ones for 2 labels"),
        ({"probabilities": [], "smoothed_probabilities": [0.1] * 100}, "0 probabilities and 100 smoothed ones"),
        ({"label": "bored"}, "'bored' is none of the labels that have probabilities"),
        ({"probabilities": [], "smoothed_probabilities": []}, "'sad' is none of the labels"),
    ],
)
def test_an_emotion_that_contradicts_the_labels_is_refused(changes, reason):
    message = emotions_message()
    for name, value in changes.items():
        setattr(message.faces[0], name, value)
    with pytest.raises(RegionError, match=f"face 1099511627776 is invalid: {reason}"):
        emotions_from_msg(message)
