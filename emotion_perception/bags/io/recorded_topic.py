# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a recording holds: its topics, and its messages as they were sent."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, order=True)
class Topic:
    """One topic of a recording.

    Attributes:
        name: as it was recorded, e.g. `/front/image_raw`.
        type: e.g. `sensor_msgs/msg/Image`; empty where the file does not say.
        count: its messages; in a damaged file some of them may turn out unreadable.
        definition: text of the type and of all that it uses; empty where the file has none.
    """

    name: str
    type: str
    count: int
    definition: str


class Entry(NamedTuple):
    """One recorded message.

    Attributes:
        topic: name of its topic.
        received_ns: when it was recorded, in nanoseconds.
        raw: the message in CDR, as it was sent.
    """

    topic: str
    received_ns: int
    raw: bytes
