# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A camera on another computer: two network namespaces, between them a link that is slow and loses packets.

    LINK="640x480 30 0.01" python -m pytest -s test/ros/test_remote_link.py -k measured

measures other images (size, frames a second, share of the packets lost) for ten seconds each way.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from processes import wait_or_kill

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
DELAY_S, SEED = 0.02, 5
START_S, END_S = 30.0, 10.0
PROFILE_NAMES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")

# Prints a line for each image that comes over the subscription that the nodes have.
RECEIVER = """
import sys
from emotion_perception.ros.config import DetectionNodeConfig
from emotion_perception.ros.conversions import stamp_ns
from emotion_perception.ros.transport.image_messages import image_to_bgr
from emotion_perception.ros.lifecycle_node import Behavior, PerceptionNode
from emotion_perception.ros.node_runner import run_node
from emotion_perception.ros.transport.subscriptions import ImageSubscription

class Receiver(PerceptionNode[DetectionNodeConfig]):
    def __init__(self):
        super().__init__("receiver", DetectionNodeConfig)

    def configure(self, resources):
        return Printing(self)

class Printing(Behavior):
    def __init__(self, node):
        self._node = node

    def activate(self, resources):
        transport = self._node.config.image_transport
        ImageSubscription(self._node, self.tell, resources, depth=5, reliability="auto", transport=transport)

    def tell(self, message):
        print(stamp_ns(message.header), image_to_bgr(message).shape, flush=True)

sys.exit(run_node(Receiver))
"""

# Prints the stamp of each frame, beside the camera.
WITNESS = """
import rclpy
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import CameraInfo
from emotion_perception.ros.conversions import stamp_ns
rclpy.init()
node = rclpy.create_node("witness")
node.create_subscription(CameraInfo, "camera_info", lambda info: print(stamp_ns(info.header), flush=True), 100)
try:
    rclpy.spin(node)
except (KeyboardInterrupt, ExternalShutdownException):
    pass
"""


class Link:
    """The relay of tun_relay.py and what runs in its two namespaces."""

    def __init__(self, folder, loss):
        self._folder, self._processes = folder, []
        command = [sys.executable, Path(__file__).with_name("tun_relay.py"), str(DELAY_S), str(loss), str(SEED)]
        self._relay = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        first = self._relay.stdout.readline()
        if not first:
            self._relay.wait()
            pytest.skip(f"no network namespaces here: {self._relay.stderr.read().strip().splitlines()[-1]}")
        self._namespaces = json.loads(first)

    def run(self, name, side, *command):
        """Starts a Python program on one side; returns the file of its output."""
        output = self._folder / name
        variables = {key: value for key, value in os.environ.items() if key not in PROFILE_NAMES}
        variables |= {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4", "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}
        enter = ["nsenter", f"--net={self._namespaces[side]}", sys.executable]
        with output.open("w") as file:
            process = subprocess.Popen([*enter, *command], env=variables, cwd=ROOT, stdout=file, stderr=file)
        self._processes.append(process)
        return process, output

    def counts(self):
        """Returns what the link has carried from the camera's side so far."""
        self._relay.stdin.write("\n")
        self._relay.stdin.flush()
        return json.loads(self._relay.stdout.readline())

    def close(self):
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            end(process)
        self._relay.stdin.close()  # ends it
        try:
            self._relay.wait(END_S)
        except subprocess.TimeoutExpired:
            self._relay.kill()
        self._relay.stdout.close()
        self._relay.stderr.close()


def end(process):
    process.terminate()
    wait_or_kill(process, END_S)


@pytest.fixture
def make_link(tmp_path):
    """Returns a function that makes a link of 20 ms; skips where this machine cannot make one."""
    missing = [
        words
        for words, is_there in (
            ("the right to make namespaces (root)", os.geteuid() == 0),
            ("/dev/net/tun", Path("/dev/net/tun").exists()),
            ("nsenter (util-linux)", shutil.which("nsenter")),
            ("Fast DDS", os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp") == "rmw_fastrtps_cpp"),
        )
        if not is_there
    ]
    if missing:
        pytest.skip(f"no link between two machines can be made here: no {', no '.join(missing)}")
    with contextlib.ExitStack() as stack:
        yield lambda loss: stack.enter_context(contextlib.closing(Link(tmp_path, loss)))


@dataclass(frozen=True)
class Images:
    """What the camera sends, and for how long it is measured."""

    width: int
    height: int
    rate_hz: int
    seconds: float

    def write_clip(self, path):
        """Writes a video of a scene that moves, as finely structured as a photograph."""
        wh = self.width, self.height
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), self.rate_hz, wh)
        rng = np.random.default_rng(0)
        coarse = cv2.resize(rng.integers(0, 256, (12, 16, 3), np.uint8), wh, interpolation=cv2.INTER_CUBIC)
        scene = np.clip(coarse + rng.normal(0, 4, coarse.shape), 0, 255).astype(np.uint8)
        for number in range(24):
            writer.write(np.roll(scene, 5 * number, axis=1))
        writer.release()
        return path


@dataclass(frozen=True)
class Measured:
    """What went over the link in a while."""

    published: int
    received: int
    bytes: int
    seconds: float

    @property
    def bytes_per_frame(self):
        return self.bytes / self.published

    def __str__(self):
        speed = self.bytes / self.seconds / 1000
        return (
            f"{self.received:4d} of {self.published:4d} came, {self.bytes_per_frame:9.0f} bytes each, {speed:8.1f} kB/s"
        )


def stamps(output):
    """Returns the stamps that a program has printed, each at the beginning of a line; others are log lines."""
    whole = output.read_text().rpartition("\n")[0]
    return [int(line.split()[0]) for line in whole.splitlines() if line[:1].isdigit()]


def wait_for(condition, output):
    deadline_s = time.monotonic() + START_S
    while not condition():
        assert time.monotonic() < deadline_s, f"waited in vain: {output.read_text()}"
        time.sleep(0.05)


def start_camera(link, images, folder):
    """Starts the camera node and a witness beside it; returns the witness's output."""
    parameters = {"video_device": images.write_clip(folder / "scene.avi"), "framerate": float(images.rate_hz)}
    parameters |= {"image_width": 0, "image_height": 0}
    words = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
    link.run("camera", 0, str(ROOT / "scripts" / "camera_node"), "--ros-args", *words)
    _, witness = link.run("witness", 0, "-c", WITNESS)
    wait_for(lambda: len(stamps(witness)) > 1, witness)
    return witness


def receive(link, images, transport, witness):
    """Receives images on the far side; checks their stamps and returns what went over the link."""
    before = link.counts()["bytes"]
    process, output = link.run(transport, 1, "-c", RECEIVER, "--ros-args", "-p", f"image_transport:={transport}")
    flooded = 10 * images.width * images.height * 3  # raw images may be sent for long before one is whole
    wait_for(lambda: stamps(output) or link.counts()["bytes"] - before > flooded, output)
    begun_s, sent, published, received = (time.monotonic(), link.counts(), len(stamps(witness)), len(stamps(output)))
    time.sleep(images.seconds)
    measured = Measured(
        published=len(stamps(witness)) - published,
        received=len(stamps(output)) - received,
        bytes=link.counts()["bytes"] - sent["bytes"],
        seconds=time.monotonic() - begun_s,
    )
    end(process)
    assert process.returncode == 0, output.read_text()
    told = stamps(output)
    assert told == sorted(set(told)), "in order, none twice"
    wait_for(lambda: set(told) <= set(stamps(witness)), witness)  # the stamps are those beside the camera
    return measured


@pytest.mark.guarantee(
    "Over a link with 20 ms delay and 1 % loss, compressed images arrive with a fraction of the bytes.",
    section="Fault injection",
)
def test_a_camera_elsewhere_gives_the_same_stamps_and_compressed_images_need_a_fifth_of_the_link(make_link, tmp_path):
    link, images = make_link(0.01), Images(160, 120, 8, seconds=4.0)
    witness = start_camera(link, images, tmp_path)
    measured = {}
    for transport in ("compressed", "raw"):
        measured[transport] = receive(link, images, transport, witness)
        print(f"{transport:10s} {measured[transport]}")
        assert measured[transport].received > 5
    assert link.counts()["lost"] > 0
    assert measured["raw"].bytes_per_frame >= 5 * measured["compressed"].bytes_per_frame


@pytest.mark.skipif("LINK" not in os.environ, reason="measures what LINK names, see the top of this file")
def test_what_other_images_need_is_measured(make_link, tmp_path):
    size, rate_hz, loss = os.environ["LINK"].split()
    width, height = map(int, size.split("x"))
    link, images = make_link(float(loss)), Images(width, height, int(rate_hz), seconds=10.0)
    witness = start_camera(link, images, tmp_path)
    for transport in ("compressed", "raw"):
        print(f"{os.environ['LINK']}: {transport:10s} {receive(link, images, transport, witness)}")
