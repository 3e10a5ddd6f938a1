# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A DDS participant whose publishers name any type: `python hostile_participant.py TOPIC TYPE ...`.

Types are written as in Python source (`\\xff` is one byte). Publishes a message under each of them until it is killed;
prints `up` when the publishers exist.
"""

import ctypes
import sys
import time

import rclpy
from geometry_msgs.msg import Point


class _TypeSupport(ctypes.Structure):
    _fields_ = (("identifier", ctypes.c_char_p), ("data", ctypes.POINTER(ctypes.c_char_p)))


_KEPT = []


def call_point(kind):
    """Makes Fast DDS send the type of Point under another name from now on, such as `antigravity/msg/X`."""
    folder, _, name = kind.encode("latin-1").rpartition(b"/")
    library = ctypes.CDLL("libgeometry_msgs__rosidl_typesupport_fastrtps_c.so")
    handle = library.rosidl_typesupport_fastrtps_c__get_message_type_support_handle__geometry_msgs__msg__Point
    handle.restype = ctypes.POINTER(_TypeSupport)
    _KEPT.extend([folder.replace(b"/", b"::"), name])  # the type support keeps the pointers
    handle().contents.data[0], handle().contents.data[1] = _KEPT[-2:]  # message_namespace_, message_name_


def main():
    topic, *kinds = sys.argv[1:]
    publishers = []
    for kind in kinds:  # a participant has one type for a topic
        call_point(kind.encode().decode("unicode_escape"))
        context = rclpy.Context()
        rclpy.init(args=["--ros-args", "--disable-rosout-logs"], context=context)
        publishers.append(rclpy.create_node("neighbor", context=context).create_publisher(Point, topic, 10))
    print("up", flush=True)
    while True:
        for publisher in publishers:
            publisher.publish(Point(x=1.0))
        time.sleep(0.05)


if __name__ == "__main__":
    main()
