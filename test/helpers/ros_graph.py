# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A small ROS graph in this process: real nodes, real DDS, a domain of its own."""

import threading
import time

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_msgs.msg import Header

from emotion_perception.core.types import Box, Face
from emotion_perception.ros.transport.image_messages import bgr_to_compressed, bgr_to_image, image_to_bgr

WAIT_S = 10.0


class RunningNode:
    """A one-shot node (bag_player, bag_recorder) that runs in a thread of its own.

    Attributes:
        node: the node.
        code: what `run` has returned, None before.
    """

    def __init__(self, node):
        self.node, self.code = node, None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        self.code = self.node.run(self._stop)

    def stop(self):
        """Ends it as a signal would; returns its code."""
        self._stop.set()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        return self.code

    def close(self):
        self.stop()
        self.node.close()


class Graph:
    """Holds nodes under test and one probe that talks with them; everything runs while it waits."""

    def __init__(self, domain):
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.probe = self._add(rclpy.create_node("probe", context=self.context))
        self._lifecycle_nodes, self._running_nodes = [], []

    def run(self, node_type, *, remappings=(), **parameters):
        """Makes a one-shot node and runs it beside the others."""
        options = self._options(parameters, remappings)
        self._running_nodes.append(RunningNode(node_type(**options)))
        return self._running_nodes[-1]

    def node(self, node_type, *, activate=True, parameters=(), remappings=(), **collaborators):
        """Makes a lifecycle node, configured and active."""
        node = node_type(**self._options(parameters, remappings), **collaborators)
        self._lifecycle_nodes.append(self._add(node))
        if activate:
            assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
            assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
        return node

    def listen(self, message_type, topic, qos=10, *, raw=False):
        """Returns a list that every message of a topic is appended to, as bytes where it is `raw`."""
        messages = []
        self.probe.create_subscription(message_type, topic, messages.append, qos, raw=raw)
        return messages

    def speak(self, message_type, topic, *, listeners=1, qos=10):
        """Returns a publisher that so many subscribers have found."""
        publisher = self.probe.create_publisher(message_type, topic, qos)
        self.wait(lambda: publisher.get_subscription_count() >= listeners, f"nobody listens to {topic}")
        return publisher

    def wait(self, condition, complaint="waited in vain"):
        """Lets the nodes run until the condition holds."""
        deadline_s = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline_s, complaint
            self.executor.spin_once(timeout_sec=0.02)

    def wait_for(self, messages, count=1):
        """Lets the nodes run until so many messages have come."""
        self.wait(lambda: len(messages) >= count, f"only {len(messages)} of {count} messages came")

    def let_run(self, seconds):
        """Lets the nodes run for a while, to see that something does not happen."""
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            self.executor.spin_once(timeout_sec=0.02)

    def close(self):
        for running in self._running_nodes:
            running.close()
        for node in self._lifecycle_nodes:
            node.on_shutdown(None)
        for node in (*self._lifecycle_nodes, self.probe):
            self.executor.remove_node(node)
            node.destroy_node()
        self.executor.shutdown()
        self.context.try_shutdown()

    def _options(self, parameters, remappings):
        arguments = [word for pair in remappings for word in ("-r", ":=".join(pair))]
        return {
            "context": self.context,
            "parameter_overrides": [Parameter(name, value=value) for name, value in dict(parameters).items()],
            "cli_args": ["--ros-args", *arguments] if arguments else None,
        }

    def _add(self, node):
        self.executor.add_node(node)
        return node


def header(number, frame_id="camera_optical_frame"):
    """Returns a header whose stamp is `number` tenths of a second after second 1000."""
    made = Header(frame_id=frame_id)
    made.stamp.sec, made.stamp.nanosec = 1000 + number // 10, number % 10 * 100_000_000 + 7
    return made


def image(number=0, *, width=64, height=48, value=128):
    """Returns an Image message."""
    return bgr_to_image(np.full((height, width, 3), value, np.uint8), header(number))


def compressed(number=0, **options):
    """Returns a CompressedImage message of the same image."""
    return bgr_to_compressed(image_to_bgr(image(number, **options)), header(number), 90)


class FakeDetector:
    """Finds one face in every image that is not black; a white one is too much for it."""

    name = "fake"

    def warm_up(self):
        pass

    def detect(self, image_bgr):
        if image_bgr.max() == 255:
            raise RuntimeError("too bright")
        return [Face(Box(10, 5, 50, 45), 0.9)] if image_bgr.any() else []

    def detect_region(self, image_bgr, region, size):
        return self.detect(image_bgr)
