# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Subscribes to serialized messages with the QoS that the publishers of a topic offer."""

from collections.abc import Callable, Sequence
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

from emotion_perception.ros.qos import SubscriptionEventCallbacks

_DEPTH = 100
_NS = 1_000_000_000


class RawSubscription:
    """Subscribes reliably, and to earlier messages (transient local), if every publisher offers it.

    Args:
        node: the subscriber.
        topic: its full name.
        kind: class of the messages.
        publishers: of the topic, at least one.
        callback: gets each message serialized as CDR.
        on_lost: gets the number of messages that the middleware has lost.
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        kind: type,
        publishers: Sequence[TopicEndpointInfo],
        *,
        callback: Callable[[bytes], None],
        on_lost: Callable[[int], None],
    ) -> None:
        self._node, self._topic, self._callback, self._on_lost = node, topic, callback, on_lost
        self._kind = kind
        self._profile = compatible_profile(publishers)
        self._subscription = self._subscribe()

    def refresh(self, publishers: Sequence[TopicEndpointInfo]) -> None:
        """Subscribes again if the present publishers need another profile."""
        if publishers and (profile := compatible_profile(publishers)) != self._profile:
            self.close()
            self._profile = profile
            self._subscription = self._subscribe()

    def close(self) -> None:
        """Ends the subscription."""
        self._node.destroy_subscription(self._subscription)

    def _subscribe(self) -> Any:
        lost = SubscriptionEventCallbacks(message_lost=lambda event: self._on_lost(event.total_count_change))
        return self._node.create_subscription(
            self._kind, self._topic, self._callback, self._profile, raw=True, event_callbacks=lost
        )


def compatible_profile(publishers: Sequence[TopicEndpointInfo]) -> QoSProfile:
    """Returns the strictest profile that is compatible with all publishers."""
    offers = [publisher.qos_profile for publisher in publishers]
    reliable = all(offer.reliability == ReliabilityPolicy.RELIABLE for offer in offers)
    lasting = all(offer.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offers)
    return QoSProfile(
        depth=_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if lasting else DurabilityPolicy.VOLATILE,
    )


def recorded_profile(profile: QoSProfile) -> Qos:
    """Returns a publisher's profile in the form that a recording stores."""
    return Qos(
        history=QosHistory(int(profile.history)),
        depth=profile.depth,
        reliability=QosReliability(int(profile.reliability)),
        durability=QosDurability(int(profile.durability)),
        deadline=_time(profile.deadline),
        lifespan=_time(profile.lifespan),
        liveliness=QosLiveliness(int(profile.liveliness)),
        liveliness_lease_duration=_time(profile.liveliness_lease_duration),
        avoid_ros_namespace_conventions=profile.avoid_ros_namespace_conventions,
    )


def _time(duration: Any) -> QosTime:
    return QosTime(*divmod(duration.nanoseconds, _NS))
