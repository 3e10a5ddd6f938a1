"""Each quality-of-service profile, with its reason."""

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

RESULTS_DEPTH = 5
IMAGES_DEPTH = 5

RESULTS = QoSProfile(depth=RESULTS_DEPTH, reliability=ReliabilityPolicy.RELIABLE)
"""Faces, emotions and overlay: small, and each counts; volatile, because an old emotion is worth nothing."""


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
