# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Each quality-of-service profile, with its reason."""

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.qos import QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.ros.config import RELIABILITIES

__all__ = [
    "IMAGES_DEPTH",
    "IMAGE_PUBLISHER_OVERRIDES",
    "IMAGE_SUBSCRIPTION_OVERRIDES",
    "RESULTS",
    "SubscriptionEventCallbacks",
    "image_publisher",
    "image_subscription",
    "overridden_reliability",
    "reliable_wanted",
]

RESULTS_DEPTH = 5
IMAGES_DEPTH = 5

RESULTS = QoSProfile(depth=RESULTS_DEPTH, reliability=ReliabilityPolicy.RELIABLE)
"""Faces, emotions and overlay: small, and each counts; volatile, because an old emotion is worth nothing."""


IMAGE_PUBLISHER_OVERRIDES = QoSOverridingOptions.with_default_policies()
"""What `qos_overrides` may change of an image publisher: history, depth, reliability."""

IMAGE_SUBSCRIPTION_OVERRIDES = QoSOverridingOptions((QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH))
"""The same of an image subscription; its reliability is `overridden_reliability`, because it may be changed later."""


def image_publisher(depth: int) -> QoSProfile:
    """Returns the camera's profile: reliable, so that every kind of subscriber can be served."""
    return QoSProfile(depth=depth, reliability=ReliabilityPolicy.RELIABLE)


def image_subscription(depth: int, *, reliable: bool) -> QoSProfile:
    """Returns the profile of an image subscription.

    Staleness is no matter of this depth: the callback only fills a slot, so the queue is empty unless the process was
    held up, and then a deeper one keeps frames from being lost uncounted in the middleware.
    """
    policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=depth, reliability=policy)


def reliable_wanted(node: Node, topic: str, reliability: str) -> bool:
    """Decides the reliability of an image subscription.

    Args:
        node: asks the graph.
        topic: resolved name.
        reliability: `reliable`, `best_effort`, or `auto`: reliable unless a publisher offers only best effort.
    """
    if reliability != "auto":
        return reliability == "reliable"
    offers = [info.qos_profile.reliability for info in node.get_publishers_info_by_topic(topic)]
    return ReliabilityPolicy.BEST_EFFORT not in offers


def overridden_reliability(node: Node, topic: str, reliability: str) -> str:
    """Returns the reliability that `qos_overrides` asks for on an image topic, else the one given.

    Raises:
        ConfigurationError: the override is none of `RELIABILITIES`.
    """
    name = f"qos_overrides.{topic}.subscription.reliability"
    if not node.has_parameter(name):
        text = "reliability of this subscription; auto leaves it to image_reliability"
        node.declare_parameter(name, "auto", ParameterDescriptor(description=text, read_only=True))
    asked = str(node.get_parameter(name).value)
    if asked not in RELIABILITIES:
        raise ConfigurationError(f"{name} '{asked}' is none of {', '.join(RELIABILITIES)}")
    return reliability if asked == "auto" else asked
