# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the page shows and may change: the interface between the node and the server."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from emotion_perception.core.rendering.options import ANONYMIZERS
from emotion_perception.web.graph import GraphState
from emotion_perception.web.newest_image import NewestImage
from emotion_perception.web.tracks import TrackHistory

Value = bool | int | float | str


@dataclass(frozen=True)
class Control:
    """One parameter of a node that the page sets.

    Attributes:
        node: full name of the node.
        parameter: its name.
        title: what the page calls it.
        default: a value of the parameter's type.
        lowest: begin of its slider, if it is a number.
        highest: end of its slider; a larger number can be typed.
        choices: the texts that it takes; empty where it is no choice.
    """

    node: str
    parameter: str
    title: str
    default: Value
    lowest: float = 0.0
    highest: float = 1.0
    choices: tuple[str, ...] = ()


@dataclass
class CameraState:
    """One camera.

    Attributes:
        name: of its tab.
        image: the newest overlay.
        controls: parameters of its nodes.
        classifier: full name of the node that has the service calibrate_neutral.
        tracks: its faces.
    """

    name: str
    image: NewestImage
    controls: Sequence[Control]
    classifier: str
    tracks: TrackHistory = field(default_factory=TrackHistory)


class RemoteNodes(Protocol):
    """The nodes whose parameters the page reads and sets; every method may be called from any thread."""

    def value(self, control: Control) -> Value | None:
        """Returns the last value that was read, None if there is none yet."""

    def set(self, control: Control, value: Value) -> "Future[str]":
        """Sets a parameter; the result is empty, or why it was refused."""

    def calibrate(self, classifier: str) -> "Future[tuple[bool, str]]":
        """Calls calibrate_neutral; the result is whether it succeeded, and its message."""


class Recordings(Protocol):
    """What the last 30 s can be downloaded from."""

    def last_seconds(self, camera: int) -> BinaryIO:
        """Returns a ZIP archive with a rosbag2 folder, to be closed by the caller; called in a thread of its own.

        Raises:
            EmotionPerceptionError: it cannot be written.
        """


@dataclass(frozen=True)
class ViewerSettings:
    """What viewers may do.

    Attributes:
        can_control: whether they set parameters.
        can_download: whether they download snapshots and recordings.
        anonymize: how faces are hidden in all that the server has; `none` shows them.
        max_viewers: how many pages may be open.
        max_rate_hz: most images per second that each of them gets.
    """

    can_control: bool
    can_download: bool
    anonymize: str = ANONYMIZERS[0]
    max_viewers: int = 8
    max_rate_hz: float = 15.0


@dataclass(frozen=True)
class ViewerState:
    """All that the server shows.

    Attributes:
        cameras: at least one.
        graph: nodes, topics and log.
        nodes: the nodes that can be controlled.
        recordings: what can be downloaded.
    """

    cameras: Sequence[CameraState]
    graph: GraphState
    nodes: RemoteNodes
    recordings: Recordings
