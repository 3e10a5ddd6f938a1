#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Prints a line when a face shows happiness: how another node uses `emotions`, with only this package's messages."""

import rclpy
from rclpy.executors import ExternalShutdownException

from emotion_perception.msg import EmotionArray


def greet(message: EmotionArray) -> None:
    """Prints a line for every face whose prediction is happiness, not uncertain, and not older than half a second."""
    for emotion in message.faces:
        if emotion.label == "happiness" and not emotion.uncertain and emotion.prediction_age_s < 0.5:
            track = emotion.face.track_id
            print(f"track {track} smiles ({emotion.score:.0%}, image {message.age_ms:.0f} ms old)", flush=True)


def main() -> None:
    """Subscribes to `emotions` until Ctrl-C."""
    rclpy.init()
    node = rclpy.create_node("greeter")
    node.create_subscription(EmotionArray, "emotions", greet, 5)
    while rclpy.ok():
        try:
            rclpy.spin(node)
        except (KeyboardInterrupt, ExternalShutdownException):
            break
        except Exception as e:  # noqa: BLE001 - e.g. bytes that are no EmotionArray; only that message is lost
            node.get_logger().warning(f"a message was lost: {e}", throttle_duration_sec=5.0)
    node.destroy_node()


if __name__ == "__main__":
    main()
