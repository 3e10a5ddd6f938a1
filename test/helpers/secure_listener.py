# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A participant of its own: `secure_listener.py SECONDS [--ros-args ...]` waits for an EmotionArray, prints `received`.

Prints `nothing` where none comes in time, and `refused: REASON` where the middleware refuses node or subscription.
"""

import sys
import time

import rclpy

from emotion_perception.msg import EmotionArray


def main():
    received = []
    try:
        rclpy.init()
        node = rclpy.create_node("listener", enable_rosout=False, start_parameter_services=False)
        node.create_subscription(EmotionArray, "/emotions", received.append, 5)
        print("listening", flush=True)
        deadline_s = time.monotonic() + float(sys.argv[1])
        while not received and time.monotonic() < deadline_s:
            rclpy.spin_once(node, timeout_sec=0.1)
    except RuntimeError as e:  # the base class of rclpy's errors
        print("refused:", " ".join(str(e).split()))
        return
    print("received" if received else "nothing")


main()
