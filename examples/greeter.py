#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Prints a line when a face shows happiness: how another node uses `emotions`, with only this package's messages."""

import rclpy
from rclpy.executors import ExternalShutdownException

from emotion_perception.msg import EmotionArray


def greet(message: EmotionArray) -> None:
    """Prints a line for every face whose prediction is happiness and not uncertain."""
    for emotion in message.faces:
        if emotion.label == "happiness" and not emotion.uncertain:
            track = emotion.face.track_id
            print(f"track {track} smiles ({emotion.score:.0%}, image {message.age_ms:.0f} ms old)", flush=True)


def main() -> None:
    """Subscribes to `emotions` until Ctrl-C."""
    rclpy.init()
    node = rclpy.create_node("greeter")
    node.create_subscription(EmotionArray, "emotions", greet, 5)
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()


if __name__ == "__main__":
    main()
