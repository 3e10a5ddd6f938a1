# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import itertools

import numpy as np
import pytest

from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.reporting.metrics import Predictions
from emotion_perception.training.datasets import FaceDataset
from emotion_perception.training.evaluate import robustness
from emotion_perception.training.evaluate.robustness import CHANGES, add_scars, measure_robustness

BY_NAME = {change.name: change for change in CHANGES}
STEPS = [pytest.param(change, step, id=f"{change.name}-{step}") for change in CHANGES for step in change.severities]
SHAPES = [(48, 48), (48, 48, 3), (64, 60), (1, 1), (200, 180, 3)]


def face(shape=(48, 48), seed=0):
    return np.random.default_rng(seed).integers(60, 200, shape, dtype=np.uint8)


def change(name, step, image=None, *, seed=0, number=0):
    return BY_NAME[name](face() if image is None else image, step, seed=seed, number=number)


def black(name, step, side=100):
    """Returns which pixels of a bright square image become black."""
    return change(name, step, np.full((side, side), 200, np.uint8)) == 0


def test_there_is_every_change_that_was_asked_for():
    assert list(BY_NAME) == [
        "mouth_covered",
        "eyes_covered",
        "lower_face_covered",
        "scars",
        "blur",
        "noise",
        "low_light",
        "low_contrast",
        "small_face",
        "rotation",
    ]
    assert all(2 <= len(change.severities) <= 4 for change in CHANGES)
    assert 24 in BY_NAME["small_face"].severities
    assert BY_NAME["rotation"].severities[-1] == 30


@pytest.mark.parametrize(("change", "step"), STEPS)
def test_a_change_gives_an_image_and_leaves_the_original(change, step):
    for shape in SHAPES:
        image = face(shape)
        before = image.copy()
        changed = change(image, step, seed=0, number=3)
        assert changed.dtype == np.uint8
        assert changed.shape[2:] == shape[2:]
        assert changed.size
        assert (image == before).all()


@pytest.mark.parametrize(("change", "step"), STEPS)
def test_a_change_is_the_same_each_time(change, step):
    first, second = (change(face(), step, seed=7, number=3) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("name", ["scars", "noise", "low_light"])
def test_chance_depends_on_seed_image_and_severity(name):
    step, other = BY_NAME[name].severities[-1], BY_NAME[name].severities[0]
    given = change(name, step)
    for different in (change(name, step, seed=1), change(name, step, number=1), change(name, other)):
        assert (given != different).any()


@pytest.mark.parametrize("name", ["mouth_covered", "eyes_covered", "lower_face_covered"])
def test_covers_are_black_and_grow_with_the_severity(name):
    masks = [black(name, step) for step in BY_NAME[name].severities]
    rows = [mask.any(axis=1).mean() for mask in masks]
    assert rows == pytest.approx(BY_NAME[name].severities, abs=0.011), "the severity is the share of the height"
    for weaker, stronger in itertools.pairwise(masks):
        assert not (weaker & ~stronger).any()


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("mouth_covered", [(78, 50), (78, 25)], [(37, 30), (50, 50), (78, 5)]),
        ("eyes_covered", [(37, 30), (37, 70)], [(78, 50), (60, 50), (5, 50)]),
        ("lower_face_covered", [(99, 0), (78, 50)], [(37, 30), (40, 50)]),
    ],
)
def test_covers_lie_where_the_part_of_the_face_is(name, inside, outside):
    for step in BY_NAME[name].severities:
        mask = black(name, step)
        assert all(mask[place] for place in inside)
        assert not any(mask[place] for place in outside)


def test_one_scar_is_a_box_as_system_b_drew_it():
    rng = np.random.default_rng(0)
    sizes, corners = set(), set()
    for _ in range(3000):
        rows, columns = np.nonzero(add_scars(np.full((48, 48), 200, np.uint8), 1, rng) == 0)
        if len(rows):
            sizes.add((int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1))
            corners |= {int(rows.min()), int(columns.min())}
            assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1), "full"
    standing = {(length, width) for length in range(1, 7) for width in (1, 2)}
    assert sizes == standing | {(width, length) for length, width in standing}
    assert corners == set(range(12, 36))


def test_a_scar_of_no_length_or_width_is_none():
    rng = np.random.default_rng(0)
    blank = np.full((48, 48), 200, np.uint8)
    unscarred = np.mean([(add_scars(blank, 1, rng) == blank).all() for _ in range(3000)])
    assert unscarred == pytest.approx(1 - (6 / 7) * (2 / 3), abs=0.04)


def test_scars_grow_with_the_image():
    small, large = (
        add_scars(np.full((side, side), 200, np.uint8), 8, np.random.default_rng(1)) == 0 for side in (48, 96)
    )
    assert (large == small.repeat(2, axis=0).repeat(2, axis=1)).all()


def test_blur_takes_away_detail_and_keeps_the_brightness():
    deviations = [change("blur", step).std() for step in BY_NAME["blur"].severities]
    assert face().std() > deviations[0] > deviations[1] > deviations[2]
    assert change("blur", 2.5).mean() == pytest.approx(face().mean(), abs=2)


@pytest.mark.parametrize("step", BY_NAME["noise"].severities)
def test_noise_has_the_deviation_that_it_says(step):
    gray = np.full((100, 100), 128, np.uint8)
    assert change("noise", step, gray).std() == pytest.approx(step, rel=0.05)


@pytest.mark.parametrize("step", BY_NAME["low_light"].severities)
def test_low_light_leaves_its_share_and_the_sensors_noise(step):
    dark = change("low_light", step, np.full((100, 100), 200, np.uint8))
    assert dark.mean() == pytest.approx(200 * step, abs=0.1)
    assert dark.std() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("step", BY_NAME["low_contrast"].severities)
def test_low_contrast_keeps_the_mean(step):
    flat = change("low_contrast", step)
    assert flat.mean() == pytest.approx(face().mean(), abs=0.6)
    assert flat.std() == pytest.approx(face().std() * step, abs=0.5)


@pytest.mark.parametrize(
    ("shape", "side", "expected"),
    [((48, 48), 24, (24, 24)), ((96, 48), 24, (24, 12)), ((48, 48, 3), 12, (12, 12, 3)), ((20, 20), 24, (20, 20))],
)
def test_a_small_face_has_the_pixels_that_it_says(shape, side, expected):
    assert change("small_face", side, face(shape)).shape == expected


def test_a_face_is_turned_to_both_sides():
    bar = np.zeros((49, 49), np.uint8)
    bar[:, 23:26] = 200
    tops = set()
    for number in range(8):
        turned = change("rotation", 30, bar, number=number)
        top, bottom = turned[4].argmax(), turned[44].argmax()
        assert abs(top - bottom) == pytest.approx(40 * np.tan(np.pi / 6), abs=3)
        tops.add(bool(top < bottom))
    assert tops == {True, False}


class ByBrightness:
    """Answers `bright` or `dark`, surer the further an image's mean is from middle gray."""

    labels = ("dark", "bright")
    spec = ModelSpec(architecture="fake", labels=labels, temperature=2.0)

    def logits(self, crops):
        means = np.array([crop.mean() for crop in crops], np.float32) - 128
        return np.stack([-means / 20, means / 20], axis=1)


@pytest.fixture
def measured():
    data = FaceDataset(
        np.full((6, 48, 48), [[[10]], [[40]], [[100]], [[140]], [[200]], [[250]]], np.uint8),
        np.array([0, 0, 0, 1, 1, 1]),
        ("anger", "fear"),
    )
    scores = np.array([0.99, 0.99, 0.7, 0.6, 0.99, 0.99])
    rows = np.where(np.eye(2, dtype=bool)[data.labels], scores[:, None], 1 - scores[:, None]).astype(np.float32)
    answers = Predictions(rows, data.labels, ByBrightness.labels)
    return measure_robustness(ByBrightness(), data, answers, min_confidence=0.75, seed=0, progress=False)


def test_the_table_has_accuracy_and_abstention_of_every_step(measured):
    assert measured["min_confidence"] == 0.75
    assert measured["unchanged"] == {"accuracy": 1.0, "abstention": 0.333333}
    assert list(measured["changes"]) == list(BY_NAME)
    for name, change in measured["changes"].items():
        assert change["severity"] == BY_NAME[name].severity
        assert [step["severity"] for step in change["steps"]] == list(BY_NAME[name].severities)


def test_darkness_makes_the_bright_look_dark(measured):
    (weak, middle, strong) = measured["changes"]["low_light"]["steps"]
    assert (weak["accuracy"], middle["accuracy"], strong["accuracy"]) == (0.5, 0.5, 0.5)
    assert strong == {"severity": 0.03, "accuracy": 0.5, "abstention": 0.0}
    assert measured["changes"]["rotation"]["steps"][0] == {"severity": 10, "accuracy": 1.0, "abstention": 0.166667}


def test_changes_act_on_crops_before_they_become_inputs(monkeypatch):
    seen = []

    class Looking(ByBrightness):
        def logits(self, crops):
            seen.extend(crops)
            return super().logits(crops)

    monkeypatch.setattr(robustness, "CHANGES", (BY_NAME["small_face"],))
    data = FaceDataset(np.zeros((2, 60, 60, 3), np.uint8), np.zeros(2, np.int64), ("anger",))
    answers = Predictions(np.full((2, 2), 0.5, np.float32), data.labels, ByBrightness.labels)
    measure_robustness(Looking(), data, answers, min_confidence=0.5, seed=0, progress=False)
    assert [crop.shape for crop in seen] == [(side, side, 3) for side in (32, 24, 16, 12) for _ in range(2)]
