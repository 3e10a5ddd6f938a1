# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import random
import re

import pytest

from emotion_perception.core.interop import MAX_FACES, FaceIds


@pytest.fixture
def ids():
    return FaceIds(random.Random(1))


def test_an_id_is_a_valid_name_that_ends_with_the_track_id(ids):
    present = ids.update([7, 12], 1.0).present
    assert all(re.fullmatch(rf"[a-z]{{4}}{track_id}", face_id) for track_id, face_id in present.items())
    assert len(present) == 2


def test_a_track_keeps_its_id_while_it_is_missing_for_a_second(ids):
    (first,) = ids.update([3], 10.0).present.values()
    for stamp_s in (10.5, 11.0):
        changes = ids.update([], stamp_s)
        assert (changes.present, changes.removed) == ({}, [])
    assert ids.update([3], 11.0).present == {3: first}
    ids.update([], 11.1)
    assert ids.update([], 12.1).removed == [first]
    assert ids.update([], 12.2).removed == []


def test_at_one_image_in_two_seconds_a_track_may_be_missing_in_one(ids):
    (first,) = ids.update([3], 10.0).present.values()
    assert ids.update([], 12.0).removed == []
    assert ids.update([], 14.0).removed == [first]


def test_a_track_id_that_is_used_again_has_another_id(ids):
    first = ids.update([1], 10.0).present[1]
    ids.update([], 10.1)
    ids.update([], 20.0)
    ids.update([], 30.0)
    assert ids.update([1], 30.1).present[1] != first


def test_a_stamp_that_goes_backwards_ends_the_tracks_that_are_not_in_the_frame(ids):
    present = ids.update([1, 2], 10.0).present
    changes = ids.update([2], 3.0)
    assert (changes.removed, changes.present) == ([present[1]], {2: present[2]})


def test_two_runs_have_other_ids():
    runs = [FaceIds(random.Random(seed)).update([1], 1.0).present[1] for seed in range(100)]
    assert len(set(runs)) == 100


def test_beyond_the_limit_further_tracks_wait_until_others_have_left(ids):
    changes = ids.update(list(range(MAX_FACES + 3)), 1.0)
    assert (len(changes.present), changes.omitted) == (MAX_FACES, 3)
    changes = ids.update([MAX_FACES, MAX_FACES + 1], 1.5)
    assert (changes.present, changes.omitted) == ({}, 2)
    changes = ids.update([MAX_FACES, MAX_FACES + 1], 3.0)
    assert (len(changes.removed), changes.omitted, sorted(changes.present)) == (
        MAX_FACES,
        0,
        [MAX_FACES, MAX_FACES + 1],
    )


def test_at_the_end_all_are_removed(ids):
    present = ids.update([1, 2], 10.0).present
    assert ids.clear() == list(present.values())
    assert ids.clear() == []
