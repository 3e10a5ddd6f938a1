# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures the lower bound of every latency: a plain rclpy publisher and a subscription in another process."""

import contextlib
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from emotion_perception.ros import qos
from emotion_perception.ros.conversions import stamp_ns
from emotion_perception.ros.executor import FaultTolerantExecutor
from emotion_perception.ros.lifecycle_node import STEADY_CLOCK
from emotion_perception.ros.transport.image_messages import bgr_to_image

_DEPTH = 5
_START_S = 20.0


class FloorPublisher(Node):
    """Publishes a black image at a fixed rate."""

    def __init__(self, width: int, height: int, rate: float) -> None:
        super().__init__("floor_publisher")
        self._image = np.zeros((height, width, 3), np.uint8)
        self._publisher = self.create_publisher(Image, "image_raw", qos.image_publisher(_DEPTH))
        self.create_timer(1 / rate, self._publish, clock=STEADY_CLOCK)

    def _publish(self) -> None:
        header = Header(stamp=self.get_clock().now().to_msg())
        if self._publisher.get_subscription_count():
            self._publisher.publish(bgr_to_image(self._image, header))


class FloorListener(Node):
    """Records arrival minus stamp of every image."""

    def __init__(self) -> None:
        super().__init__("floor_listener")
        self.latencies_ms: list[float] = []
        self.create_subscription(Image, "image_raw", self._on_image, qos.image_subscription(_DEPTH, reliable=True))

    def _on_image(self, message: Image) -> None:
        self.latencies_ms.append((time.time_ns() - stamp_ns(message.header)) * 1e-6)


def measure_floor(size_wh: tuple[int, int], rate: float, seconds: float, stop: threading.Event) -> list[float]:
    """Returns arrival minus stamp, in ms, of every image from another process.

    Args:
        size_wh: width and height of the images in pixels.
        rate: images per second.
        seconds: duration.
        stop: ends the measurement.
    """
    command = [sys.executable, "-m", __spec__.name, *map(str, (*size_wh, rate))]
    listener = FloorListener()
    executor = FaultTolerantExecutor(listener)
    with subprocess.Popen(command) as publisher:
        deadline_s = time.monotonic() + _START_S + seconds
        while len(listener.latencies_ms) < seconds * rate and time.monotonic() < deadline_s and not stop.is_set():
            executor.spin_once(timeout_sec=0.1)
        publisher.send_signal(signal.SIGINT)
    executor.shutdown()
    listener.destroy_node()
    return listener.latencies_ms


def main() -> int:
    """Publishes until it is interrupted; WIDTH HEIGHT RATE are its arguments."""
    width, height, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    rclpy.init(args=[])
    node = FloorPublisher(width, height, rate)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        FaultTolerantExecutor(node).spin()
    return 0


if __name__ == "__main__":
    sys.exit(main())
