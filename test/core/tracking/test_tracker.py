# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import numpy as np
import pytest

from emotion_perception.core.images.geometry import iou
from emotion_perception.core.tracking.tracker import Tracker
from emotion_perception.core.types import Box, Face


def face(x, y=0, side=10):
    return Face(box=Box(x, y, x + side, y + side), score=0.9)


def ids(tracker, stamp_s, *faces, min_iou=0.3, max_missed_s=1.0):
    return [tracked.track_id for tracked in tracker.update(faces, stamp_s, min_iou=min_iou, max_missed_s=max_missed_s)]


def test_a_face_that_moves_a_little_keeps_its_number():
    tracker = Tracker()
    assert [ids(tracker, 0.1 * step, face(2 * step)) for step in range(20)] == [[1]] * 20


def test_only_the_number_of_a_face_is_filled_in():
    (tracked,) = Tracker().update([face(3)], 0.0, min_iou=0.3, max_missed_s=1.0)
    assert (tracked.box, tracked.score, tracked.track_id) == (face(3).box, 0.9, 1)


def test_answers_come_in_the_detectors_order():
    tracker = Tracker()
    assert ids(tracker, 0.0, face(0), face(100), face(200)) == [1, 2, 3]
    assert ids(tracker, 0.1, face(201), face(1), face(101)) == [3, 1, 2]


def test_the_largest_overlap_wins():
    tracker = Tracker()
    ids(tracker, 0.0, face(0), face(6))
    assert ids(tracker, 0.1, face(4), face(1)) == [2, 1]


def test_one_track_is_never_given_to_two_faces():
    tracker = Tracker()
    ids(tracker, 0.0, face(0))
    assert ids(tracker, 0.1, face(0), face(0)) == [1, 2]


def test_two_faces_that_pass_each_other_do_not_swap():
    tracker = Tracker()
    for step in range(30):
        left, right = face(4 * step, 0, 40), face(116 - 4 * step, 22, 40)  # they overlap by less than half
        assert ids(tracker, 0.1 * step, left, right) == [1, 2]


@pytest.mark.parametrize(
    ("shift", "min_iou", "expected"),
    [(5, 0.3, 1), (5, 0.4, 2), (10, 0.0, 2), (0, 1.0, 1)],
)
def test_a_track_needs_enough_overlap(shift, min_iou, expected):
    tracker = Tracker()
    ids(tracker, 0.0, face(0), min_iou=min_iou)
    assert ids(tracker, 0.1, face(shift), min_iou=min_iou) == [expected]


@pytest.mark.parametrize(("gap_s", "expected"), [(0.9, 1), (1.0, 1), (1.1, 2)])
def test_a_track_survives_a_gap_of_max_missed_s(gap_s, expected):
    tracker = Tracker()
    ids(tracker, 5.0, face(0))
    assert ids(tracker, 5.0 + gap_s / 2) == []
    assert ids(tracker, 5.0 + gap_s, face(0)) == [expected]


def test_the_largest_sum_of_overlaps_wins():
    tracker = Tracker()
    ids(tracker, 0.0, face(0, side=100), face(50, side=100))
    assert ids(tracker, 0.1, face(20, side=100), face(-25, side=100)) == [2, 1], "greedily the first face takes track 1"


def test_a_pair_below_min_iou_is_no_reason_to_break_a_good_one():
    tracker = Tracker()
    ids(tracker, 0.0, face(0, side=100), face(67, side=100))
    faces = face(12, side=100), face(-33, side=100)  # 0.786 with track 1; or 0.290 with track 2 and 0.504 with track 1
    assert ids(tracker, 0.1, *faces) == [1, 3]


@pytest.mark.parametrize("rate_hz", [10, 30])
def test_a_fast_face_is_found_again_where_it_was_going(rate_hz):
    tracker = Tracker()
    for step in range(rate_hz):
        assert ids(tracker, step / rate_hz, face(round(150 * step / rate_hz), side=60)) == [1]
    gap_s = 0.7
    again = face(round(150 * (1 - 1 / rate_hz + gap_s)), side=60)
    assert iou(again.box, face(round(150 * (1 - 1 / rate_hz)), side=60).box) == 0
    assert ids(tracker, 1 - 1 / rate_hz + gap_s, again) == [1]


def test_a_face_that_stopped_unseen_is_found_where_it_was_last():
    tracker = Tracker()
    for step in range(30):
        ids(tracker, step / 30, face(5 * step, side=60))
    assert ids(tracker, 29 / 30 + 0.9, face(5 * 29, side=60)) == [1]


@pytest.mark.guarantee("Two faces that cross keep their track ids.", section="Face detection node")
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("speed", [0.5, 0.8, 1.5])  # sides a second, each
@pytest.mark.parametrize("sides", [(60, 60), (60, 80), (24, 24)])
@pytest.mark.parametrize("rate_hz", [10, 30])
def test_faces_that_cross_keep_their_numbers(rate_hz, sides, speed, seed):
    rng, tracker, first = np.random.default_rng(seed), Tracker(), None
    way_s, side = 4 / speed, sides[0]
    hidden = 0
    for stamp_s in np.arange(rng.uniform(0, 1 / rate_hz), way_s, 1 / rate_hz):
        to_the_right = jittered(rng, side * (speed * stamp_s - 2), 0, sides[0])
        to_the_left = jittered(rng, side * (2 - speed * stamp_s), 0.1 * side, sides[1])
        apart = iou(to_the_right.box, to_the_left.box) < 0.3
        seen = {"front": to_the_left, "back": to_the_right} if apart else {"front": to_the_left}
        names = rng.permutation(list(seen))
        found = dict(zip(names, ids(tracker, stamp_s, *(seen[name] for name in names), max_missed_s=1.5), strict=True))
        first = first or found
        hidden += not apart
        assert set(found.values()) <= {1, 2}
        if apart:
            assert found == first, f"at {stamp_s:.2f} s of {way_s:.2f} s"
    assert hidden >= 2


def jittered(rng, x, y, side):
    """Returns a face whose four edges a detector saw with a deviation of 3 % of its side."""
    edges = np.array((x, y, x + side, y + side)) + rng.normal(0, 0.03 * side, 4)
    return Face(box=Box(*map(int, edges.round())), score=0.9)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_comes_numbers_are_unique_and_never_given_again(seed):
    rng, tracker = np.random.default_rng(seed), Tracker()
    stamp_s, highest, last_seen = 1000.0, 0, {}
    for _ in range(400):
        step_s = rng.choice([0.0, 1e-9, 0.033, 0.1, 0.7, 5.0, 1e6, -3.0], p=[0.1, 0.1, 0.3, 0.3, 0.1, 0.06, 0.02, 0.02])
        stamp_s += step_s
        last_seen = last_seen if step_s >= 0 else {}
        faces = [random_face(rng) for _ in range(rng.integers(0, 7))]
        min_iou, max_missed_s = rng.choice([0.0, 0.1, 0.3, 0.9]), rng.choice([0.0, 0.5, 60.0])
        tracked = tracker.update(faces, stamp_s, min_iou=min_iou, max_missed_s=max_missed_s)
        assert [(face.box, face.score) for face in tracked] == [(face.box, face.score) for face in faces]
        numbers = [face.track_id for face in tracked]
        assert len(set(numbers)) == len(numbers)
        last_seen = {number: at_s for number, at_s in last_seen.items() if stamp_s - at_s <= max_missed_s}
        new = [number for number in numbers if number not in last_seen]
        assert new == list(range(highest + 1, highest + 1 + len(new))), "a number is alive, or the next one"
        highest += len(new)
        last_seen |= dict.fromkeys(numbers, stamp_s)
        assert {track.id for track in tracker._tracks} == last_seen.keys()
        assert all(math.isfinite(edge) for track in tracker._tracks for edge in track.motion.xyxy)


def random_face(rng):
    x, y, width, height = (int(value) for value in rng.integers((0, 0, 1, 1), (200, 150, 120, 120)))
    return Face(box=Box(x, y, x + width, y + height), score=float(rng.uniform()))


def test_stamps_that_stand_still_do_not_fill_the_memory():
    tracker = Tracker()
    for step in range(200):
        numbers = ids(tracker, 0.0, *(face(1000 * step + 20 * index) for index in range(5)))
        assert numbers == list(range(5 * step + 1, 5 * step + 6))
    assert len(tracker._tracks) == 256 + 5
    assert ids(tracker, 0.0, face(1000 * 199)) == [996], "the latest are kept"


@pytest.mark.parametrize("stamp_s", [math.nan, math.inf])
def test_a_stamp_that_is_no_time_is_refused(stamp_s):
    tracker = Tracker()
    ids(tracker, 1.0, face(0))
    with pytest.raises(ValueError, match="is not a finite number"):
        ids(tracker, stamp_s, face(0))
    assert ids(tracker, 1.1, face(0)) == [1]


def test_lost_tracks_are_forgotten():
    tracker = Tracker()
    for step in range(200):
        ids(tracker, float(step), face(100 * step), max_missed_s=2.0)
    assert len(tracker._tracks) == 3


def test_a_stamp_that_goes_backwards_begins_new_tracks_with_new_numbers():
    tracker = Tracker()
    assert ids(tracker, 100.0, face(0)) == [1]
    assert ids(tracker, 3.0, face(0)) == [2]
    assert ids(tracker, 3.1, face(0)) == [2]


def test_an_equal_stamp_is_no_jump():
    tracker = Tracker()
    ids(tracker, 1.0, face(0))
    assert ids(tracker, 1.0, face(0)) == [1]


def test_numbers_go_on_after_a_reset():
    tracker = Tracker()
    ids(tracker, 1.0, face(0))
    tracker.reset()
    assert ids(tracker, 0.5, face(0)) == [2]
