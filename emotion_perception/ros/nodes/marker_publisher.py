# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Publishes the topic `markers`: the positions of faces in the camera frame and their emotions, for RViz."""

from collections.abc import Sequence
from contextlib import ExitStack

from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from rclpy.duration import Duration
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from emotion_perception.core.rendering import FACE_WIDTH_M, FaceMarker, FaceMarkers, MarkerLifetime
from emotion_perception.ros.config import OverlayNodeConfig
from emotion_perception.ros.conversions import EmotionArray, emotions_from_msg, stamp_ns
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.nodes.emotions_publisher import EmotionsPublisher
from emotion_perception.ros.qos import RESULTS

NAMESPACE = "emotions"
_TEXT_HEIGHT_M = 0.06
_NO_ROTATION = Quaternion(x=0.0, y=0.0, z=0.0, w=1.0)


class MarkerPublisher(EmotionsPublisher):
    """Publishes `markers` for a node's `emotions` while they have subscribers, for the faces whose position is known.

    Args:
        node: publishes and subscribes.
        resources: destroys the publisher.
    """

    def __init__(self, node: PerceptionNode[OverlayNodeConfig], resources: ExitStack) -> None:
        publisher = node.create_lifecycle_publisher(MarkerArray, "markers", RESULTS)
        resources.callback(node.destroy_lifecycle_publisher, publisher)
        super().__init__(node, "markers", publisher)
        self._faces, self._lifetime = FaceMarkers(), MarkerLifetime()

    def subscribe(self, inputs: ExitStack) -> None:
        """Forgets how often frames came before a pause without subscribers."""
        self._lifetime.reset()

    def make(self, message: EmotionArray) -> MarkerArray | None:
        """Returns the markers of a frame, None if there are neither faces with a position nor vanished ones."""
        emotions = emotions_from_msg(message)
        markers, vanished = self._faces.update(emotions)
        if emotions and not markers:
            text = "no markers: no face has a position; face_detection_node needs a camera_info with a K"
            self._node.get_logger().info(text, once=True)
        lifetime_s = self._lifetime.update(stamp_ns(message.header) * 1e-9)
        return markers_to_msg(message.header, markers, vanished, lifetime_s) if markers or vanished else None


def markers_to_msg(
    header: Header, markers: Sequence[FaceMarker], vanished: Sequence[int], lifetime_s: float
) -> MarkerArray:
    """Builds a MarkerArray under the image's header: sphere and text of each face, and deletions of vanished ones.

    Args:
        header: of the source image.
        markers: of the faces.
        vanished: marker ids to delete.
        lifetime_s: after which a marker that is neither replaced nor deleted disappears, in seconds.
    """
    made = [message for marker in markers for message in (_sphere(header, marker), _text(header, marker))]
    lifetime = Duration(nanoseconds=round(lifetime_s * 1e9)).to_msg()
    for message in made:
        message.lifetime = lifetime
    deleted = [Marker(header=header, ns=NAMESPACE, id=number, action=Marker.DELETE) for number in vanished]
    return MarkerArray(markers=[*made, *deleted])


def _sphere(header: Header, marker: FaceMarker) -> Marker:
    x, y, z = marker.xyz_m
    size = Vector3(x=FACE_WIDTH_M, y=FACE_WIDTH_M, z=FACE_WIDTH_M)
    return _marker(header, marker, Marker.SPHERE, marker.shape_id, Point(x=x, y=y, z=z), size, alpha=0.6)


def _text(header: Header, marker: FaceMarker) -> Marker:
    x, y, z = marker.xyz_m
    above = Point(x=x, y=y - FACE_WIDTH_M, z=z)  # y points down
    size = Vector3(x=0.0, y=0.0, z=_TEXT_HEIGHT_M)
    return _marker(header, marker, Marker.TEXT_VIEW_FACING, marker.text_id, above, size, text=marker.text)


def _marker(
    header: Header,
    marker: FaceMarker,
    kind: int,
    number: int,
    position: Point,
    size: Vector3,
    *,
    alpha: float = 1.0,
    text: str = "",
) -> Marker:
    red, green, blue = marker.rgb
    return Marker(
        header=header,
        ns=NAMESPACE,
        id=number,
        type=kind,
        action=Marker.ADD,
        pose=Pose(position=position, orientation=_NO_ROTATION),
        scale=size,
        color=ColorRGBA(r=red, g=green, b=blue, a=alpha),
        text=text,
    )
