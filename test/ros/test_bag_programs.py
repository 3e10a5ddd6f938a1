# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""bag_player and bag_recorder as people start them: processes, signals, exit codes, and a kill."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rclpy
from bag_files import header, image, write_bag
from geometry_msgs.msg import Point
from node_processes import lines_of
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image

from emotion_perception.bags.io.messages import IMAGE, NS
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.errors import RecordingError
from emotion_perception.ros.transport.image_messages import bgr_to_image

ROOT = Path(__file__).resolve().parents[2]
START_S, END_S = 30.0, 2.0
PROGRAMS = ("bag_player", "bag_recorder")


def command(program, *parameters):
    words = [word for parameter in parameters for word in ("-p", parameter)]
    return [sys.executable, ROOT / "scripts" / program, "--ros-args", *words]


@contextlib.contextmanager
def started(program, *parameters):
    """A program that runs meanwhile."""
    process = subprocess.Popen(
        command(program, *parameters), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/"
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class Probe:
    """A node of this process."""

    def __init__(self):
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=int(os.environ["ROS_DOMAIN_ID"]))
        self.node = rclpy.create_node("probe", context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)

    def wait(self, condition, complaint):
        deadline_s = time.monotonic() + START_S
        while not condition():
            assert time.monotonic() < deadline_s, complaint
            self._executor.spin_once(timeout_sec=0.05)

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()


@pytest.fixture
def probe(ros_domain):
    with contextlib.closing(Probe()) as probe:
        yield probe


@pytest.fixture
def bag(tmp_path):
    images = [np.full((48, 64, 3), 20 * k, np.uint8) for k in range(10)]
    return write_bag(tmp_path / "bag", images, [1000 * NS + k * NS // 10 for k in range(10)])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_player_within_two_seconds_without_noise(probe, bag, number):
    images = []
    probe.node.create_subscription(Image, "image_raw", images.append, 10)
    with started("bag_player", f"bag:={bag}", "loop:=true") as process:
        probe.wait(lambda: len(images) > 12, "no images")
        process.send_signal(number)
        output, _ = process.communicate(timeout=END_S)
    assert process.returncode == 0, output
    assert "10 in the bag" in output
    assert "Traceback" not in output


@pytest.mark.guarantee(
    "A loop over a recording of a single moment is played ten times a second at most.", section="Programs"
)
def test_a_loop_over_a_single_moment_does_not_publish_as_fast_as_it_can(probe, tmp_path):
    moment = write_bag(tmp_path / "moment", [np.zeros((48, 64, 3), np.uint8)], [1000 * NS])
    times_s = []
    probe.node.create_subscription(Image, "image_raw", lambda _: times_s.append(time.monotonic()), 10)
    with started("bag_player", f"bag:={moment}", "loop:=true") as process:
        probe.wait(lambda: len(times_s) > 5, "no images")
        started_s = times_s[0] - 1.0  # the first image may have waited for this process
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=END_S)
        rounds = int(re.search(r"in (\d+) rounds", output)[1])
        assert rounds <= 10 * (time.monotonic() - started_s) + 1


@pytest.mark.guarantee(
    "Signals that come while another one is handled end a process as a single one does.", section="Programs"
)
def test_a_burst_of_signals_ends_a_program_as_a_single_one_does(probe, bag):
    images = []
    probe.node.create_subscription(Image, "image_raw", images.append, 10)
    with started("bag_player", f"bag:={bag}", "loop:=true") as process:
        probe.wait(lambda: len(images) > 3, "no images")
        for _ in range(2000):
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=END_S)
    assert "Traceback" not in output
    assert process.returncode == 0, output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_the_recorder_within_two_seconds_with_a_whole_recording(probe, tmp_path, number):
    publisher = probe.node.create_publisher(Image, "image_raw", 10)
    with started("bag_recorder", f"bag:={tmp_path / 'made'}", "topics:=[image_raw, /image_raw]") as process:
        probe.wait(publisher.get_subscription_count, "the recorder does not listen")
        publisher.publish(bgr_to_image(np.zeros((48, 64, 3), np.uint8), Image().header))
        process.send_signal(number)
        output, _ = process.communicate(timeout=END_S)
    assert process.returncode == 0, output
    assert "1 messages: /image_raw 1; lost: none" in output
    assert "Traceback" not in output
    with Recording(tmp_path / "made") as recording:
        assert recording.problems == []
        assert [topic.count for topic in recording.topics] == [1]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_signal_before_it_has_begun_ends_it_too(program, bag, tmp_path):
    # nobody subscribes, nobody publishes
    path = bag if program == "bag_player" else tmp_path / "made"
    with started(program, f"bag:={path}") as process:
        if program == "bag_recorder":
            assert "recording" in process.stdout.readline()
        else:
            wait_until_it_answers(process)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=END_S)
    assert process.returncode == 0, output
    assert "Traceback" not in output


@pytest.mark.guarantee(
    "A program whose standard streams are closed writes nothing into its sockets.", section="Programs"
)
def test_closed_standard_streams_are_not_taken_by_sockets(probe, bag):
    words = command("bag_player", f"bag:={bag}", "loop:=true")
    process = subprocess.Popen(["sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh", *words], cwd="/")
    try:
        images = []
        probe.node.create_subscription(Image, "image_raw", images.append, 10)
        probe.wait(lambda: images, "no images")
        assert {os.readlink(f"/proc/{process.pid}/fd/{stream}") for stream in range(3)} == {os.devnull}
    finally:
        process.kill()
        process.wait()


def wait_until_it_answers(process):
    """Waits until the player's clock is heard."""
    from rosgraph_msgs.msg import Clock

    with contextlib.closing(Probe()) as probe:
        clocks = []
        probe.node.create_subscription(Clock, "/clock", clocks.append, 10)
        probe.wait(lambda: clocks or process.poll() is not None, "no clock")


@pytest.mark.parametrize(
    ("program", "parameters", "line"),
    [
        ("bag_player", [], "bag is empty"),
        ("bag_player", ["bag:=/no/such"], "/no/such: no such file or folder"),
        ("bag_player", ["bag:={tmp}"], "has no .mcap or .db3 file"),
        ("bag_player", ["bag:={tmp}/torn.mcap"], "torn.mcap: nothing of this recording can be read"),
        ("bag_player", ["bag:={bag}", "rate:=0.0"], "rate"),
        ("bag_player", ["bag:={bag}", "topic:=/other"], "has no image topic /other"),
        ("bag_recorder", [], "bag is empty"),
        ("bag_recorder", ["bag:={bag}"], "exists already"),
        ("bag_recorder", ["bag:={tmp}/new", "storage:=tape"], "'tape' is none of mcap, sqlite3"),
        ("bag_recorder", ["bag:={tmp}/new", "topics:=4"], "topics"),
        ("bag_recorder", ["bag:={tmp}/new", "topics:=[]"], "parameter topics is empty"),
    ],
)
def test_what_cannot_work_is_one_clear_line_and_exit_code_78(bag, tmp_path, program, parameters, line):
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "torn.mcap").write_bytes(b"\x89MCAP0\r\n" + bytes(50))
    place = folder if "torn" in "".join(parameters) or "new" in "".join(parameters) else tmp_path / "nothing"
    place.mkdir(exist_ok=True)
    filled = [parameter.format(tmp=place, bag=bag) for parameter in parameters]
    ended = subprocess.run(command(program, *filled), capture_output=True, text=True, cwd="/", timeout=START_S)
    lines = lines_of(ended.stdout + ended.stderr)
    assert ended.returncode == 78, lines
    assert len(lines) == 1, lines
    assert line in lines[0]


def test_of_several_cameras_the_player_names_the_parameter_that_chooses_one(tmp_path):
    image_bgr = np.zeros((48, 64, 3), np.uint8)
    rear = [("/rear/image_raw", IMAGE, 1000 * NS, image(image_bgr, header(1000 * NS)))]
    path = write_bag(tmp_path / "two", [image_bgr], [1000 * NS], topic="/front/image_raw", extra=rear)
    ended = subprocess.run(command("bag_player", f"bag:={path}"), capture_output=True, text=True, timeout=START_S)
    assert ended.returncode == 78
    assert "several image topics, name one with topic:=TOPIC: /front/image_raw, /rear/image_raw" in ended.stderr


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_recorder_that_is_killed_leaves_what_it_wrote(probe, tmp_path, storage):
    publisher = probe.node.create_publisher(Point, "place", 100)
    path, sent = tmp_path / "made", []

    def published_and_readable():
        """Publishes one more, and tells whether ten can be read."""
        sent.append(float(len(sent)))
        publisher.publish(Point(x=sent[-1]))
        return len(read(path)) >= 10

    with started("bag_recorder", f"bag:={path}", f"storage:={storage}", "topics:=[place]") as process:
        probe.wait(publisher.get_subscription_count, "the recorder does not listen")
        probe.wait(published_and_readable, "nothing can be read while it records")
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=END_S)
    assert not (path / "metadata.yaml").exists()
    kept = read(path)
    assert len(kept) >= 10
    assert kept == sent[: len(kept)]


def read(path):
    """Returns the numbers that a recording without its end holds."""
    from rclpy.serialization import deserialize_message

    try:
        with Recording(path) as recording:
            return [deserialize_message(entry.raw, Point).x for entry in recording.messages(["/place"])]
    except RecordingError:
        return []
