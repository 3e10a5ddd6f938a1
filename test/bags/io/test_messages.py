# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import dataclasses
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from bag_files import header
from bag_scene import T0
from result_values import COUNTS, EMOTION, FACE, MODEL, assert_same_emotion

from emotion_perception.bags.io.messages import (
    EMOTIONS,
    FACES,
    FIRST_TYPES,
    MAX_DEFINITION_BYTES,
    recorded_typestore,
    typestore,
)
from emotion_perception.bags.io.recorded_topic import Topic
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.errors import RecordingError
from emotion_perception.core.message_adapters import MessageBuilder, face_emotion_from_fields, face_from_fields
from emotion_perception.core.types import Box, Face, FaceEmotion, Facing, PositionSource, Status

FIRST_BAGS = Path(__file__).parents[2] / "data" / "bag_of_first_types"
BUILDER = MessageBuilder(typestore().types.__getitem__)


def emotion_array(*emotions):
    return BUILDER.emotion_array(
        header(T0),
        emotions,
        status=Status.OK,
        faces_omitted=0,
        model=MODEL,
        detect_ms=1.5,
        classify_ms=2.5,
        age_ms=20.0,
        counts=COUNTS,
    )


def to_cdr(message, message_type=EMOTIONS):
    return bytes(typestore().serialize_cdr(message, message_type))


def topic(definition=""):
    return Topic("/emotions", EMOTIONS, 1, definition)


def messages_of_the_first_types():
    with Recording(FIRST_BAGS / "mcap") as recording:
        return [bytes(entry.raw) for entry in recording.messages(["/emotions"])]


@pytest.mark.parametrize(
    ("enum", "message_type", "prefix"),
    [(Status, "EmotionArray", ""), (Facing, "Face", "FACING_"), (PositionSource, "Face", "POSITION_SOURCE_")],
)
def test_values_in_core_are_the_constants_of_the_messages(enum, message_type, prefix):
    names = vars(typestore().types[f"emotion_perception/msg/{message_type}"])
    constants = {name.removeprefix(prefix): value for name, value in names.items() if name[0].isupper()}
    constants = {name: constants[name] for name in constants if f"{prefix}{name}" in names}
    assert constants == {member.name: member.value for member in enum}


def test_every_field_of_an_emotion_survives_the_message():
    message = typestore().deserialize_cdr(to_cdr(emotion_array(EMOTION)), EMOTIONS)
    assert_same_emotion(face_emotion_from_fields(message.faces[0]), EMOTION)


def test_every_field_of_a_face_survives_the_message():
    message = BUILDER.face_array(header(T0), [FACE], detector="haar", detect_ms=1.5, counts=COUNTS)
    assert face_from_fields(typestore().deserialize_cdr(to_cdr(message, FACES), FACES).faces[0]) == FACE


def test_what_is_unknown_is_nan_or_empty():
    nothing = np.empty(0, np.float32)
    emotion = FaceEmotion(Face(Box(0, 0, 9, 9), 0.5), "", 0.0, True, nothing, nothing, prediction_age_s=math.nan)
    (message,) = typestore().deserialize_cdr(to_cdr(emotion_array(emotion)), EMOTIONS).faces
    face = message.face
    assert (face.facing_camera, face.position_source) == (0, 0)
    numbers = [face.head_yaw, face.head_pitch, face.head_roll, face.position.x, face.position.y, face.position.z]
    numbers += [message.prediction_age_s, message.valence, message.arousal, message.valence_std, message.arousal_std]
    assert np.isnan(numbers).all()
    assert np.isnan(face.position_covariance).all()
    assert (message.probabilities.size, message.smoothed_probabilities.size, message.baseline_weight) == (0, 0, 0)
    assert_same_emotion(face_emotion_from_fields(message), emotion)


@pytest.mark.parametrize(
    ("field", "value"), [("facing_camera", 3), ("position_source", 9), ("head_yaw", math.inf), ("score", math.nan)]
)
def test_a_face_with_an_invalid_value_is_refused(field, value):
    message = BUILDER.face_array(header(T0), [FACE], detector="haar", detect_ms=1.5, counts=COUNTS).faces[0]
    with pytest.raises(ValueError, match=str(value)):
        face_from_fields(dataclasses.replace(message, **{field: value}))


def test_the_definition_in_a_recording_decides_how_its_messages_are_read():
    first = recorded_typestore(topic(FIRST_TYPES.read_text()), [])
    (face,) = first.deserialize_cdr(messages_of_the_first_types()[0], EMOTIONS).faces
    assert face.face.id == 1
    definition, _ = typestore().generate_msgdef(EMOTIONS, ros_version=2)
    present = recorded_typestore(topic(definition), [])
    assert present.deserialize_cdr(to_cdr(emotion_array(EMOTION)), EMOTIONS).faces[0].face.track_id == FACE.track_id


def test_the_kept_definition_of_the_first_types_is_what_recordings_of_them_carry():
    with Recording(FIRST_BAGS / "mcap") as recording:
        (definition,) = [topic.definition for topic in recording.topics if topic.type == EMOTIONS]
    assert FIRST_TYPES.read_text() == definition


def test_without_a_definition_the_types_that_fit_are_taken():
    present = [to_cdr(emotion_array(EMOTION)), to_cdr(emotion_array())]
    assert recorded_typestore(topic(), present) is typestore()
    first = recorded_typestore(topic(), messages_of_the_first_types())
    assert first.deserialize_cdr(messages_of_the_first_types()[0], EMOTIONS).faces[0].face.id == 1
    assert recorded_typestore(topic(), [b"\x00\x01\x00\x00"]) is typestore()


@pytest.mark.guarantee(
    "A message definition of a recording that cannot be used is one line, whatever it names.",
    section="Recording and replay",
)
@pytest.mark.parametrize(
    "definition",
    [
        "rubbish (",
        "float64 X=1e999\n",
        "int32 X=" + "9" * 6000 + "\n",
        "emotion_perception/EmotionArray x\n",
        "uint8 x\n" + "=" * 80 + "\nMSG: 1/2\nuint8 x\n",
        "unittest/__main__ x\n",
        "antigravity/X x\n",
        "uint8 x\nuint8 x\n",
        "\0",
        "# " + "x" * MAX_DEFINITION_BYTES,
    ],
    ids=lambda definition: ascii(definition[:20]),
)
def test_a_definition_that_cannot_be_used_is_one_clear_line(definition):
    with pytest.raises(
        RecordingError, match="the message definition of /emotions (cannot be parsed|is longer)"
    ) as caught:
        recorded_typestore(topic(definition), [])
    assert "\n" not in str(caught.value)
    assert "antigravity" not in sys.modules
