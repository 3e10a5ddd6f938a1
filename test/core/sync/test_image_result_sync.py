# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

from emotion_perception.core.sync.image_result_sync import ImageResultSync

TIMEOUT_S = 0.5
MS = 1_000_000


@pytest.fixture
def queue():
    return ImageResultSync(depth=8)


def image(queue, number, now_s=0.0):
    return queue.add_image(number * MS, f"image {number}", now_s)


def result(queue, number, now_s=0.0):
    return queue.add_result(number * MS, f"result {number}", now_s)


def pair(number, *, bare=False):
    return f"image {number}", None if bare else f"result {number}"


def test_a_image_goes_on_with_its_result():
    for first, second in ((image, result), (result, image)):
        queue = ImageResultSync(depth=8)
        assert first(queue, 1) == []
        assert second(queue, 1) == [pair(1)]
        assert (queue.superseded, queue.unmatched, queue.waiting) == (0, 0, 0)


@pytest.mark.parametrize(
    ("now_s", "timeout_s", "late"),
    [(0.4, 0.5, []), (0.5, 0.5, [1]), (0.55, 0.5, [1]), (0.6, 0.5, [1, 2]), (0.2, 0.0, [1, 2])],
)
def test_a_image_goes_on_without_its_result_when_it_has_waited(queue, now_s, timeout_s, late):
    image(queue, 1, now_s=0.0)
    image(queue, 2, now_s=0.1)
    assert queue.expire(now_s, timeout_s) == [pair(number, bare=True) for number in late]


def test_a_result_that_comes_after_that_is_of_no_use(queue):
    image(queue, 1)
    queue.expire(1.0, TIMEOUT_S)
    assert result(queue, 1, now_s=1.1) == []
    assert (queue.unmatched, queue.waiting) == (1, 0)


def test_images_before_one_with_a_result_are_superseded(queue):
    for number in (1, 2, 3, 4):
        image(queue, number)
    assert result(queue, 3) == [pair(3)]
    assert (queue.superseded, queue.waiting) == (2, 1)
    assert queue.expire(1.0, TIMEOUT_S) == [pair(4, bare=True)]


def test_results_before_one_with_a_image_are_given_up(queue):
    result(queue, 1)
    result(queue, 2)
    assert image(queue, 2) == [pair(2)]
    assert queue.unmatched == 1
    assert image(queue, 1) == []
    assert queue.superseded == 1


def test_images_that_came_in_disorder_go_on_in_order(queue):
    image(queue, 2, now_s=0.0)
    image(queue, 1, now_s=0.1)
    assert queue.expire(0.55, TIMEOUT_S) == []
    assert queue.expire(0.6, TIMEOUT_S) == [pair(1, bare=True), pair(2, bare=True)]


def test_a_image_goes_on_once(queue):
    image(queue, 1)
    assert image(queue, 1) == []
    assert result(queue, 1) == [pair(1)]
    assert image(queue, 1) == []
    assert result(queue, 1) == []
    assert queue.superseded == 2


@pytest.mark.parametrize("detector_ms", [50, 200, 400])
def test_a_detector_that_answers_in_time_makes_no_bare_image_flicker(detector_ms):
    """At 30 Hz a detector takes the newest image, and answers each after `detector_ms`."""
    queue, handed_on, busy_with = ImageResultSync(depth=100), [], None
    for now_ms in range(3000):
        if now_ms % 33 == 0:
            newest_ms = now_ms
            handed_on += image(queue, now_ms, now_ms * 1e-3)
            busy_with = busy_with or (newest_ms, now_ms + detector_ms)
        if busy_with and now_ms == busy_with[1]:
            handed_on += result(queue, busy_with[0], now_ms * 1e-3)
            busy_with = (newest_ms, now_ms + detector_ms)
        handed_on += queue.expire(now_ms * 1e-3, TIMEOUT_S)
    assert len(handed_on) >= 3000 // detector_ms - 2
    assert all(annotation is not None for _, annotation in handed_on)


def test_a_classifier_that_dies_leaves_every_image_bare_and_one_that_comes_back_does_not(queue):
    handed_on = []
    for number in range(30):
        now_s = number / 10
        handed_on += image(queue, number, now_s)
        if not 10 <= number < 20:
            handed_on += result(queue, number, now_s)
        handed_on += queue.expire(now_s, TIMEOUT_S)
    assert handed_on == [
        *(pair(number) for number in range(10)),
        *(pair(number, bare=True) for number in range(10, 15)),  # 15 to 19 still waited when the result of 20 came
        *(pair(number) for number in range(20, 30)),
    ]
    assert queue.superseded == 5


@pytest.mark.parametrize("depth", [1, 3, 8])
def test_what_waits_is_bounded_and_the_operator_still_sees_images(depth):
    queue = ImageResultSync(depth)
    handed_on = [each for number in range(20) for each in image(queue, number)]
    assert queue.waiting == depth
    assert handed_on == [pair(number, bare=True) for number in range(20 - depth)]
    for number in range(100, 120):
        result(queue, number)
    assert queue.unmatched == 20 - depth


@pytest.mark.parametrize("back_s", [2, 3600])
@pytest.mark.parametrize("waiting", [True, False], ids=["one waits", "none waits"])
def test_a_jump_back_in_time_begins_anew(queue, back_s, waiting):
    image(queue, 10_000_000)
    if not waiting:
        result(queue, 10_000_000)
    then = 10_000_000 - back_s * 1000
    assert image(queue, then) == []
    assert queue.superseded == waiting
    assert result(queue, then) == [pair(then)]


def test_a_jump_forward_is_no_matter(queue):
    image(queue, 1)
    assert queue.expire(1.0, TIMEOUT_S) == [pair(1, bare=True)]
    image(queue, 3_600_000, 1.1)
    assert result(queue, 3_600_000, 1.2) == [pair(3_600_000)]


def test_every_image_is_handed_on_or_superseded_or_waits(queue):
    handed_on, given = 0, 0
    for step in range(500):
        number = step * 37 % 101
        if step % 3:
            given += 1
            handed_on += len(image(queue, number, step * 0.05))
        else:
            handed_on += len(result(queue, number, step * 0.05))
        handed_on += len(queue.expire(step * 0.05, TIMEOUT_S))
        assert given == handed_on + queue.superseded + queue.waiting
    queue.clear()
    assert queue.waiting == 0
    assert given == handed_on + queue.superseded


def test_the_oldest_images_do_not_wait_where_they_take_too_much_memory():
    queue = ImageResultSync(depth=16, size_of=len, max_bytes=10)
    assert [queue.add_image(stamp, f"no {stamp}", 0.0) for stamp in (1, 2)] == [[], []]
    assert queue.add_image(3, "no 3", 0.0) == [("no 1", None)]
    assert queue.add_image(4, "longer than allowed", 0.0) == [(f"no {k}", None) for k in (2, 3)] + [
        ("longer than allowed", None)
    ]
    assert queue.waiting == 0
