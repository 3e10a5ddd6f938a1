# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

from emotion_perception.core.sync.exact_time_sync import ExactTimeSync


def test_a_result_meets_the_image_with_its_stamp():
    matcher = ExactTimeSync(depth=4)
    assert matcher.add_image(1, "image 1") == []
    assert matcher.add_image(2, "image 2") == []
    assert matcher.add_result(1, "result 1") == [("image 1", "result 1")]
    assert matcher.add_result(2, "result 2") == [("image 2", "result 2")]
    assert matcher.unmatched == 0


def test_a_result_that_came_first_waits_for_its_image():
    matcher = ExactTimeSync(depth=4)
    assert matcher.add_result(7, "result") == []
    assert matcher.waiting == 1
    assert matcher.add_image(6, "another") == []
    assert matcher.add_image(7, "picture") == [("picture", "result")]
    assert matcher.waiting == 0


def test_stamps_that_nearly_agree_do_not_meet():
    matcher = ExactTimeSync(depth=4)
    matcher.add_image(1_000_000_000, "picture")
    assert matcher.add_result(1_000_000_001, "result") == []


def test_an_older_result_is_given_up_when_a_later_one_is_joined():
    matcher = ExactTimeSync(depth=4)
    matcher.add_result(1, "lost")
    matcher.add_image(2, "picture")
    assert matcher.add_result(2, "result") == [(None, "lost"), ("picture", "result")]
    assert matcher.unmatched == 1


@pytest.mark.parametrize("depth", [1, 3, 8])
def test_no_more_than_depth_of_each_are_kept(depth):
    matcher = ExactTimeSync(depth)
    for stamp in range(20):
        matcher.add_image(stamp, stamp)
    assert matcher.add_result(19 - depth, "too late") == []
    given_up = [pair for stamp in range(100, 120) for pair in matcher.add_result(stamp, stamp)]
    assert matcher.waiting == depth
    assert given_up == [(None, "too late"), *((None, stamp) for stamp in range(100, 120 - depth))]


def test_flush_gives_up_all_that_waits_in_order():
    matcher = ExactTimeSync(depth=4)
    matcher.add_result(1, "a")
    matcher.add_result(2, "b")
    assert matcher.flush() == [(None, "a"), (None, "b")]
    assert matcher.flush() == []
    assert matcher.unmatched == 2


def test_the_oldest_images_are_discarded_where_they_take_too_much_memory():
    matcher = ExactTimeSync(depth=16, size_of=len, max_bytes=10)
    for stamp in (1, 2, 3):
        matcher.add_image(stamp, "four")
    assert [matcher.add_result(stamp, "result") for stamp in (2, 3)] == [[("four", "result")]] * 2
    matcher.add_image(4, "longer than allowed")
    assert matcher.add_result(4, "result") == [("longer than allowed", "result")]
    matcher.add_image(5, "four")
    matcher.add_image(6, "four")
    assert matcher.add_result(5, "result") == [("four", "result")], "what has left the queue is not counted"
