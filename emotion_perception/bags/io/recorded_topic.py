# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Topics and messages of a recording."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, order=True)
class Topic:
    """One topic of a recording.

    Attributes:
        name: as it was recorded, e.g. `/front/image_raw`.
        type: as `type_in` returns it, e.g. `sensor_msgs/msg/Image`; empty if the file does not record it.
        count: number of its messages; in a damaged file some of them may be unreadable.
        definition: message definition of the type and of all types of its fields; empty if the file has none.
    """

    name: str
    type: str
    count: int
    definition: str


class Entry(NamedTuple):
    """One recorded message.

    Attributes:
        topic: name of its topic.
        received_ns: time at which it was recorded, in nanoseconds.
        raw: the message in CDR, as it was published.
    """

    topic: str
    received_ns: int
    raw: bytes


def is_text(name: object) -> bool:
    """Returns whether what a file stores as a name is one: printable text of one line."""
    return isinstance(name, str) and name != "" and name.isprintable()


def type_in(encoding: str, name: str) -> str:
    """Returns the type of a topic: its name, of messages that are not in CDR with their encoding, so that none fits."""
    return name if encoding in ("cdr", "") or not name else f"{name} in {encoding}"
