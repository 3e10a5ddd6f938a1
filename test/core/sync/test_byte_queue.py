# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import threading

import pytest

from emotion_perception.core.sync.byte_queue import ByteQueue

WAIT_S = 10.0


def test_items_come_out_in_order_and_then_none():
    queue = ByteQueue(10)
    assert all(queue.put(number, 2) for number in range(5))
    assert [queue.get(0.0) for _ in range(6)] == [0, 1, 2, 3, 4, None]


@pytest.mark.parametrize(
    ("sizes", "taken"),
    [
        ([4, 4, 4], [True, True, False]),
        ([11], [True]),  # the first always may
        ([11, 0], [True, False]),
        ([4, 7, 6], [True, False, True]),
    ],
)
def test_what_does_not_fit_is_refused(sizes, taken):
    queue = ByteQueue(10)
    assert [queue.put("item", size) for size in sizes] == taken


def test_taking_makes_room():
    queue = ByteQueue(10)
    queue.put("first", 10)
    assert not queue.put("second", 1)
    queue.get(0.0)
    assert queue.put("second", 10)


def test_a_closed_queue_gives_what_it_has_and_takes_no_more():
    queue = ByteQueue(10)
    queue.put("last", 1)
    queue.close()
    assert not queue.ended
    assert not queue.put("too late", 1)
    assert queue.get(0.0) == "last"
    assert queue.ended
    assert queue.get(WAIT_S) is None  # at once


@pytest.mark.parametrize("wake", [lambda queue: queue.put("item", 1), lambda queue: queue.close()])
def test_whoever_waits_is_woken(wake):
    queue, got = ByteQueue(10), []
    thread = threading.Thread(target=lambda: got.append(queue.get(WAIT_S)))
    thread.start()
    wake(queue)
    thread.join(WAIT_S / 2)
    assert not thread.is_alive()
    assert len(got) == 1
