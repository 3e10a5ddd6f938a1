import pytest

from emotion_perception.core.tracking import Tracker
from emotion_perception.core.types import Box, Face


def face(x, y=0, side=10):
    return Face(box=Box(x, y, x + side, y + side), score=0.9)


def ids(tracker, stamp_s, *faces, min_iou=0.3, max_missed_s=1.0):
    return [tracked.id for tracked in tracker.update(faces, stamp_s, min_iou=min_iou, max_missed_s=max_missed_s)]


def test_a_face_that_moves_a_little_keeps_its_number():
    tracker = Tracker()
    assert [ids(tracker, 0.1 * step, face(2 * step)) for step in range(20)] == [[1]] * 20


def test_only_the_number_of_a_face_is_filled_in():
    (tracked,) = Tracker().update([face(3)], 0.0, min_iou=0.3, max_missed_s=1.0)
    assert (tracked.box, tracked.score, tracked.id) == (face(3).box, 0.9, 1)


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
