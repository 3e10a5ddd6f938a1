# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Newest image, tracks, graph, fragments and ports of the page."""

import asyncio
import socket
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from manual_clock import Clock

from emotion_perception.core.errors import ConfigurationError, ImageError
from emotion_perception.core.types import Box, Face, FaceEmotion
from emotion_perception.web.fragments import cards_html, log_html, nodes_html, topics_html
from emotion_perception.web.graph import GONE_S, GraphState, LogLine, TopicView
from emotion_perception.web.newest_image import NewestImage
from emotion_perception.web.ports import bound_socket
from emotion_perception.web.tracks import TrackHistory

LABELS = ("anger", "neutral")
EVIL = '"><img src=x onerror=alert(1)>&'


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def newest(clock):
    with ThreadPoolExecutor(2) as executor:
        yield NewestImage(10.0, executor, keep_s=30.0, keep_bytes=10, clock_s=clock)


def emotion(track=1, *, label="anger", shares=(0.75, 0.25), side=10, uncertain=False):
    face = Face(Box(0, 0, side, side), 0.9, track_id=track)
    array = np.array(shares, np.float32)
    return FaceEmotion(face, label, max(shares, default=0.0), uncertain, array, array, baseline_weight=0.5)


@pytest.mark.guarantee(
    "An image is encoded once for all pages, and only when one of them asks; there is no queue of images.",
    section="Web page",
)
def test_an_image_is_made_once_for_all_viewers_and_never_if_nobody_asks(newest, clock):
    made = []

    def offer(number):
        clock.now_s += 0.2
        assert newest.offer(lambda: made.append(number) or b"%d" % number, number)

    async def ask():
        for number in (1, 2, 3):
            offer(number)
        images = await asyncio.gather(*(newest.newer_than(after, 1.0) for after in (0, 1, 2)))
        assert {image.jpeg for image in images} == {b"3"}
        waiting = asyncio.ensure_future(newest.newer_than(images[0].sequence, 5.0))
        await asyncio.sleep(0)
        offer(4)
        assert (await waiting).stamp_ns == 4

    asyncio.run(ask())
    assert made == [3, 4]
    assert [image.jpeg for _, image in newest.kept()] == [b"3", b"4"]


def test_images_that_come_while_one_is_made_do_not_queue(newest, clock):
    made, blocked = [], threading.Event()

    def offer(number):
        clock.now_s += 0.2
        newest.offer(lambda: made.append(number) or (blocked.wait(10), b"%d" % number)[1], number)

    async def ask():
        offer(1)
        waiting = [asyncio.ensure_future(newest.newer_than(0, 5.0))]
        while not made:
            await asyncio.sleep(0)
        for number in (2, 3, 4):
            offer(number)
            waiting.append(asyncio.ensure_future(newest.newer_than(0, 5.0)))
            await asyncio.sleep(0.01)
        blocked.set()
        return [image.jpeg for image in await asyncio.gather(*waiting)]

    assert asyncio.run(ask()) == [b"1", b"4", b"4", b"4"]
    assert made == [1, 4]


def test_images_are_wanted_while_somebody_asks(newest, clock):
    assert not newest.is_wanted
    assert asyncio.run(newest.newer_than(0, 0.0)) is None
    assert newest.is_wanted
    clock.now_s += 2.1
    assert not newest.is_wanted


def test_more_images_than_the_rate_are_ignored(newest, clock):
    assert newest.offer(lambda: b"", 1)
    assert not newest.offer(lambda: b"", 2)
    clock.now_s += 0.1
    assert newest.offer(lambda: b"", 3)


def test_an_image_that_cannot_be_made_is_no_image_and_has_a_reason(newest):
    def fail():
        raise ImageError("no pixels")

    newest.offer(fail, 1)
    assert asyncio.run(newest.newer_than(0, 0.0)) is None
    assert newest.problem == "no pixels"


def test_an_old_image_is_not_shown_as_the_present_one(newest):
    newest.offer(lambda: b"old", 1)
    newest.clear()
    assert asyncio.run(newest.newer_than(0, 0.0)) is None


def test_what_is_kept_is_limited(newest, clock):
    async def make(size):
        clock.now_s += 0.2
        newest.offer(lambda: b"x" * size, 0)
        await newest.newer_than(-1, 0.0)

    for _ in range(4):
        asyncio.run(make(4))
    assert len(newest.kept()) == 2
    clock.now_s += 31
    assert newest.kept() == []


def test_what_is_kept_ends_after_the_last_page_has_gone(newest, clock):
    newest.offer(lambda: b"old", 1)
    assert asyncio.run(newest.newer_than(0, 0.0))
    image = weakref.ref(newest.kept()[0][1])
    newest.clear()
    assert image() is not None
    clock.now_s += 31
    newest.clear()
    assert image() is None


@pytest.mark.slow
def test_what_is_kept_can_be_read_while_images_are_made(clock):
    """A recording is written in a thread of its own."""
    with ThreadPoolExecutor(2) as executor:
        newest = NewestImage(1e6, executor, keep_s=1e6, keep_bytes=3000, clock_s=clock)
        stop = threading.Event()

        def read():
            while not stop.is_set():
                newest.kept()

        async def make():
            for number in range(500):
                clock.now_s += 1
                newest.offer(lambda: b"x", number)
                await newest.newer_than(-1, 0.0)

        with ThreadPoolExecutor(1) as readers:
            reading = readers.submit(read)
            asyncio.run(make())
            stop.set()
            reading.result()


def test_a_chart_has_a_minute_of_stamp_time():
    tracks = TrackHistory()
    for step in range(0, 1000):
        tracks.update([emotion()], LABELS, 1000 + step * 0.1)
    (view,) = tracks.view()
    assert view.times_s[0] == pytest.approx(-60, abs=0.6)
    assert view.times_s[-1] == pytest.approx(0, abs=0.5)
    assert len(view.times_s) == pytest.approx(121, abs=2)


def test_a_face_that_has_left_has_no_card_and_a_jump_back_clears_all():
    tracks = TrackHistory()
    tracks.update([emotion(1), emotion(2)], LABELS, 100.0)
    tracks.update([emotion(1)], LABELS, 102.0)
    assert [view.seen_s for view in tracks.view()] == [0.0, -2.0]
    tracks.update([emotion(1)], LABELS, 104.0)
    assert [view.emotion.face.track_id for view in tracks.view()] == [1]
    tracks.update([], LABELS, 50.0)
    assert tracks.view() == []


def test_faces_are_not_shown_as_present_when_nothing_comes_any_more(clock):
    tracks = TrackHistory(clock)
    tracks.update([emotion()], LABELS, 50.0)
    clock.now_s += 2.9
    seen, version = tracks.view(), tracks.version
    clock.now_s += 0.2
    assert (len(seen), tracks.view()) == (1, [])
    assert tracks.version != version
    tracks.update([emotion()], LABELS, 51.0)
    assert len(tracks.view()) == 1


def test_hostile_counts_are_limited():
    tracks = TrackHistory()
    tracks.update([emotion(number) for number in range(1, 2000)], LABELS, 1.0)
    assert len(tracks.view()) == 64
    assert cards_html(tracks.view(), crops=False).count("<article") == 12
    graph = GraphState()
    for number in range(300):
        graph.report(f"/node{number}", 0, "x" * 10_000, {"state": "y" * 10_000})
        graph.log(LogLine(0.0, "WARN", "n" * 10_000, "t" * 10_000))
    assert len(graph.nodes()) == 100
    assert len(graph.lines()) == 200
    assert max(len(node.message) for node in graph.nodes()) == 240
    assert len(graph.lines()[0].text) == 240


def test_a_card_has_label_score_bars_chart_and_baseline():
    tracks = TrackHistory()
    for second in range(3):
        tracks.update([emotion(7, uncertain=True)], LABELS, float(second))
    html = cards_html(tracks.view(), crops=False)
    for part in ("#7", ">anger</span>", "75%", "uncertain", "baseline 50%", "<polyline", "width:25.0%"):
        assert part in html
    assert "<canvas" not in html
    assert 'data-box="0,0,10,10"' in cards_html(tracks.view(), crops=True)


def test_a_face_without_prediction_has_a_card_too():
    tracks = TrackHistory()
    tracks.update([emotion(label="", shares=())], LABELS, 0.0)
    assert "no prediction yet" in cards_html(tracks.view(), crops=False)


def test_of_many_labels_nothing_is_kept():
    many = tuple(f"label {number}" for number in range(65))
    tracks = TrackHistory()
    tracks.update([emotion(7, shares=np.full(65, 1 / 65))], many, 0.0)
    (view,) = tracks.view()
    assert (view.labels, view.probabilities, view.emotion.smoothed_probabilities.size) == ((), (), 0)
    assert "anger" in cards_html(tracks.view(), crops=False)


@pytest.mark.guarantee("Every text of a message is escaped on the page.", section="Web page")
def test_texts_of_messages_are_escaped():
    tracks = TrackHistory()
    tracks.update([emotion(label=EVIL)], (EVIL, "neutral"), 0.0)
    tracks.update([emotion(label=EVIL)], (EVIL, "neutral"), 1.0)
    graph = GraphState()
    graph.report(EVIL, 1, EVIL, dict.fromkeys(("state", "rate_hz", "age_ms", "processed", "dropped"), EVIL))
    graph.set_graph([EVIL + "2"], [TopicView(EVIL, EVIL, 1, 1, EVIL, EVIL, EVIL)])
    graph.log(LogLine(0.0, "WARN", EVIL, EVIL))
    for html in (
        cards_html(tracks.view(), crops=True),
        nodes_html(graph.nodes()),
        topics_html(graph.topics()),
        log_html(graph.lines()),
    ):
        assert "<img" not in html
        assert 'x"' not in html.replace('"ep-', "")
        assert "&lt;img" in html


@pytest.mark.guarantee(
    "A node that no longer reports is shown as gone within 3 s, and as back when it reports.", section="Web page"
)
def test_a_node_that_does_not_report_is_gone_and_back_when_it_does():
    clock = Clock()
    graph = GraphState(clock)
    graph.report("/camera_node", 0, "ok", {"state": "active"})
    clock.now_s += 1.2
    assert graph.node("/camera_node").state == "active"
    clock.now_s += GONE_S - 1.1
    assert graph.node("/camera_node").state == "gone"
    assert "no report for" in nodes_html(graph.nodes())
    graph.report("/camera_node", 0, "ok", {"state": "inactive"})
    assert graph.node("/camera_node").state == "inactive"


def test_a_port_that_is_taken_is_followed_by_the_next_free_one():
    with bound_socket("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with bound_socket("127.0.0.1", port) as second:
            assert port < second.getsockname()[1] <= port + 50


@pytest.mark.parametrize("host", ["no such host", "256.1.1.1", "192.0.2.1"])
def test_a_host_that_is_none_of_this_machine_is_one_line(host):
    with pytest.raises(ConfigurationError, match=f"^host {host}") as caught:
        bound_socket(host, 0)
    assert "\n" not in str(caught.value)


def test_loopback_is_bound_where_it_is_named():
    with bound_socket("localhost", 0) as listening:
        assert listening.getsockname()[0] in ("127.0.0.1", "::1")
        assert listening.type == socket.SOCK_STREAM
