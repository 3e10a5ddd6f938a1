"""A camera on another computer: two network namespaces, between them a link that is slow and loses packets."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
DELAY_S, LOSS, SEED = 0.02, 0.01, 5
SIZE_WH, RATE_HZ, FRAMES = (320, 240), 8, 16
START_S, FRAMES_S, END_S = 30.0, 20.0, 3.0
PROFILE_NAMES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")

# Prints a line for each picture that comes over the subscription that the nodes have.
RECEIVER = """
import sys
from emotion_perception.core.config import DetectionConfig
from emotion_perception.ros.conversions import stamp_ns
from emotion_perception.ros.images import image_to_bgr
from emotion_perception.ros.node import PerceptionNode, run_node
from emotion_perception.ros.subscriptions import ImageSubscription

class Receiver(PerceptionNode[DetectionConfig]):
    def __init__(self):
        super().__init__("receiver", DetectionConfig)

    def start(self):
        transport = self.config.image_transport
        self.images = ImageSubscription(self, self.tell, depth=5, reliability="auto", transport=transport)

    def tell(self, message):
        print(stamp_ns(message.header), image_to_bgr(message).shape, flush=True)

    def stop(self):
        self.images.close()

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

    def __init__(self, folder):
        self._folder, self._processes = folder, []
        command = [sys.executable, Path(__file__).with_name("tun_relay.py"), str(DELAY_S), str(LOSS), str(SEED)]
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
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture
def link(tmp_path):
    """A link of 20 ms that loses one packet in a hundred; skipped where this machine cannot make one."""
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
    with contextlib.closing(Link(tmp_path)) as link:
        yield link


@pytest.fixture
def clip(tmp_path):
    """A video of a textured scene that moves, as finely structured as a photograph."""
    path = tmp_path / "scene.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE_HZ, SIZE_WH)
    rng = np.random.default_rng(0)
    coarse = cv2.resize(rng.integers(0, 256, (12, 16, 3), np.uint8), SIZE_WH, interpolation=cv2.INTER_CUBIC)
    scene = np.clip(coarse + rng.normal(0, 4, coarse.shape), 0, 255).astype(np.uint8)
    for number in range(24):
        writer.write(np.roll(scene, 5 * number, axis=1))
    writer.release()
    return path


def stamps(output):
    """Returns the stamps that a program has printed, each at the beginning of a line; others are log lines."""
    whole = output.read_text().rpartition("\n")[0]
    return [int(line.split()[0]) for line in whole.splitlines() if line[:1].isdigit()]


def receive(link, transport):
    """Receives pictures on the far side; returns their stamps and the bytes that the link carried for each."""
    process, output = link.run(transport, 1, "-c", RECEIVER, "--ros-args", "-p", f"image_transport:={transport}")
    wait_for(lambda: len(stamps(output)) >= 3, START_S, output)
    begun, seen = link.counts(), len(stamps(output))
    wait_for(lambda: len(stamps(output)) >= seen + FRAMES, FRAMES_S, output)
    carried, received = link.counts()["bytes"] - begun["bytes"], len(stamps(output)) - seen
    end(process)
    assert process.returncode == 0, output.read_text()
    assert f" ({SIZE_WH[1]}, {SIZE_WH[0]}, 3)" in output.read_text()
    return stamps(output), carried / received


def wait_for(condition, timeout_s, output):
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"waited in vain: {output.read_text()}"
        time.sleep(0.05)


def test_a_camera_elsewhere_gives_the_same_stamps_and_its_compressed_pictures_need_a_fifth_of_the_link(link, clip):
    parameters = {"video_device": clip, "framerate": float(RATE_HZ), "image_width": 0, "image_height": 0}
    words = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
    link.run("camera", 0, str(ROOT / "scripts" / "camera_node"), "--ros-args", *words)
    _, witness = link.run("witness", 0, "-c", WITNESS)
    wait_for(lambda: len(stamps(witness)) > 1, START_S, witness)
    per_frame, share = {}, {}
    for transport in ("compressed", "raw"):
        received, per_frame[transport] = receive(link, transport)
        assert received == sorted(set(received)), "in order, none twice"
        wait_for(lambda received=received: set(received) <= set(stamps(witness)), FRAMES_S, witness)  # equal stamps
        share[transport] = len(received) / sum(received[0] <= stamp <= received[-1] for stamp in stamps(witness))
    counts = link.counts()
    print(f"link of {DELAY_S * 1000:.0f} ms, {counts['lost']} packets lost: {SIZE_WH[0]}x{SIZE_WH[1]} at {RATE_HZ} Hz")
    for transport, size in per_frame.items():
        speed = size * RATE_HZ * share[transport] / 1000
        print(
            f"{transport:10s} {size:8.0f} bytes a frame, {speed:7.1f} kB/s, {share[transport]:.0%} of the frames came"
        )
    assert counts["lost"] > 0
    assert per_frame["raw"] >= 5 * per_frame["compressed"]
