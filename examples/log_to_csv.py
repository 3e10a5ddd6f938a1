#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes `emotions` to a CSV file, one row for each face in each image, until Ctrl-C.

    examples/log_to_csv.py today.csv

A row is in the file as soon as its message has arrived, so nothing is lost when the process is killed. Values that are
not known are empty. The file must not exist.
"""

import argparse
import csv
import math
import sys
from typing import TextIO

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.utilities import remove_ros_args

from emotion_perception.msg import EmotionArray, FaceEmotion


class LogToCsv(Node):
    def __init__(self, **options):
        super().__init__("log_to_csv", **options)
        self._writer: csv.DictWriter
        self.create_subscription(EmotionArray, "emotions", self.on_emotions, 50)  # the disk may pause

    def write_to(self, file: TextIO) -> None:
        """Writes the header; the rows of later messages follow."""
        self._writer = csv.DictWriter(file, ["stamp", *row(FaceEmotion())])
        self._writer.writeheader()

    def on_emotions(self, message: EmotionArray) -> None:
        stamp = seconds(message.header.stamp.sec * 10**9 + message.header.stamp.nanosec)
        self._writer.writerows({"stamp": stamp, **row(emotion)} for emotion in message.faces)


def row(emotion: FaceEmotion) -> dict[str, object]:
    """Returns the values of a face by their columns."""
    face = emotion.face
    return {
        "track_id": face.track_id,
        "x": face.roi.x_offset,  # region in pixels
        "y": face.roi.y_offset,
        "width": face.roi.width,
        "height": face.roi.height,
        "label": emotion.label,
        "score": f"{emotion.score:.4f}",
        "uncertain": int(emotion.uncertain),
        "valence": known(emotion.valence),
        "arousal": known(emotion.arousal),
        "facing_camera": face.facing_camera,  # Face.FACING_...
        "head_yaw": known(face.head_yaw),  # radians
        "head_pitch": known(face.head_pitch),
        "head_roll": known(face.head_roll),
        "position_x": known(face.position.x),  # meters, in the optical frame of the camera
        "position_y": known(face.position.y),
        "position_z": known(face.position.z),
    }


def seconds(nanoseconds: int) -> str:
    """Returns a time in seconds, as text: a float is not exact."""
    whole, rest = divmod(abs(nanoseconds), 10**9)
    return f"{'-' if nanoseconds < 0 else ''}{whole}.{rest:09d}"


def known(value: float) -> str:
    """Returns a number as text, empty if it is not known (NaN)."""
    return "" if math.isnan(value) else f"{value:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", nargs="?", default="emotions.csv", help="must not exist (default: %(default)s)")
    path = parser.parse_args(remove_ros_args()[1:]).file
    rclpy.init()
    node = LogToCsv()  # first, so that a start that fails leaves no file
    try:
        with open(path, "x", newline="", buffering=1) as file:  # 1: a line is written when it is complete
            node.write_to(file)
            log(node)
    except OSError as e:
        sys.exit(f"log_to_csv: {path}: {e.strerror}")


def log(node: LogToCsv) -> None:
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
    try:
        main()
    except (RuntimeError, ParameterException) as e:  # of rclpy: wrong arguments, or a signal before the node is there
        sys.exit(f"log_to_csv: {e}")
