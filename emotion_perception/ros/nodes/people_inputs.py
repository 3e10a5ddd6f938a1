# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Adds positions and head poses to faces, with what camera_info and depth images tell."""

import time
from collections.abc import Sequence
from contextlib import ExitStack

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from emotion_perception.core.errors import ConfigurationError, ImageError
from emotion_perception.core.people import CameraModel, DepthImage, DepthImages, PeopleEstimator
from emotion_perception.core.people.camera_model import is_rectified
from emotion_perception.core.types import Face, PositionSource
from emotion_perception.ros.config import DetectionNodeConfig
from emotion_perception.ros.conversions import stamp_ns
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.qos import RESULTS_DEPTH, image_subscription
from emotion_perception.ros.topic_names import resolved_topic
from emotion_perception.ros.transport.subscriptions import AnyImage, ImageSubscription, IntraProcessFirstSubscription

_CAMERA_INFO, _IMAGE_SIZE, _DEPTH = "camera_info", "size of camera_info", "depth"
_NO_DEPTH_S = 5.0  # so long images may come without a depth image


class PeopleInputs:
    """Subscribes to `camera_info` and, if the node has a `depth_topic`, to depth images.

    Nothing is subscribed if neither positions nor head poses are computed. A calibration or a depth image that does not
    belong to the images is a problem in /diagnostics and one log line; it is not used. So are images that have had no
    depth image for five seconds.

    Args:
        node: the subscriber; its live parameters apply from the next image on.
        resources: ends the subscriptions.
    """

    def __init__(self, node: PerceptionNode[DetectionNodeConfig], resources: ExitStack) -> None:
        self._node, self._estimator, self._depth_images = node, PeopleEstimator(), DepthImages()
        self._camera: CameraModel | None = None
        self._info: CameraInfo | None = None
        self._with_depth = 0
        self._depth_missing_s: float | None = None  # steady time of the first image without depth since the last one
        config = node.config
        self._info_topic, self._depth_topic = camera_info_topic(node), resolved_depth_topic(node)
        by_name = is_rectified(node.resolve_topic_name("image_raw"))
        self._rectified = by_name if config.image_geometry == "auto" else config.image_geometry == "rectified"
        if not (config.people.positions or config.people.head_pose):
            return
        for key in (_CAMERA_INFO, _IMAGE_SIZE, _DEPTH):
            resources.callback(node.clear_problem, key)
        best_effort = image_subscription(1, reliable=False)  # compatible with reliable cameras too
        IntraProcessFirstSubscription(node, CameraInfo, self._info_topic, self._on_info, best_effort, resources)
        if config.people.positions and self._depth_topic:
            ImageSubscription(
                node,
                self._on_depth,
                resources,
                topic=self._depth_topic,
                depth=RESULTS_DEPTH,
                reliability=config.image_reliability,
            )

    def update(self, faces: Sequence[Face], header: Header, image_wh: tuple[int, int]) -> list[Face]:
        """Returns the faces of the next image with positions and head poses, see `PeopleEstimator.update`.

        Args:
            faces: with their track ids.
            header: of the image.
            image_wh: width and height of the image in pixels.
        """
        config, camera = self._node.config, self._camera_for(image_wh)
        depth = None
        if self._depth_topic and config.people.positions and camera is not None:
            depth = self._depth_for(header, image_wh)
        else:  # what was wrong with depth images matters to nobody now
            self._depth_missing_s = None
            self._node.clear_problem(_DEPTH)
        placed = self._estimator.update(
            faces,
            stamp_ns(header) * 1e-9,
            image_wh,
            config.people,
            camera=camera,
            depth=depth,
            margin=config.detector.margin,
        )
        self._with_depth += sum(face.position.source is PositionSource.DEPTH for face in placed)
        return placed

    def status(self) -> dict[str, object]:
        """Returns whether the camera is calibrated and, with a `depth_topic`, how many faces had a depth."""
        camera = "not calibrated" if self._camera is None else "rectified" if self._rectified else "calibrated"
        return {"camera": camera, **({"faces_with_depth": self._with_depth} if self._depth_topic else {})}

    def _camera_for(self, image_wh: tuple[int, int]) -> CameraModel | None:
        camera, problem = self._camera, ""
        if camera is not None and not camera.fits(image_wh):
            sizes = f"{camera.image_wh[0]}x{camera.image_wh[1]} pixels, the images have {image_wh[0]}x{image_wh[1]}"
            problem, camera = f"{self._info_topic} is for {sizes}: positions are unknown", None
        self._node.set_problem(_IMAGE_SIZE, problem)
        return camera

    def _depth_for(self, header: Header, image_wh: tuple[int, int]) -> DepthImage | None:
        window_s = self._node.config.depth_window_s
        depth, now_s = self._depth_images.closest(stamp_ns(header), window_s), time.monotonic()
        if depth is None:
            if self._depth_missing_s is None:
                self._depth_missing_s = now_s
            if now_s - self._depth_missing_s >= _NO_DEPTH_S:
                self._node.set_problem(
                    _DEPTH, f"no depth image on {self._depth_topic} within {window_s:g} s of an image"
                )
            return None
        self._depth_missing_s = None
        problem = depth.mismatch(header.frame_id, image_wh)
        self._node.set_problem(_DEPTH, problem and f"{self._depth_topic} is not registered to the images: {problem}")
        return None if problem else depth

    def _on_info(self, message: CameraInfo) -> None:
        if message is self._info:  # camera_node of the same process passes one object on as long as nothing changes
            return
        self._info = message
        try:
            self._camera = CameraModel.from_info(message, rectified=self._rectified)
        except ValueError as e:
            self._camera = None
            self._node.set_problem(_CAMERA_INFO, f"{self._info_topic}: {e}; positions are unknown")
        else:
            self._node.clear_problem(_CAMERA_INFO)

    def _on_depth(self, message: AnyImage) -> None:
        try:
            self._depth_images.add(DepthImage(stamp_ns(message.header), message))
        except ImageError as e:
            self._node.count_fault(f"{self._depth_topic}: {e}")


def resolved_depth_topic(node: PerceptionNode[DetectionNodeConfig]) -> str:
    """Returns the full name of the node's `depth_topic`, empty if there is none.

    Raises:
        ConfigurationError: as of `resolved_topic`, or its images are compressed.
    """
    topic = node.config.depth_topic
    if topic.rpartition("/")[2] in ("compressed", "compressedDepth"):
        raise ConfigurationError(f"depth_topic: '{topic}' has compressed images; raw ones are needed")
    return resolved_topic(node, topic, "depth_topic") if topic else ""


def camera_info_topic(node: Node) -> str:
    """Returns the topic that `camera_info` is remapped to, else `camera_info` in the namespace of the images."""
    name = node.resolve_topic_name("camera_info")
    if name != node.resolve_topic_name("camera_info", only_expand=True):
        return str(name)
    return str(node.resolve_topic_name("image_raw").rpartition("/")[0]) + "/camera_info"
