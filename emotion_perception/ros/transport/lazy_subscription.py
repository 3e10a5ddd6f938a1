# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Subscribes to the inputs of publishers only while one of them has subscribers."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from rclpy.publisher import Publisher

from emotion_perception.ros.lifecycle_node import PerceptionNode

_CHECK_PERIOD_S = 0.2  # publisher matched events would be quicker; Humble has none
_CHECKS_BEFORE_CLOSING = 5  # a viewer that is discovered or subscribes again within a second misses no image


class LazySubscription:
    """Opens an input while one of the publishers has subscribers, and closes it a second after the last one has left.

    It is open at first, so that an invalid setting is reported at once, and a subscriber that is already there gets
    the first image.

    Args:
        node: its executor checks five times a second on a steady clock.
        publishers: their subscribers are counted.
        open_input: creates the subscriptions, and registers in the stack that it gets the callbacks that destroy them.
        resources: closes the input and ends the checks.
    """

    def __init__(
        self,
        node: PerceptionNode[Any],
        publishers: Sequence[Publisher],
        open_input: Callable[[ExitStack], object],
        resources: ExitStack,
    ) -> None:
        self._publishers, self._open_input = publishers, open_input
        self._input = ExitStack()
        self._is_open = False
        self._checks_without_subscriber = 0
        self._open()
        resources.callback(self._close)
        resources.callback(node.destroy_timer, node.create_steady_timer(_CHECK_PERIOD_S, self._check))

    def _open(self) -> None:
        with ExitStack() as resources:
            self._open_input(resources)
            self._input = resources.pop_all()
        self._is_open = True

    def _close(self) -> None:
        self._is_open = False
        self._input.close()

    def _check(self) -> None:
        wanted = any(publisher.get_subscription_count() for publisher in self._publishers)
        self._checks_without_subscriber = 0 if wanted else self._checks_without_subscriber + 1
        if wanted and not self._is_open:
            self._open()
        elif self._is_open and self._checks_without_subscriber >= _CHECKS_BEFORE_CLOSING:
            self._close()
