#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Follows the person who faces the robot: publishes `target` (PointStamped) and `cmd_vel` (Twist).

The target is the nearest face that is turned to the camera; it is kept until it turns away or is gone. The robot turns
to it and drives up to `distance` meters before it, never backwards, within `max_speed` (m/s) and `max_turn` (rad/s):
parameters, which may also be changed while it runs. It stops when there has been no target for half a second, and when
this program ends.

`cmd_vel` holds for a camera that looks straight ahead. The base must stop by itself where commands end, as this program
may be killed (`cmd_vel_timeout` of ros2_control's controllers). Try it with the wheels off the ground.
"""

import argparse
import math
import signal
import sys
import time

import rclpy
from geometry_msgs.msg import PointStamped, Twist
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from emotion_perception.msg import EmotionArray, Face

PERIOD_S = 0.1
LOST_AFTER_S = 0.5
SPEED_PER_METER = 0.5
TURN_PER_RADIAN = 1.0
DRIVES_WITHIN_RAD = 0.5  # of the direction of the target; before, it only turns

PARAMETERS = (  # name, default, highest value, description
    ("distance", 1.2, 10.0, "where to stop before the person, in meters"),
    ("max_speed", 0.3, 2.0, "in meters per second"),
    ("max_turn", 0.6, 3.0, "in radians per second"),
)


class FollowPerson(Node):
    def __init__(self, clock_s=time.monotonic, **options):
        super().__init__("follow_person", **options)
        for name, default, highest, text in PARAMETERS:
            bounds = [FloatingPointRange(from_value=0.0, to_value=highest)]
            self.declare_parameter(name, default, ParameterDescriptor(description=text, floating_point_range=bounds))
        self._clock_s = clock_s
        self._target: Face | None = None
        self._seen_s = -math.inf
        self._moves = False
        self._target_publisher = self.create_publisher(PointStamped, "target", 5)
        self._velocity_publisher = self.create_publisher(Twist, "cmd_vel", 5)
        self.create_subscription(EmotionArray, "emotions", self.on_emotions, 5)
        # steady: the robot stops, and signals are heard, also while the time of /clock stands still
        self.create_timer(PERIOD_S, self.drive, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def on_emotions(self, message: EmotionArray) -> None:
        faces = [emotion.face for emotion in message.faces if is_candidate(emotion.face)]
        if not faces:
            return
        same = [face for face in faces if self._target and face.track_id == self._target.track_id]
        self._target, self._seen_s = same[0] if same else min(faces, key=distance), self._clock_s()
        self._target_publisher.publish(PointStamped(header=message.header, point=self._target.position))

    def drive(self) -> None:
        if self._clock_s() - self._seen_s > LOST_AFTER_S:
            self._target = None
            self.stop()
            return
        velocity, position = Twist(), self._target.position
        wanted, max_speed, max_turn = (self.get_parameter(name).value for name, *_ in PARAMETERS)
        bearing = math.atan2(position.x, position.z)  # optical frame: x right, z forward
        velocity.angular.z = limited(-TURN_PER_RADIAN * bearing, -max_turn, max_turn)
        if abs(bearing) < DRIVES_WITHIN_RAD:
            ahead = math.hypot(position.x, position.z) - wanted
            velocity.linear.x = limited(SPEED_PER_METER * ahead, 0.0, max_speed)
        self._velocity_publisher.publish(velocity)
        self._moves = True

    def stop(self) -> None:
        """Stops once, so that others may drive while there is no target."""
        if self._moves:
            self._velocity_publisher.publish(Twist())
        self._moves = False


def is_candidate(face: Face) -> bool:
    point = face.position  # NaN where it is not known
    is_known = all(map(math.isfinite, (point.x, point.y, point.z))) and point.z > 0
    return face.facing_camera == Face.FACING_YES and is_known


def distance(face: Face) -> float:
    return math.hypot(face.position.x, face.position.y, face.position.z)


def limited(value: float, lowest: float, highest: float) -> float:
    return min(max(value, lowest), highest)


def main() -> None:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args(remove_ros_args()[1:])
    # rclpy's own handlers would end the publishers first; so each signal is a KeyboardInterrupt, and it can stop
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    for number in (signal.SIGTERM, signal.SIGHUP):  # SIGHUP: the terminal is gone
        signal.signal(number, signal.default_int_handler)
    node = None
    try:
        node = FollowPerson()
        while rclpy.ok():
            try:
                rclpy.spin(node)
            except Exception as e:  # noqa: BLE001 - e.g. bytes that are no EmotionArray; only that message is lost
                node.get_logger().warning(f"a message was lost: {e}", throttle_duration_sec=5.0)
    except KeyboardInterrupt:
        if node is not None:
            node.stop()
            node.destroy_node()


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, ParameterException) as e:  # of rclpy: wrong arguments, or a signal before the node is there
        sys.exit(f"follow_person: {e}")
