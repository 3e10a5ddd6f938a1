# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A face and an emotion of which every field has a value of its own, none of them a default."""

import dataclasses

import numpy as np

from emotion_perception.core.types import (
    Box,
    Face,
    FaceEmotion,
    Facing,
    FrameCounts,
    HeadPose,
    Landmarks,
    ModelInfo,
    Point,
    Position,
    PositionSource,
)

# All numbers are exact in float32.
FACE = Face(
    box=Box(10, 20, 40, 60),
    score=0.75,
    landmarks=Landmarks(Point(15.5, 30.25), Point(30.5, 31.0), Point(22.0, 40.0), Point(16.0, 50.0), Point(29.0, 50.5)),
    track_id=2**40,
    head_pose=HeadPose(yaw=0.5, pitch=-0.25, roll=0.125),
    facing_camera=Facing.YES,
    position=Position(0.5, -0.25, 1.5, tuple(k / 8 for k in range(9)), PositionSource.DEPTH),
)
EMOTION = FaceEmotion(
    face=FACE,
    label="sad",
    score=0.625,
    uncertain=True,
    probabilities=np.array([0.25, 0.75], np.float32),
    smoothed_probabilities=np.array([0.375, 0.625], np.float32),
    prediction_age_s=0.5,
    baseline_weight=0.25,
    valence=-0.5,
    arousal=0.375,
    valence_std=0.125,
    arousal_std=0.0625,
)
MODEL = ModelInfo(("glad", "sad"), model="tiny", model_sha256="ab" * 32, device="cpu", fallback=True)
COUNTS = FrameCounts(received=10, processed=6, dropped=3, failed=1)


def assert_same_emotion(first, second):
    """Asserts that two `FaceEmotion`s are equal in every field; NaN is equal to NaN."""
    assert repr(first.face) == repr(second.face)
    for name in (field.name for field in dataclasses.fields(FaceEmotion) if field.name != "face"):
        np.testing.assert_equal(getattr(first, name), getattr(second, name), err_msg=name)
