#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reacts to a smile that lasts one second: publishes a text on `smiles` when it begins and when it has ended.

A smile is a prediction of happiness that is not `uncertain`. Others are ignored for half a second, so that a label that
flickers neither begins nor ends one. All times are those of the images (header.stamp): they hold in a replay as well.
"""

import argparse
import sys
from dataclasses import dataclass

import rclpy
from rclpy.clock import ClockType
from rclpy.duration import Duration
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.time import Time
from rclpy.utilities import remove_ros_args
from std_msgs.msg import String

from emotion_perception.msg import EmotionArray, FaceEmotion

BEGINS_AFTER = Duration(seconds=1.0)
ENDS_AFTER = Duration(seconds=0.5)
MAX_AGE_S = 0.5  # of a prediction: faces take turns where there are many


@dataclass
class Smile:
    since: Time
    last: Time
    announced: bool = False


class SmileReaction(Node):
    def __init__(self, **options):
        super().__init__("smile_reaction", **options)
        self._smiles: dict[int, Smile] = {}  # by track_id
        self._last = Time(clock_type=ClockType.ROS_TIME)
        self._publisher = self.create_publisher(String, "smiles", 10)
        self.create_subscription(EmotionArray, "emotions", self.on_emotions, 5)

    def on_emotions(self, message: EmotionArray) -> None:
        now = Time.from_msg(message.header.stamp)
        begins_again = now < self._last  # a recording
        self._last = now
        for track_id, smile in list(self._smiles.items()):  # first, so that a pause of the messages is no smile
            if begins_again or now - smile.last > ENDS_AFTER:
                del self._smiles[track_id]
                if smile.announced:
                    self.react(f"track {track_id} no longer smiles")
        for emotion in filter(is_smile, message.faces):
            smile = self._smiles.setdefault(emotion.face.track_id, Smile(since=now, last=now))
            smile.last = now
            if not smile.announced and now - smile.since >= BEGINS_AFTER:
                smile.announced = True
                self.react(f"track {emotion.face.track_id} smiles")

    def react(self, text: str) -> None:
        """Publishes the text: replace this by what your robot does."""
        self.get_logger().info(text)
        self._publisher.publish(String(data=text))


def is_smile(emotion: FaceEmotion) -> bool:
    is_new = emotion.prediction_age_s < MAX_AGE_S  # not for NaN, which is no prediction yet
    return emotion.label == FaceEmotion.HAPPINESS and not emotion.uncertain and is_new


def main() -> None:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args(remove_ros_args()[1:])
    rclpy.init()
    node = SmileReaction()
    while rclpy.ok():
        try:
            rclpy.spin(node)
        except (KeyboardInterrupt, ExternalShutdownException):
            break
        except Exception as e:  # noqa: BLE001 - e.g. bytes that are no EmotionArray; only that message is lost
            node.get_logger().warning(f"a message was lost: {e}", throttle_duration_sec=5.0)
    node.destroy_node()


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, ParameterException) as e:  # of rclpy: wrong arguments, or a signal before the node is there
        sys.exit(f"smile_reaction: {e}")
