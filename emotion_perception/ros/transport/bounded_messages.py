# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Limits of received messages, checked before rclpy turns their bytes into Python objects."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.serialization import deserialize_message
from std_msgs.msg import Header

from emotion_perception.core.errors import one_line
from emotion_perception.core.message_adapters import MAX_FRAME_ID, MAX_RESULT_BYTES
from emotion_perception.ros.lifecycle_node import PerceptionNode

_HEADER_BYTES = 4 * MAX_FRAME_ID + 64  # enough for every header that is allowed, in CDR


@dataclass(frozen=True)
class OversizedMessage:
    """A message that was not read because it is larger than `MAX_RESULT_BYTES`.

    Attributes:
        header: its header.
        count: number of its faces.
        problem: its size and the limit, in one line.
    """

    header: Header
    count: int
    problem: str


def bounded_callback(
    node: PerceptionNode[Any],
    message_type: type,
    topic: str,
    callback: Callable[[Any], None],
    on_oversized: Callable[[OversizedMessage], None] | None = None,
) -> Callable[[bytes], None]:
    """Returns the callback of a raw subscription that reads the messages within the limits and counts others as faults.

    rclpy makes about 120 µs and 1 kB of Python objects for each face, so an array of 100,000 faces would block a node
    for ten seconds before a callback sees it.

    Args:
        node: counts what is beyond the limits.
        message_type: has a header; of an array the header is followed by the faces.
        topic: for messages.
        callback: gets every message within the limits.
        on_oversized: gets the header of a message that is too large, and counts the fault; None counts it here.
    """

    def on_data(data: bytes) -> None:
        problem = f"{topic}: a message of {len(data)} bytes is larger than {MAX_RESULT_BYTES}"
        oversized = len(data) > MAX_RESULT_BYTES
        if oversized and on_oversized is None:
            node.count_fault(problem)
            return
        message: Any
        try:
            message = _oversized(data, problem) if oversized else deserialize_message(data, message_type)
        except Exception as e:  # noqa: BLE001 - the bytes are somebody else's; rclpy names no type for what it raises
            node.count_fault(f"{topic}: a message cannot be read: {type(e).__name__}: {one_line(e)}")
            return
        if has_short_frame_id(node, message.header, topic):
            (on_oversized if oversized and on_oversized is not None else callback)(message)

    return on_data


def has_short_frame_id(node: PerceptionNode[Any], header: Header, topic: str) -> bool:
    """Returns whether a header can be copied to the results; one whose frame_id is too long is a fault."""
    length = len(header.frame_id)
    if length > MAX_FRAME_ID:
        node.count_fault(f"{topic}: a frame_id of {length} characters is longer than {MAX_FRAME_ID}")
    return length <= MAX_FRAME_ID


def _oversized(data: bytes, problem: str) -> OversizedMessage:
    """Reads the header, and the number of faces that follows it; raises whatever rclpy raises for other bytes."""
    header = deserialize_message(data[:_HEADER_BYTES], Header)
    length = len(header.frame_id.encode()) + 1
    after = 16 + length + (-length) % 4  # 4 bytes of encapsulation, stamp, length of the string
    (count,) = struct.unpack_from("<I" if data[1] else ">I", data, after)
    return OversizedMessage(header, count, problem)
