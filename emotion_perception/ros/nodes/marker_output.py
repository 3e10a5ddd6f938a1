# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The topic `markers`: where faces are in the room and what they show, for RViz."""

from collections.abc import Sequence

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from emotion_perception.core.config import OverlayConfig
from emotion_perception.core.rendering.markers import FACE_WIDTH_M, FaceMarker, FaceMarkers, PinholeCamera
from emotion_perception.core.sync.latest_frame import LatestFrameWorker
from emotion_perception.core.types import FrameCounts
from emotion_perception.ros.conversions import EmotionArray, emotions_from_msg
from emotion_perception.ros.lifecycle_node import STOP_TIMEOUT_S, PerceptionNode
from emotion_perception.ros.qos import RESULTS, image_subscription
from emotion_perception.ros.transport.lazy_subscription import LazySubscription

NAMESPACE = "emotions"
_LIFETIME = Duration(sec=0, nanosec=500_000_000)
_TEXT_HEIGHT_M = 0.06
_NO_TURN = Quaternion(x=0.0, y=0.0, z=0.0, w=1.0)


class MarkerPublisher:
    """Publishes `markers` of a node's `emotions` while somebody listens and the camera's K is known.

    Args:
        node: publishes them; not before `start`.

    Attributes:
        published: MarkerArrays so far.
    """

    def __init__(self, node: PerceptionNode[OverlayConfig]) -> None:
        self._node = node
        self._publisher = node.create_lifecycle_publisher(MarkerArray, "markers", RESULTS)
        self._input: LazySubscription | None = None
        self._worker: LatestFrameWorker[EmotionArray, MarkerArray | None] | None = None
        self._faces = FaceMarkers()
        self.camera: PinholeCamera | None = None
        self.published = 0

    def start(self) -> None:
        """Begins to take emotions."""
        self._worker = LatestFrameWorker(self._make, self._publish, self._node.count_failure)
        self._input = LazySubscription(self._node, self._publisher, lambda: _Subscriptions(self._node, self))

    def stop(self) -> None:
        """Takes no more."""
        if self._input is not None:
            self._input.close()
        if self._worker is not None:
            self._worker.stop(STOP_TIMEOUT_S)
        self._input = self._worker = None

    def close(self) -> None:
        """Withdraws the topic."""
        self._node.destroy_lifecycle_publisher(self._publisher)

    def put(self, message: EmotionArray) -> None:
        """Takes the emotions of one image; a status other than OK says nothing of who is there."""
        if self.camera is None:
            topic = camera_info_topic(self._node)
            self._node.get_logger().info(f"no markers until a camera_info with a K comes from {topic}", once=True)
        elif message.status == EmotionArray.OK and self._worker is not None:
            self._worker.put(message)

    def _make(self, message: EmotionArray) -> MarkerArray | None:
        if (camera := self.camera) is None:
            return None
        markers, vanished = self._faces.update(emotions_from_msg(message), camera)
        return markers_to_msg(message.header, markers, vanished) if markers or vanished else None

    def _publish(self, message: MarkerArray | None, counts: FrameCounts) -> None:
        if message is not None:
            self.published += 1
            self._publisher.publish(message)


class _Subscriptions:
    """What the markers are made of."""

    def __init__(self, node: Node, output: MarkerPublisher) -> None:
        self._node, self._output = node, output
        self._emotions = node.create_subscription(EmotionArray, "emotions", output.put, RESULTS)
        best_effort = image_subscription(1, reliable=False)  # hears reliable cameras too
        self._info = node.create_subscription(CameraInfo, camera_info_topic(node), self._on_info, best_effort)

    def close(self) -> None:
        self._node.destroy_subscription(self._emotions)
        self._node.destroy_subscription(self._info)

    def _on_info(self, message: CameraInfo) -> None:
        self._output.camera = PinholeCamera.from_k(message.k)


def camera_info_topic(node: Node) -> str:
    """Returns what `camera_info` is remapped to, or else the topic beside the images, as image_transport has it."""
    name = node.resolve_topic_name("camera_info")
    if name != node.resolve_topic_name("camera_info", only_expand=True):
        return name
    return node.resolve_topic_name("image_raw").rpartition("/")[0] + "/camera_info"


def markers_to_msg(header: Header, markers: Sequence[FaceMarker], vanished: Sequence[int]) -> MarkerArray:
    """Builds a MarkerArray under the source image's header: sphere and text of each face, and what is taken away."""
    made = [message for marker in markers for message in (_sphere(header, marker), _text(header, marker))]
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
        pose=Pose(position=position, orientation=_NO_TURN),
        scale=size,
        color=ColorRGBA(r=red, g=green, b=blue, a=alpha),
        lifetime=_LIFETIME,
        text=text,
    )
