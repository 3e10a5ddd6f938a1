# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The nodes as processes, and a probe that listens to what they say of themselves."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ModelFileError

ROOT = Path(__file__).resolve().parents[2]
START_S, END_S = 30.0, 2.0
NODES = ("camera_node", "face_detection_node", "emotion_classifier_node", "overlay_node")
COMPOSED = "emotion_perception_composed"


def arguments(*parameters, remap=""):
    rules = [word for rule in remap.split() for word in ("-r", rule)]
    return ["--ros-args", *(word for parameter in parameters for word in ("-p", parameter)), *rules]


def start(node, *parameters, options=(), remap=""):
    command = [sys.executable, ROOT / "scripts" / node, *options, *arguments(*parameters, remap=remap)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")


def run(node, *parameters):
    command = [sys.executable, ROOT / "scripts" / node, *arguments(*parameters)]
    return subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=START_S)


def installed(program):
    """Returns the path of an installed program."""
    from ament_index_python.packages import get_package_prefix

    return Path(get_package_prefix("emotion_perception"), "lib", "emotion_perception", program)


def lines_of(text):
    """Returns the lines that a program printed, without those of Fast DDS about what a killed neighbor left behind."""
    return [line for line in text.strip().splitlines() if "RTPS_" not in line]


def needs_detector():
    try:
        resolve_model_file(DetectorOptions.detector)
    except ModelFileError as e:
        pytest.skip(f"the real detector is needed: {e}")


class Probe:
    """Listens to a process's node from this one.

    Attributes:
        statuses: full name of a node -> its last entry of /diagnostics.
    """

    def __init__(self, process):
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.executors import SingleThreadedExecutor

        self._process, self.statuses = process, {}
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=int(os.environ["ROS_DOMAIN_ID"]))
        self.node = rclpy.create_node("probe", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._remember, 10)

    def _remember(self, message):
        from emotion_perception.ros.diagnostics import node_of_status

        self.statuses.update({node_of_status(entry.name): entry for entry in message.status})

    def value(self, name, key):
        """Returns what a node's last entry says under a key, None before the first."""
        entry = self.statuses.get(f"/{name}")
        return {value.key: value.value for value in entry.values}.get(key) if entry else None

    def wait(self, condition, complaint):
        """Waits for a condition; fails at once where the process has ended."""
        deadline_s = time.monotonic() + START_S
        while not condition():
            assert self._process.poll() is None, self._process.communicate()[0]
            assert time.monotonic() < deadline_s, f"{complaint}: {self.statuses}"
            self._executor.spin_once(timeout_sec=0.1)

    def spin(self):
        """Runs what is ready; messages that cannot be read are lost."""
        with contextlib.suppress(Exception):
            self._executor.spin_once(timeout_sec=0.02)

    def wait_for_active(self, name):
        self.wait(lambda: self.value(name, "state") == "active", f"{name} did not become active")

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.try_shutdown()


def wait_for_node(name, process):
    """Waits until a node of that name is active, as its /diagnostics say; fails at once where its process has ended."""
    with contextlib.closing(Probe(process)) as probe:
        probe.wait_for_active(name)
