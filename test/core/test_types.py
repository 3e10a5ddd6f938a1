# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest

from emotion_perception.core.types import (
    UNKNOWN,
    Box,
    Face,
    FaceEmotion,
    FrameCounts,
    HeadPose,
    Landmarks,
    Point,
    Position,
)


@pytest.mark.parametrize(
    ("corners", "line"),
    [
        ((10, 20, 5, 40), "x_max 5 is not right of x_min 10"),
        ((10, 20, 10, 40), "x_max 10 is not right of x_min 10"),
        ((10, 20, 15, 20), "y_max 20 is not below y_min 20"),
    ],
)
def test_a_box_without_area_is_refused(corners, line):
    with pytest.raises(ValueError, match=line):
        Box(*corners)


def test_a_box_knows_its_measures():
    box = Box(10, 20, 30, 60)
    assert (box.width, box.height, box.area, box.center_xy) == (20, 40, 800, (20.0, 40.0))


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"score": -0.1}, "score -0.1 is not within 0..1"),
        ({"score": 1.1}, "score 1.1 is not within 0..1"),
        ({"score": math.nan}, "score nan is not within 0..1"),
        ({"track_id": -1}, "track_id -1 is negative"),
        ({"head_pose": HeadPose(yaw=math.inf)}, "has an infinite angle"),
        ({"position": Position(0.0, 0.0, 1.0, covariance=(0.0,))}, "has 1 entries, not 9"),
    ],
)
def test_an_impossible_face_is_refused(values, line):
    with pytest.raises(ValueError, match=line):
        Face(Box(0, 0, 1, 1), **{"score": 0.5, **values})


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"prediction_age_s": -0.1}, "prediction_age_s -0.1 is negative"),
        ({"baseline_weight": 1.5}, "baseline_weight 1.5 is not within 0..1"),
        ({"baseline_weight": math.nan}, "baseline_weight nan is not within 0..1"),
        ({"valence": -1.5}, "valence -1.5 or arousal nan is not within -1..1"),
        ({"arousal": 1.5}, "valence nan or arousal 1.5 is not within -1..1"),
        ({"valence_std": -0.1}, "valence_std -0.1 or arousal_std nan is negative"),
    ],
)
def test_an_impossible_emotion_is_refused(values, line):
    row = np.array([1.0], np.float32)
    with pytest.raises(ValueError, match=line):
        FaceEmotion(Face(Box(0, 0, 1, 1), 0.5), "happiness", 1.0, False, row, row, **values)


def test_what_nobody_measured_is_unknown():
    face, row = Face(Box(0, 0, 1, 1), 0.5), np.array([1.0], np.float32)
    emotion = FaceEmotion(face, "happiness", 1.0, False, row, row)
    unknown = [*face.head_pose, *face.position[:3], *face.position.covariance, emotion.valence, emotion.arousal_std]
    assert all(map(math.isnan, unknown))
    assert (face.facing_camera.name, face.position.source.name) == ("UNKNOWN", "UNKNOWN")
    assert (emotion.prediction_age_s, emotion.baseline_weight) == (0.0, 0.0)


def test_landmarks_are_unknown_until_told():
    marks = Landmarks(nose=Point(3.0, 4.0))
    assert [mark.known for mark in marks] == [False, False, True, False, False]
    assert not UNKNOWN.known


def test_pending_is_what_no_other_count_accounts_for():
    assert FrameCounts(received=10, processed=5, dropped=3, failed=1).pending == 1
