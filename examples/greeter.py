#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Answers a smile: how another node uses `emotions`. Needs nothing but this package's messages."""

import rclpy
from rclpy.executors import ExternalShutdownException

from emotion_perception.msg import EmotionArray


def greet(message: EmotionArray) -> None:
    """Prints a line for every face that surely smiles."""
    for face in message.faces:
        if face.label == "happiness" and not face.uncertain:
            print(f"person {face.face.track_id} smiles ({face.score:.0%}, image {message.age_ms:.0f} ms old)", flush=True)


def main() -> None:
    """Listens until Ctrl-C."""
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
