# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.classification.smoothing import GAP_S, EmotionSmoother

SAD, GLAD = np.array([1, 0], np.float32), np.array([0, 1], np.float32)


def follow(rate_hz, seconds, time_constant_s):
    """Returns the smoothed share of GLAD at the end of a step from SAD to GLAD at time 0."""
    smoother = EmotionSmoother()
    smoother.update(1, SAD, 0.0, time_constant_s=time_constant_s)
    for frame in range(1, round(seconds * rate_hz) + 1):
        smoothed = smoother.update(1, GLAD, frame / rate_hz, time_constant_s=time_constant_s)
    return smoothed[1]


def test_after_one_time_constant_a_step_has_come_through_to_63_percent():
    assert follow(100, 0.5, 0.5) == pytest.approx(1 - np.exp(-1), abs=1e-4)


@pytest.mark.guarantee(
    "Smoothing has a time constant in stamp time: the curve at 10 Hz is that at 30 Hz.",
    section="Emotion classifier node",
)
def test_the_curve_is_the_same_at_10_and_at_30_hz():
    assert follow(10, 1.0, 0.4) == pytest.approx(follow(30, 1.0, 0.4), abs=1e-5)


def test_the_first_frame_of_a_track_is_taken_as_it_is():
    np.testing.assert_array_equal(EmotionSmoother().update(1, GLAD, 5.0, time_constant_s=1.0), GLAD)


def test_without_a_time_constant_nothing_is_smoothed():
    smoother = EmotionSmoother()
    smoother.update(1, SAD, 0.0, time_constant_s=0.0)
    np.testing.assert_array_equal(smoother.update(1, GLAD, 0.1, time_constant_s=0.0), GLAD)


def test_tracks_do_not_mix():
    smoother = EmotionSmoother()
    smoother.update(1, SAD, 0.0, time_constant_s=1.0)
    np.testing.assert_array_equal(smoother.update(2, GLAD, 0.01, time_constant_s=1.0), GLAD)


def test_a_step_back_in_time_forgets_everything():
    smoother = EmotionSmoother()
    smoother.update(1, SAD, 100.0, time_constant_s=1.0)
    np.testing.assert_array_equal(smoother.update(1, GLAD, 1.0, time_constant_s=1.0), GLAD)


def test_the_sum_stays_one():
    smoother, rng = EmotionSmoother(), np.random.default_rng(0)
    for frame in range(200):
        row = rng.dirichlet(np.ones(7)).astype(np.float32)
        assert smoother.update(1, row, frame / 30, time_constant_s=0.3).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.guarantee(
    "Smoothing restarts after a gap and after a stamp that jumps back.", section="Emotion classifier node"
)
def test_a_track_unseen_for_long_begins_anew():
    smoother = EmotionSmoother()
    smoother.update(1, SAD, 0.0, time_constant_s=60.0)
    smoother.choose_label(1, 0.0)
    np.testing.assert_array_equal(smoother.update(1, GLAD, GAP_S + 0.1, time_constant_s=60.0), GLAD)
    assert smoother.choose_label(1, hysteresis=1.0) == 1


@pytest.mark.parametrize(("glad", "hysteresis", "shown"), [(0.54, 0.1, 0), (0.54, 0.0, 1), (0.56, 0.1, 1)])
def test_a_label_gives_way_only_to_one_that_is_clearly_more_probable(glad, hysteresis, shown):
    smoother = EmotionSmoother()
    smoother.update(1, SAD, 0.0, time_constant_s=0.0)
    assert smoother.choose_label(1, hysteresis) == 0
    smoother.update(1, np.array([1 - glad, glad], np.float32), 0.1, time_constant_s=0.0)
    assert smoother.choose_label(1, hysteresis) == shown


@pytest.mark.guarantee("Hysteresis keeps a label from flickering.", section="Emotion classifier node")
def test_hysteresis_keeps_a_noisy_face_from_flickering():
    rng, flips = np.random.default_rng(0), {}
    for hysteresis in (0.0, 0.1):
        smoother, shown = EmotionSmoother(), []
        for frame in range(300):
            glad = 0.5 + rng.normal(0, 0.03)
            smoother.update(1, np.array([1 - glad, glad], np.float32), frame / 30, time_constant_s=0.1)
            shown.append(smoother.choose_label(1, hysteresis))
        flips[hysteresis] = np.count_nonzero(np.diff(shown))
    assert flips[0.0] > 20
    assert flips[0.1] <= 2


def test_the_number_of_tracks_is_bounded_where_stamps_stand_still(monkeypatch):
    monkeypatch.setattr("emotion_perception.core.classification.smoothing.MAX_TRACKS", 3)
    smoother = EmotionSmoother()
    for track_id in (1, 2, 3, 1, 4):  # 2 is the one that was not updated for longest
        smoother.update(track_id, SAD, 5.0, time_constant_s=1.0)
    assert [smoother.update(track_id, GLAD, 5.0, time_constant_s=1.0)[1] for track_id in (1, 3, 4, 2)] == [0, 0, 0, 1]
