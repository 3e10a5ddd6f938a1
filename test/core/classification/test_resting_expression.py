# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Resting expressions on streams of three numbers: what is projected is the logits of happy, sad and neutral."""

import sys

import numpy as np
import pytest

from emotion_perception.core.classification import softmax
from emotion_perception.core.classification.resting_expression import (
    FULL_S,
    GAP_S,
    HISTORY_S,
    MAX_TRACKS,
    RestingExpressions,
)
from emotion_perception.core.classification.resting_head import RestingHead, load_resting_head

LABELS = ("happiness", "sadness", "neutral")
HEAD = RestingHead(np.eye(3, dtype=np.float32), np.array([-2, -2, 0], np.float32))
NEUTRAL, SMILE, RESTS_SAD = [0, 0, 4], [7, 0, 0], [0, 2, 1]
FPS = 20


class Stream:
    """Feeds a track with logits at 20 frames a second."""

    def __init__(self, *, learns=True):
        self.resting, self.learns, self.now_s, self.track_id = RestingExpressions(HEAD, LABELS), learns, 0.0, 1

    def show(self, logits, seconds, *, noise=0.0):
        """Returns the label and the weight of the last frame."""
        rng = np.random.default_rng(0)
        for _ in range(round(seconds * FPS)):
            row = (np.array(logits) + rng.normal(0, noise, 3)).astype(np.float32)
            mixed, weight = self.resting.update(
                self.track_id, row, softmax(row[None])[0], self.now_s, learns=self.learns
            )
            self.now_s += 1 / FPS
        assert mixed.sum() == pytest.approx(1, abs=1e-6)
        return LABELS[mixed.argmax()], weight


@pytest.mark.guarantee(
    "With `baseline: auto` a face whose rest is called sad becomes neutral, and its smile is still a smile.",
    section="Emotion classifier node",
)
def test_a_face_that_looks_sad_at_rest_becomes_neutral():
    stream = Stream()
    assert stream.show(RESTS_SAD, 5) == ("sadness", 0.0)
    label, weight = stream.show(RESTS_SAD, 60, noise=0.2)
    assert (label, weight) == ("neutral", 1.0)
    assert stream.show([5, 2, 1], 1)[0] == "happiness"


@pytest.mark.guarantee(
    "Somebody who smiles for ten seconds does not become somebody who rests smiling.",
    section="Emotion classifier node",
)
@pytest.mark.parametrize("before", [0.0, 30.0], ids=["from the first frame", "after rest"])
def test_a_long_smile_stays_a_smile(before):
    stream = Stream()
    if before:
        stream.show(NEUTRAL, before)
    assert stream.show(SMILE, 10)[0] == "happiness"
    assert stream.show(NEUTRAL, 5)[0] == "neutral"


def test_the_weight_grows_with_rest_to_full_strength():
    stream = Stream()
    weights = [stream.show(NEUTRAL, 2)[1] for _ in range(12)]
    assert weights[:2] == [0.0, 0.0]
    assert weights == sorted(weights)
    assert weights[-1] == 1.0
    assert stream.now_s > FULL_S


def test_a_face_that_moves_counts_less():
    still, moving = Stream(), Stream()
    assert still.show(NEUTRAL, 12)[1] > 0.3
    assert moving.show(NEUTRAL, 12, noise=2.0)[1] < 0.1


def test_nothing_is_learned_on_request():
    assert Stream(learns=False).show(RESTS_SAD, 60) == ("sadness", 0.0)


@pytest.mark.guarantee(
    "After a calibration, expressions are read relative to the face at rest at once.", section="Emotion classifier node"
)
@pytest.mark.parametrize("learns", [False, True])
def test_a_calibrated_face_is_neutral_at_once_and_stays_so(learns):
    stream = Stream(learns=learns)
    stream.show(RESTS_SAD, 3, noise=0.1)
    (done,) = stream.resting.calibrate(0, 2.0)
    assert (done.track_id, done.frames, done.problem) == (1, 41, "")
    assert done.steadiness == 1.0
    assert stream.show(RESTS_SAD, 0.1) == ("neutral", 1.0)
    assert stream.show([0, 6, 1], 20) == ("sadness", 1.0)


@pytest.mark.parametrize(
    ("shown_s", "noise", "track_id", "problem"),
    [
        (3.0, 4.0, 1, "the face is not still"),
        (0.5, 0.1, 1, "the face was seen for 0.4 s of 2 s, in 10 frame(s); half of the time and 5 frames are needed"),
        (3.0, 0.1, 7, "no face with the track id 7 in the last 2 s"),
    ],
    ids=["moving", "too short", "unknown"],
)
def test_a_calibration_is_refused_with_the_reason(shown_s, noise, track_id, problem):
    stream = Stream()
    stream.show(NEUTRAL, shown_s, noise=noise)
    (refused,) = stream.resting.calibrate(track_id, 2.0)
    assert refused.problem.startswith(problem)
    assert stream.resting.weight(1) == 0.0


def test_a_lost_track_is_forgotten_and_a_new_id_starts_anew():
    stream = Stream()
    stream.show(NEUTRAL, 30)
    stream.track_id = 2
    assert stream.show(NEUTRAL, 0.1)[1] == 0.0
    assert stream.resting.weight(1) == 1.0
    stream.resting.advance(stream.now_s + GAP_S)
    assert stream.resting.weight(1) == 0.0


def test_a_stamp_that_goes_backwards_and_a_reset_forget_all():
    stream = Stream()
    stream.show(NEUTRAL, 30)
    stream.resting.advance(1.0)
    assert stream.resting.weight(1) == 0.0
    assert stream.resting.calibrate(0, 1.0) == []


def test_a_gap_in_the_stamps_does_not_count_as_rest():
    stream = Stream()
    stream.show(NEUTRAL, 1)
    for _ in range(15):
        stream.now_s += GAP_S * 0.9
        label, weight = stream.show(NEUTRAL, 1 / FPS)
    assert (label, weight) == ("neutral", 0.0)


@pytest.mark.parametrize("fps", [30, 61, 200, 1000])
def test_a_face_before_a_fast_camera_is_calibrated(monkeypatch, fps):
    monkeypatch.setattr(sys.modules[__name__], "FPS", fps)
    stream = Stream()
    stream.show(NEUTRAL, 12)
    for seconds in (1, 3, HISTORY_S):
        (calibration,) = stream.resting.calibrate(1, seconds)
        assert not calibration.problem
        assert 20 * seconds <= calibration.frames <= 61 * seconds


def test_what_is_kept_is_bounded():
    stream = Stream()
    stream.show(NEUTRAL, 40)
    assert stream.resting.calibrate(1, 1000)[0].frames <= HISTORY_S * FPS + 1
    for track_id in range(2, MAX_TRACKS + 10):
        stream.track_id = track_id
        stream.show(NEUTRAL, 1 / FPS) if track_id % 500 == 0 else stream.resting.update(
            track_id, np.zeros(3, np.float32), np.full(3, 1 / 3, np.float32), stream.now_s, learns=True
        )
    assert len(stream.resting.calibrate(0, 1.0)) == MAX_TRACKS


@pytest.mark.parametrize(
    ("tensors", "problem"),
    [
        ({"weight": np.zeros((2, 5), np.float32), "bias": np.zeros(3, np.float32)}, "for 3 labels"),
        ({"weight": np.zeros((3, 5), np.float32)}, "for 3 labels"),
        ({"weight": np.full((3, 5), np.nan, np.float32), "bias": np.zeros(3, np.float32)}, "not finite"),
    ],
)
def test_a_head_of_another_model_is_refused(tmp_path, tensors, problem):
    from safetensors.numpy import save_file

    from emotion_perception.core.errors import ModelBundleError

    save_file(tensors, tmp_path / "m.baseline.safetensors")
    with pytest.raises(ModelBundleError, match=problem):
        load_resting_head(tmp_path / "m.baseline.safetensors", 3)
