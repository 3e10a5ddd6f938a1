# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Input that a node takes only while somebody listens to what it makes of it."""

from collections.abc import Callable
from typing import Any, Protocol

from rclpy.publisher import Publisher

from emotion_perception.ros.lifecycle_node import PerceptionNode

_LOOK_S = 0.2  # publisher matched events would be quicker; Humble has none
_LOOKS_BEFORE_CLOSING = 5  # a viewer that is found or subscribes anew within a second costs no image


class Input(Protocol):
    """Subscriptions that can be ended."""

    def close(self) -> None:
        """Ends them."""


class LazySubscription:
    """Opens an input while a publisher has subscribers, and closes it a second after the last one has gone.

    It begins open, so that a setting that cannot work is told at once, and nobody waits who was there before.

    Args:
        node: where it looks, five times a second on a steady clock.
        publisher: whose subscribers count.
        open_input: makes the input.
    """

    def __init__(self, node: PerceptionNode[Any], publisher: Publisher, open_input: Callable[[], Input]) -> None:
        self._node, self._publisher, self._open = node, publisher, open_input
        self._input: Input | None = open_input()
        self._unwatched_looks = 0
        self._timer = node.create_steady_timer(_LOOK_S, self._look)

    def close(self) -> None:
        """Ends the input for good."""
        self._node.destroy_timer(self._timer)
        self._shut()

    def _look(self) -> None:
        watched = self._publisher.get_subscription_count() > 0
        self._unwatched_looks = 0 if watched else self._unwatched_looks + 1
        if watched and self._input is None:
            self._input = self._open()
        elif self._unwatched_looks >= _LOOKS_BEFORE_CLOSING:
            self._shut()

    def _shut(self) -> None:
        if self._input is not None:
            self._input.close()
        self._input = None
