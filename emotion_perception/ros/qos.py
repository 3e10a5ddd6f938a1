# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The quality-of-service profiles of all topics."""

from collections.abc import Sequence

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSPolicyKind, QoSProfile, ReliabilityPolicy, qos_check_compatible
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.topic_endpoint_info import TopicEndpointInfo

try:
    from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks, SubscriptionEventCallbacks

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.ros.config import RELIABILITIES

__all__ = [
    "IMAGES_DEPTH",
    "IMAGE_PUBLISHER_OVERRIDES",
    "IMAGE_SUBSCRIPTION_OVERRIDES",
    "RESULTS",
    "TRANSFORMS",
    "PublisherEventCallbacks",
    "SubscriptionEventCallbacks",
    "all_compatible",
    "image_publisher",
    "image_subscription",
    "overridden_reliability",
    "publishers_of",
    "reliable_wanted",
]

RESULTS_DEPTH = 5
IMAGES_DEPTH = 15

RESULTS = QoSProfile(depth=RESULTS_DEPTH, reliability=ReliabilityPolicy.RELIABLE)
"""Faces, emotions and overlay: reliable, as they are small and none may be lost; volatile, as old ones are useless."""

TRANSFORMS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
"""TF frames: the profile of tf2's broadcasters."""

IMAGE_PUBLISHER_OVERRIDES = QoSOverridingOptions.with_default_policies()
"""The policies of an image publisher that `qos_overrides` may change: history, depth, reliability."""

IMAGE_SUBSCRIPTION_OVERRIDES = QoSOverridingOptions((QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH))
"""The same for an image subscription; its reliability is `overridden_reliability`, because it may change later."""


def image_publisher(depth: int) -> QoSProfile:
    """Returns the profile of the camera's publishers: reliable, which is compatible with every subscriber."""
    return QoSProfile(depth=depth, reliability=ReliabilityPolicy.RELIABLE)


def image_subscription(depth: int, *, reliable: bool) -> QoSProfile:
    """Returns the profile of an image subscription.

    A deeper queue does not delay images: the callback only fills a slot, so the queue is empty unless the process was
    suspended, and then it keeps frames from being lost uncounted in the middleware.
    """
    policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=depth, reliability=policy)


def reliable_wanted(node: Node, topic: str, reliability: str) -> bool:
    """Returns whether an image subscription should be reliable.

    Args:
        node: queries the graph for the publishers.
        topic: resolved name.
        reliability: `reliable`, `best_effort`, or `auto`: reliable unless a publisher offers only best effort, or what
            they offer cannot be read.
    """
    if reliability != "auto":
        return reliability == "reliable"
    publishers = publishers_of(node, topic)
    if publishers is None:
        return False  # compatible with every publisher
    return ReliabilityPolicy.BEST_EFFORT not in [info.qos_profile.reliability for info in publishers]


def publishers_of(node: Node, topic: str) -> Sequence[TopicEndpointInfo] | None:
    """Returns the publishers of a topic, None if they cannot be listed.

    Any participant of the domain can name its types and policies as it likes. rclpy raises for the whole topic if one
    of the names is not UTF-8 or one of the policies is unknown.

    Args:
        node: queries the graph.
        topic: resolved name.
    """
    try:
        return node.get_publishers_info_by_topic(topic)
    except ValueError:  # also UnicodeDecodeError
        return None


def all_compatible(node: Node, topic: str, profile: QoSProfile) -> bool:
    """Returns whether all publishers of a topic are compatible with a subscription; False if they cannot be listed.

    Args:
        node: queries the graph.
        topic: resolved name.
        profile: of the subscription.
    """
    publishers = publishers_of(node, topic)
    return publishers is not None and all(
        qos_check_compatible(info.qos_profile, profile)[0] is not QoSCompatibility.ERROR for info in publishers
    )


def overridden_reliability(node: Node, topic: str, reliability: str) -> str:
    """Returns the reliability of an image subscription: that of `qos_overrides`, else the one given.

    Args:
        node: the subscriber; declares the parameter of the override.
        topic: resolved name.
        reliability: one of `RELIABILITIES`.

    Raises:
        ConfigurationError: the override is none of `RELIABILITIES`.
    """
    name = f"qos_overrides.{topic}.subscription.reliability"
    if not node.has_parameter(name):
        text = "reliability of this subscription; auto leaves it to image_reliability"
        node.declare_parameter(name, "auto", ParameterDescriptor(description=text, read_only=True))
    overridden = str(node.get_parameter(name).value)
    if overridden not in RELIABILITIES:
        raise ConfigurationError(f"{name} '{overridden}' is none of {', '.join(RELIABILITIES)}")
    return reliability if overridden == "auto" else overridden
