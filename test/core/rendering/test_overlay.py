# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from file_loading import load_file

from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.rendering.options import OverlayOptions
from emotion_perception.core.rendering.overlay import (
    AXES,
    MAX_LABELED_FACES,
    caption,
    color_of,
    draw_overlay,
    status_line,
)
from emotion_perception.core.rendering.overlay_layout import Layout
from emotion_perception.core.types import Box, Face, FaceEmotion, HeadPose, Landmarks, Point

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = load_file(ROOT / "scripts" / "write_golden_overlays.py")
GROUND = 90


def blank_image(width=640, height=480):
    return np.full((height, width, 3), GROUND, np.uint8)


def emotion(box, label="happiness", score=0.87, *, uncertain=False, track_id=1, landmarks=None):
    share = np.full(7, (1 - score) / 6, np.float32)
    share[LABELS.index(label)] = score
    face = Face(box=box, score=0.9, track_id=track_id, landmarks=landmarks or Landmarks())
    return FaceEmotion(face, label, score, uncertain, share, share)


def drawn(image, *emotions, bars=False, landmarks=False):
    return draw_overlay(image, emotions, LABELS, OverlayOptions(draw_bars=bars, draw_landmarks=landmarks))


def pixels_of(image, color):
    return int((image == color).all(axis=2).sum())


@pytest.mark.parametrize("wh", [(320, 240), (640, 480), (1920, 1080)])
def test_the_box_is_drawn_on_a_copy(wh):
    image = blank_image(*wh)
    box = Box(wh[0] // 3, wh[1] // 3, wh[0] // 2, wh[1] // 2)
    result = drawn(image, emotion(box), bars=True, landmarks=True)
    color = list(color_of(emotion(box)))
    assert (image == GROUND).all()
    assert (result.shape, result.dtype) == (image.shape, np.uint8)
    for x, y in ((box.x_min, box.y_max - 1), (box.x_max - 1, box.y_max - 1), (box.x_max - 1, box.y_min)):
        assert result[y, x].tolist() == color


def test_the_axes_of_a_head_are_drawn_only_where_they_are_asked_for_and_known():
    box, pose = Box(200, 160, 320, 320), HeadPose(0.6, 0.2, 0.1)
    plain = emotion(box)
    turned = replace(plain, face=replace(plain.face, head_pose=pose))
    options = OverlayOptions(draw_bars=False, draw_head_pose=True)
    images = [draw_overlay(blank_image(), [each], LABELS, options) for each in (plain, turned)]
    images.append(draw_overlay(blank_image(), [turned], LABELS, OverlayOptions(draw_bars=False)))
    assert np.array_equal(images[0], images[2])
    changed = (images[1] != images[0]).any(axis=2)
    assert changed[165:315, 205:315].sum() > 200
    middle_x = 260
    front = np.argwhere((images[1] == AXES[2]).all(axis=2))
    assert front[:, 1].min() < middle_x - 20, "the face points to the left of the image"


def test_no_face_leaves_an_equal_image():
    image = blank_image()
    result = drawn(image, bars=True, landmarks=True)
    assert np.array_equal(result, image)
    assert result is not image


def test_the_inside_of_a_face_stays_visible():
    result = drawn(blank_image(), emotion(Box(200, 200, 300, 320)), bars=True)
    assert (result[210:310, 210:290] == GROUND).all()


@pytest.mark.parametrize("wh", [(320, 240), (640, 480), (48, 36), (5, 5), (1, 1)])
@pytest.mark.parametrize(
    "fractions",
    [(0, 0, 0.3, 0.3), (0.7, 0, 1, 0.3), (0, 0.7, 0.3, 1), (0.7, 0.7, 1, 1), (0, 0, 1, 1), (-0.5, -0.5, 0.2, 1.5)],
)
def test_a_face_at_the_border_is_drawn_inside(wh, fractions):
    x_min, y_min, x_max, y_max = (round(share * side) for share, side in zip(fractions, wh * 2, strict=True))
    box = Box(x_min, y_min, max(x_max, x_min + 1), max(y_max, y_min + 1))
    result = drawn(blank_image(*wh), emotion(box), bars=True, landmarks=True)
    assert result.shape == (wh[1], wh[0], 3)


@pytest.mark.parametrize("box", [Box(640, 0, 700, 50), Box(-60, 5, 0, 50), Box(10**9, 10**9, 4 * 10**9, 4 * 10**9)])
def test_a_face_outside_is_left_out(box):
    image = blank_image()
    assert np.array_equal(drawn(image, emotion(box), bars=True), image)


def test_a_label_at_the_upper_border_is_not_cut_off():
    color = color_of(emotion(Box(0, 0, 1, 1)))
    free = drawn(blank_image(), emotion(Box(200, 200, 300, 300)))
    top = drawn(blank_image(), emotion(Box(200, 0, 300, 100)))
    tag = (free[:198] == color).all(axis=2).sum()
    assert pixels_of(top, color) >= tag


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (emotion(Box(0, 0, 9, 9)), "#1 happiness 87%"),
        (emotion(Box(0, 0, 9, 9), "fear", 0.314, uncertain=True, track_id=12), "#12 fear? 31%"),
        (emotion(Box(0, 0, 9, 9), track_id=0), "happiness 87%"),
    ],
)
def test_the_caption_says_track_label_and_score(answer, expected):
    assert caption(answer) == expected


def test_an_uncertain_face_is_gray():
    sure, unsure = (emotion(Box(200, 200, 300, 300), uncertain=uncertain) for uncertain in (False, True))
    blue, green, red = color_of(unsure)
    assert blue == green == red
    assert color_of(sure) != color_of(unsure)
    assert drawn(blank_image(), unsure)[299, 200].tolist() == [blue, green, red]


def test_every_label_has_its_own_color():
    colors = {color_of(emotion(Box(0, 0, 9, 9), label)) for label in LABELS}
    assert len(colors) == len(LABELS)


def test_a_bar_is_as_long_as_its_probability():
    box, color = Box(60, 200, 160, 300), color_of(emotion(Box(0, 0, 1, 1)))
    lengths = []
    for score in (0.25, 0.5, 1.0):
        answer = emotion(box, score=score)
        beside = drawn(blank_image(), answer, bars=True)[205:, 175:]  # without the face, its tag and the panel's edge
        lengths.append(int((beside == color).all(axis=2).sum(axis=1).max()))
    assert lengths[0] == pytest.approx(lengths[2] / 4, abs=1)
    assert lengths[1] == pytest.approx(lengths[2] / 2, abs=1)


def test_probabilities_that_are_no_numbers_are_drawn_as_nothing():
    answer = emotion(Box(60, 200, 160, 300))
    answer.smoothed_probabilities[:] = np.nan, np.inf, -np.inf, 2, -1, 0, 1
    assert drawn(blank_image(), answer, bars=True).shape == (480, 640, 3)


def test_bars_of_several_faces_cover_none_of_them():
    boxes = [Box(60, 100, 160, 220), Box(170, 120, 260, 230), Box(280, 100, 380, 220), Box(500, 300, 620, 440)]
    result = drawn(blank_image(), *(emotion(box, track_id=number + 1) for number, box in enumerate(boxes)), bars=True)
    for box in boxes:
        inside = result[box.y_min + 6 : box.y_max - 6, box.x_min + 6 : box.x_max - 6]
        assert (inside == GROUND).mean() > 0.9


def test_known_landmarks_are_drawn_and_unknown_ones_are_not():
    partly = Landmarks(right_eye=Point(230, 240), nose=Point(10**12, 5))
    answer = emotion(Box(200, 200, 300, 320), landmarks=partly)
    result = drawn(blank_image(), answer, landmarks=True)
    assert result[240, 230].tolist() != [GROUND] * 3
    result[230:251, 220:241] = GROUND
    assert np.array_equal(result, drawn(blank_image(), emotion(Box(200, 200, 300, 320))))


def test_only_the_largest_faces_have_a_label_where_there_are_many():
    small = [emotion(Box(x, 300, x + 8, 308), track_id=99) for x in range(0, 640, 10)]
    large = [emotion(Box(x, 100, x + 16, 116)) for x in range(0, 640, 20)]
    assert len(large) == MAX_LABELED_FACES
    alone = drawn(blank_image(), *large)
    crowd = drawn(blank_image(), *small, *large)
    assert np.array_equal(alone[:290], crowd[:290]), "the small ones change nothing"
    for box in (face.face.box for face in small):
        assert crowd[box.y_max - 1, box.x_max - 1].tolist() == list(color_of(small[0]))


def test_the_time_to_lay_labels_out_does_not_grow_with_the_number_of_faces(monkeypatch):
    placed = []
    place_tag = Layout.place_tag
    monkeypatch.setattr(Layout, "place_tag", lambda *given: placed.append(len(given[0]._faces)) or place_tag(*given))
    for number in (32, 1000):
        placed.clear()
        drawn(blank_image(), *[emotion(Box(50, 60, 90, 100))] * number, bars=True)
        assert placed == [MAX_LABELED_FACES] * MAX_LABELED_FACES


def test_long_labels_are_shortened_and_too_many_have_no_bars():
    face = emotion(Box(200, 200, 300, 320))
    endless = replace(face, label="x" * 10_000_000)
    assert caption(endless) == "#1 " + "x" * 21 + "... 87%"
    share = np.full(65, 1 / 65, np.float32)
    many = replace(face, probabilities=share, smoothed_probabilities=share)
    with_bars, without = (
        draw_overlay(blank_image(), [many], [str(k) for k in range(65)], OverlayOptions(draw_bars=bars))
        for bars in (True, False)
    )
    assert np.array_equal(with_bars, without)


@pytest.mark.parametrize(("track_id", "text"), [(3, "#3"), (0, "?")])
def test_a_face_without_prediction_has_a_box_and_no_bars(track_id, text):
    face, nothing = Face(Box(200, 200, 300, 320), 0.9, track_id=track_id), np.empty(0, np.float32)
    unknown = FaceEmotion(face, "", 0.0, True, nothing, nothing, prediction_age_s=float("nan"))
    assert caption(unknown) == text
    with_bars, without = (drawn(blank_image(), unknown, bars=bars) for bars in (True, False))
    assert np.array_equal(with_bars, without)
    assert with_bars[319, 299].tolist() == list(color_of(unknown))


def test_a_face_that_was_not_classified_in_this_image_is_drawn_like_its_last_prediction():
    now = emotion(Box(200, 200, 300, 320))
    earlier = replace(now, probabilities=np.empty(0, np.float32), prediction_age_s=0.2)
    assert np.array_equal(drawn(blank_image(), earlier, bars=True), drawn(blank_image(), now, bars=True))


@pytest.mark.guarantee(
    "The overlay looks as the images in `test/core/rendering/golden`, from 320x240 to 1920x1080, with one face, a "
    "crowd, and a face that fills the image.",
    section="Overlay node",
)
@pytest.mark.parametrize("name", list(GOLDEN.SCENES))
def test_the_overlay_looks_as_its_golden_image(name):
    """`scripts/write_golden_overlays.py` writes them. Another OpenCV may draw the edges of letters differently."""
    expected = cv2.imread(str(GOLDEN.FOLDER / f"{name}.png"))
    difference = np.abs(GOLDEN.SCENES[name]().astype(int) - expected).max(axis=2)
    assert (difference > 40).mean() < 0.005
    assert difference.mean() < 1


def test_there_is_a_golden_image_for_each_scene():
    assert {path.stem for path in GOLDEN.FOLDER.iterdir()} == set(GOLDEN.SCENES)


def test_an_image_without_a_label_is_no_golden_one():
    """The tolerance is small enough: a tag that is missing is noticed."""
    plain = GOLDEN.ground(320, 240)
    expected = cv2.imread(str(GOLDEN.FOLDER / "fills_320x240.png"))
    assert (np.abs(plain.astype(int) - expected).max(axis=2) > 40).mean() > 0.01


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((29.94, 38.2, 12), "29.9 Hz, 38 ms old, 12 dropped"),
        ((0.0, -3.0, 0), "-3 ms old, 0 dropped"),
        ((1.0, 1.7e12, 0), "1.0 Hz, 1700000000 s old, 0 dropped"),
    ],
)
def test_the_status_line_has_rate_age_and_drops(values, text):
    assert status_line(*values) == text


def test_the_status_line_stands_in_a_corner_and_changes_nothing_else():
    face, text = emotion(Box(200, 200, 300, 320)), status_line(30.0, 20.0, 0)
    options = OverlayOptions()
    with_line = draw_overlay(blank_image(), [face], LABELS, options, status=text)
    changed = (with_line != draw_overlay(blank_image(), [face], LABELS, options)).any(axis=2)
    rows, columns = changed.any(axis=1).nonzero()[0], changed.any(axis=0).nonzero()[0]
    assert (rows.max(), columns.min()) == (479, 0)
    assert rows.min() > 450
    assert columns.max() < 320
