#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes `emotions` to a CSV file, one row for each face in each image, until Ctrl-C.

    examples/log_to_csv.py today.csv

A row is written as soon as it is known, so nothing is lost when the process is killed. Values that are not known are
empty. The file must not exist.
"""

import csv
import math
import sys
from typing import TextIO

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.utilities import remove_ros_args

from emotion_perception.msg import EmotionArray, FaceEmotion

COLUMNS = (
    *("stamp", "track_id", "x", "y", "width", "height", "label", "score", "uncertain", "valence", "arousal"),
    *("facing_camera", "head_yaw", "head_pitch", "head_roll", "position_x", "position_y", "position_z"),
)


class LogToCsv(Node):
    def __init__(self, file: TextIO, **options):
        super().__init__("log_to_csv", **options)
        self._writer = csv.writer(file)
        self._writer.writerow(COLUMNS)
        self.create_subscription(EmotionArray, "emotions", self.on_emotions, 50)  # the disk may pause

    def on_emotions(self, message: EmotionArray) -> None:
        stamp = f"{message.header.stamp.sec}.{message.header.stamp.nanosec:09d}"  # as text: a float is not exact
        self._writer.writerows([stamp, *row(emotion)] for emotion in message.faces)


def row(emotion: FaceEmotion) -> list:
    face, roi = emotion.face, emotion.face.roi
    numbers = (emotion.valence, emotion.arousal), (face.head_yaw, face.head_pitch, face.head_roll)
    (valence, arousal), head = [[known(value) for value in values] for values in numbers]
    position = [known(value) for value in (face.position.x, face.position.y, face.position.z)]
    region = [face.track_id, roi.x_offset, roi.y_offset, roi.width, roi.height]
    label = [emotion.label, f"{emotion.score:.4f}", int(emotion.uncertain)]
    return [*region, *label, valence, arousal, face.facing_camera, *head, *position]


def known(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"


def main() -> None:
    rclpy.init()
    arguments = remove_ros_args()[1:]
    path = arguments[0] if arguments else "emotions.csv"
    try:
        with open(path, "x", newline="", buffering=1) as file:  # 1: a line is written when it is complete
            log(file)
    except OSError as e:
        sys.exit(f"log_to_csv: {e}")


def log(file: TextIO) -> None:
    node = LogToCsv(file)
    while rclpy.ok():
        try:
            rclpy.spin(node)
        except (KeyboardInterrupt, ExternalShutdownException):
            break
        except OSError:
            raise  # e.g. the disk is full
        except Exception as e:  # noqa: BLE001 - e.g. bytes that are no EmotionArray; only that message is lost
            node.get_logger().warning(f"a message was lost: {e}", throttle_duration_sec=5.0)
    node.destroy_node()


if __name__ == "__main__":
    main()
