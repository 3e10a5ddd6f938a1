# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""bag_player on real DDS, with small recordings."""

import itertools
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from bag_files import camera_info, header, write_bag
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from emotion_perception.bags.io.messages import CAMERA_INFO, NS
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.errors import ConfigurationError, RecordingError
from emotion_perception.ros.nodes.bag_player import BagPlayer

COUNT, STEP_NS = 12, 50_000_000
STAMPS = [1_700_000_000 * NS + k * STEP_NS + 7 for k in range(COUNT)]
RECEIVED = [stamp + 3_000_000 for stamp in STAMPS]
DEEP = 1000


@pytest.fixture
def make_bag(tmp_path):
    """Returns a function that writes a recording of noise with a calibration beside it, and returns its path."""
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(COUNT)]
    infos = [
        ("/cam/camera_info", CAMERA_INFO, received + 1, camera_info(header(stamp), width=64, height=48))
        for stamp, received in zip(STAMPS, RECEIVED, strict=True)
    ]

    def make(*, compressed=False, **options):
        topic = "/cam/image_raw/compressed" if compressed else "/cam/image_raw"
        options = {"topic": topic, "extra": infos, "received_ns": RECEIVED, **options}
        return write_bag(tmp_path / "bag", images, STAMPS, compressed=compressed, **options)

    return make


def recorded(bag, topic):
    with Recording(bag) as recording:
        return [entry.raw for entry in recording.messages([topic])]


def wait_for_end(graph, running):
    graph.wait(lambda: running.code is not None, "the player does not end")
    return running.code


def ends_of_rounds(clocks):
    """Returns each time after which the clock went back."""
    now_ns = times_ns(clocks)
    return [before for before, after in itertools.pairwise(now_ns) if after < before]


def times_ns(clocks):
    return [message.clock.sec * NS + message.clock.nanosec for message in clocks]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
@pytest.mark.parametrize("compressed", [False, True], ids=["raw", "compressed"])
def test_every_message_comes_as_it_was_recorded(graph, make_bag, storage, compressed):
    bag = make_bag(storage=storage, compressed=compressed)
    ending = "/compressed" if compressed else ""
    images = graph.listen(CompressedImage if compressed else Image, f"image_raw{ending}", DEEP, raw=True)
    infos = graph.listen(CameraInfo, "camera_info", DEEP, raw=True)
    running = graph.run(BagPlayer, bag=str(bag), rate=5.0)
    assert wait_for_end(graph, running) == 0
    graph.wait_for(images, COUNT)
    graph.wait_for(infos, COUNT)
    assert images == recorded(bag, f"/cam/image_raw{ending}")
    assert infos == recorded(bag, "/cam/camera_info")
    assert set(running.node.published.values()) == {COUNT}


@pytest.mark.parametrize("storage", ["mcap", "sqlite3_without_definitions"])
def test_the_images_of_a_recording_of_the_first_types_are_played(graph, storage):
    bag = Path(__file__).parents[2] / "data" / "bag_of_first_types" / storage
    images = graph.listen(CompressedImage, "image_raw/compressed", DEEP, raw=True)
    running = graph.run(BagPlayer, bag=str(bag), rate=5.0)
    assert wait_for_end(graph, running) == 0
    graph.wait_for(images, 5)
    assert images == recorded(bag, "/image_raw/compressed")


def test_the_topic_follows_the_name_that_the_images_are_remapped_to(graph, make_bag):
    images = graph.listen(CompressedImage, "/front/picture/compressed", DEEP)
    bag = make_bag(compressed=True)
    graph.run(BagPlayer, bag=str(bag), rate=20.0, remappings=[("image_raw", "/front/picture")])
    graph.wait_for(images, COUNT)


def test_the_clock_goes_forward_and_spans_the_recording(graph, make_bag):
    clocks, images = graph.listen(Clock, "/clock", DEEP), graph.listen(Image, "image_raw", DEEP)
    running = graph.run(BagPlayer, bag=str(make_bag()), rate=0.5)
    assert wait_for_end(graph, running) == 0
    graph.wait_for(images, COUNT)
    graph.wait(lambda: times_ns(clocks)[-1] >= RECEIVED[-1], "the clock does not reach the end")
    now_ns = times_ns(clocks)
    assert RECEIVED[0] <= now_ns[0] < RECEIVED[1]
    assert now_ns == sorted(now_ns)
    assert now_ns[-1] < RECEIVED[-1] + NS
    assert len(set(now_ns)) > 3 * COUNT  # between the messages too
    assert max(np.diff(now_ns)) < 4 * STEP_NS


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_messages_come_at_the_rate(graph, make_bag, rate):
    graph.listen(Image, "image_raw", DEEP)
    begun_s = time.monotonic()
    assert wait_for_end(graph, graph.run(BagPlayer, bag=str(make_bag()), rate=rate)) == 0
    assert time.monotonic() - begun_s >= (RECEIVED[-1] - RECEIVED[0]) / NS / rate


def test_looping_jumps_back_and_goes_on_until_it_is_stopped(graph, make_bag):
    clocks, images = graph.listen(Clock, "/clock", DEEP), graph.listen(Image, "image_raw", DEEP, raw=True)
    bag = make_bag()
    running = graph.run(BagPlayer, bag=str(bag), rate=5.0, loop=True)
    graph.wait(lambda: len(images) >= 2 * COUNT and len(ends_of_rounds(clocks)) >= 2, "it does not begin again")
    assert running.stop() == 0
    assert images[: 2 * COUNT] == recorded(bag, "/cam/image_raw") * 2
    assert min(ends_of_rounds(clocks)) >= RECEIVED[-1]


def test_it_begins_when_there_are_enough_subscribers(graph, make_bag):
    clocks, first = graph.listen(Clock, "/clock", DEEP), graph.listen(Image, "image_raw", DEEP)
    running = graph.run(BagPlayer, bag=str(make_bag()), rate=5.0, subscribers=2)
    graph.wait_for(clocks, 20)
    assert set(times_ns(clocks)) == {RECEIVED[0]}, "the clock stands at the beginning"
    assert (first, running.code) == ([], None)
    second = graph.listen(Image, "image_raw", DEEP)
    graph.wait_for(first, COUNT)
    graph.wait_for(second, COUNT)


def test_it_does_not_wait_for_ever(graph, make_bag, capfd):
    running = graph.run(BagPlayer, bag=str(make_bag()), rate=20.0, wait_for_subscribers_s=0.2)
    assert wait_for_end(graph, running) == 0
    assert running.node.published["/cam/image_raw"] == COUNT
    assert "/image_raw has 0 of 1 subscribers, starting anyway" in capfd.readouterr().err


def test_the_summary_has_the_counts(graph, make_bag, capfd):
    graph.listen(Image, "image_raw", DEEP)
    wait_for_end(graph, graph.run(BagPlayer, bag=str(make_bag()), rate=5.0))
    lines = [line for line in capfd.readouterr().err.splitlines() if "in the bag" in line]
    assert len(lines) == 1
    assert f"/cam/image_raw: {COUNT} in the bag, {COUNT} published" in lines[0]
    assert "images late" in lines[0]


def test_of_a_recording_that_is_cut_short_everything_before_is_played(graph, make_bag, capfd):
    bag = make_bag()
    (file,) = bag.glob("*.mcap")
    whole = recorded(bag, "/cam/image_raw")
    (bag / "metadata.yaml").unlink()
    file.write_bytes(file.read_bytes()[:-200])
    images = graph.listen(Image, "image_raw", DEEP, raw=True)
    assert wait_for_end(graph, graph.run(BagPlayer, bag=str(bag), rate=5.0)) == 0
    graph.wait_for(images)
    assert images == whole[: len(images)]
    assert "truncated" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("parameters", "error", "line"),
    [
        ({"bag": ""}, ConfigurationError, "bag is empty"),
        ({"bag": "/no/such"}, RecordingError, "/no/such: no such file or folder"),
        ({"topic": "/other"}, RecordingError, "has no image topic /other; image topics: /cam/image_raw"),
        ({"rate": 0.0}, ConfigurationError, "rate"),
        ({"rate": 101.0}, ConfigurationError, "rate"),
    ],
)
def test_what_cannot_be_played_is_one_clear_line(graph, make_bag, parameters, error, line):
    with pytest.raises(error, match=line) as caught:
        graph.run(BagPlayer, **{"bag": str(make_bag()), **parameters})
    assert "\n" not in str(caught.value)


@pytest.mark.guarantee(
    "A folder of several recordings is never read as one: label-bag, image-topic and bag_player name those in it.",
    section="Recording and replay",
)
def test_a_folder_of_several_recordings_is_not_played_as_one(graph, make_bag, tmp_path):
    file = next(make_bag().glob("*.mcap"))
    for name in ("front.mcap", "rear.mcap"):
        (tmp_path / "several").mkdir(exist_ok=True)
        shutil.copy(file, tmp_path / "several" / name)
    with pytest.raises(RecordingError, match="give the path of one: front.mcap, rear.mcap"):
        graph.run(BagPlayer, bag=str(tmp_path / "several"))
