# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What another participant of the domain can do to the programs: names of types, values of /clock, torn messages."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from bag_files import write_bag
from node_processes import NODES, ROOT, START_S, Probe, needs_detector, start
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image

from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.io.recording import Recording
from emotion_perception.ros.transport.image_messages import bgr_to_image
from emotion_perception.ros.transport.message_types import message_class

pytestmark = pytest.mark.slow

NO_TEXT = r"sensor_msgs/msg/\xff"
HOSTILE_TYPES = [
    "unittest/__main__/X",
    "antigravity/msg/X",
    "trap/msg/X",
    "trap/msg/Trap",
    "X",
    "a/b/c/d",
    "../../trap/msg/X",
    "/",
    "sensor_msgs/srv/SetCameraInfo",
    "std_msgs/msg/" + "X" * 200,
    "std_msgs/msg/" + "X" * 100_000,
    r"a/msg/\x1b[31m\nX",
]


@pytest.fixture
def neighbor():
    """A function that starts a participant with publishers of a topic that have these types, and waits for them."""
    with contextlib.ExitStack() as processes:

        def start_neighbor(topic, *kinds):
            command = [sys.executable, ROOT / "test" / "helpers" / "hostile_participant.py", topic, *kinds]
            # no shared memory, as it stays behind when the process is killed
            environment = {name: value for name, value in os.environ.items() if "DEFAULT_PROFILES_FILE" not in name}
            environment["FASTDDS_BUILTIN_TRANSPORTS"] = "UDPv4"
            popen = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
            process = processes.enter_context(popen)
            processes.callback(process.kill)
            assert "up\n" in iter(process.stdout.readline, ""), "the neighbor has ended"

        yield start_neighbor


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A file that is there once anything of the trap was imported or opened."""
    path, package = tmp_path / "sprung", tmp_path / "modules" / "trap"
    (package / "msg").mkdir(parents=True)
    code = f"open({str(path)!r}, 'a').write(__name__)\nclass X: pass\nTrap = X\n"
    (package / "__init__.py").write_text(code)
    (package / "msg" / "__init__.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", f"{package.parent}:{os.environ.get('PYTHONPATH', '')}")
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho browser >> '{path}'\n")
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    return path


@contextlib.contextmanager
def running(program, *parameters):
    process = start(program, *parameters)
    try:
        with contextlib.closing(Probe(process)) as probe:
            yield process, probe
    finally:
        process.kill()
        process.wait()


def end(process):
    """Ends a program as a user does; returns what it has printed."""
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=START_S)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    return output


def wait_for_output(process, probe, *texts):
    """Waits until a program has printed these; returns all that it has printed."""
    printed = []

    def is_there():
        while select.select([process.stdout], [], [], 0)[0] and (part := os.read(process.stdout.fileno(), 1 << 16)):
            printed.append(part.decode())
        return all(text in "".join(printed) for text in texts)

    probe.wait(is_there, f"it does not print {texts}")
    return "".join(printed)


def picture():
    return bgr_to_image(np.zeros((48, 64, 3), np.uint8), Image().header)


@pytest.mark.guarantee(
    "The name of a type that another participant sends is looked up among the installed message types, never imported.",
    section="Recording and replay",
)
@pytest.mark.guarantee(
    "A topic whose type is not installed is one warning, and the other topics are recorded.",
    section="Recording and replay",
)
def test_types_that_others_name_are_not_imported_and_the_recorder_goes_on(neighbor, trap, tmp_path):
    neighbor("image_raw", *HOSTILE_TYPES)
    neighbor("place", NO_TEXT)
    with running("bag_recorder", f"bag:={tmp_path / 'made'}", "topics:=[image_raw, place, picture]") as (
        process,
        probe,
    ):
        publishers = [probe.node.create_publisher(Image, topic, 10) for topic in ("image_raw", "picture")]
        for publisher in publishers:
            probe.wait(publisher.get_subscription_count, f"{publisher.topic_name} is not recorded")
            publisher.publish(picture())
        output = wait_for_output(process, probe, "[bag_recorder]: /image_raw ", "[bag_recorder]: /place ")
        output += end(process)
    assert not trap.exists(), trap.read_text()
    warnings = [line for line in output.splitlines() if "[WARN]" in line]
    assert len([line for line in warnings if ": /image_raw " in line]) == 1, output
    assert len([line for line in warnings if ": /place cannot be recorded: the type of a publisher" in line]) == 1, (
        output
    )
    assert "\x1b" not in output
    with Recording(tmp_path / "made") as recording:
        assert {topic.name: (topic.type, topic.count) for topic in recording.topics} == {
            "/image_raw": ("sensor_msgs/msg/Image", 1),
            "/picture": ("sensor_msgs/msg/Image", 1),
        }


def test_a_publisher_of_another_installed_type_is_named(neighbor, tmp_path):
    with running("bag_recorder", f"bag:={tmp_path / 'made'}", "topics:=[image_raw]") as (process, probe):
        publisher = probe.node.create_publisher(Image, "image_raw", 10)
        probe.wait(publisher.get_subscription_count, "it is not recorded")
        neighbor("image_raw", "geometry_msgs/msg/Point")
        probe.wait(lambda: probe.node.count_publishers("image_raw") == 2, "no neighbor")
        publisher.publish(picture())
        text = "/image_raw is recorded as sensor_msgs/msg/Image; publishers of other types are left out"
        wait_for_output(process, probe, text)
        assert "1 messages: /image_raw 1" in end(process)


@pytest.mark.parametrize(
    "name",
    [
        *HOSTILE_TYPES,
        "",
        "//",
        "std_msgs/msg/",
        "std_msgs/msg/Nothing",
        "std_msgs.msg/msg/Bool",
        "\uff53td_msgs/msg/Bool",
        "std_msgs/msg/Bool\n",
        "std_msgs/msg/_bool",
        "std_msgs/msg/Bool/../Bool",
        "std_msgs/msg/Bool" * 1_000_000,
        "\0",
    ],
    ids=lambda name: ascii(name[:30]),
)
def test_a_name_of_no_installed_message_has_no_class(name):
    assert message_class(name) is None


@pytest.mark.guarantee(
    "A publisher whose type name is not UTF-8 keeps no node from its images.", section="Fault injection"
)
def test_a_type_name_that_is_no_text_keeps_no_node_from_its_images(neighbor):
    neighbor("image_raw", NO_TEXT)
    with running("emotion_classifier_node") as (process, probe):
        probe.wait_for_active("emotion_classifier_node")
        publisher = probe.node.create_publisher(Image, "image_raw", 10)
        probe.wait(publisher.get_subscription_count, "the images have no subscriber")
        end(process)


def clock(seconds, nanoseconds=0):
    value = Clock()
    value.clock.sec, value.clock.nanosec = seconds, nanoseconds
    return serialize_message(value)


BAD_CLOCKS = {
    "before": clock(1000),
    "negative": clock(-1),
    "most negative": clock(-(2**31)),
    "too many nanoseconds": clock(1000, 2**32 - 1),
    "negative and too many": clock(-1, 2**32 - 1),
    "last": clock(2**31 - 1, 2**32 - 1),
    "backward": clock(5),
    "zero": clock(0),
    "torn": clock(1000)[:7],
    "empty": b"",
}


@pytest.mark.guarantee("No value on `/clock` ends a program that takes its time from it.", section="Fault injection")
@pytest.mark.parametrize("program", [*NODES, "bag_recorder", "bag_player"])
def test_no_value_of_the_clock_ends_a_program(program, tmp_path):
    if program == "face_detection_node":
        needs_detector()
    bag = write_bag(
        tmp_path / "bag", [np.zeros((48, 64, 3), np.uint8)] * 20, [1000 * NS + k * NS // 10 for k in range(20)]
    )
    more = {
        "camera_node": ["video_device:=synthetic"],
        "bag_recorder": [f"bag:={tmp_path / 'made'}", "topics:=[image_raw]"],
        "bag_player": [f"bag:={bag}", "loop:=true"],
    }
    with running(program, "use_sim_time:=true", *more.get(program, [])) as (process, probe):
        publisher = probe.node.create_publisher(Clock, "/clock", 10)
        probe.wait(publisher.get_subscription_count, "nobody listens to the clock")
        for name, value in BAD_CLOCKS.items():
            for _ in range(3):
                publisher.publish(value)
                probe.spin()
            assert process.poll() is None, f"{name}: {process.communicate()[0]}"
        deadline_s = time.monotonic() + 1.5  # a second's diagnostics under the last value
        while time.monotonic() < deadline_s:
            publisher.publish(BAD_CLOCKS["last"])
            probe.spin()
        if program == "bag_recorder":
            images = probe.node.create_publisher(Image, "image_raw", 10)
            probe.wait(images.get_subscription_count, "it is not recorded")
            images.publish(picture())
        output = end(process)
    assert program != "bag_recorder" or "1 messages: /image_raw 1" in output
