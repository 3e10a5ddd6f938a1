# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The topics of camera_node: raw image, compressed image and camera_info, under one header."""

import time
from contextlib import ExitStack

from rclpy.lifecycle import LifecyclePublisher
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from emotion_perception.core.camera import MonotonicStamps
from emotion_perception.core.types import Frame
from emotion_perception.ros import qos
from emotion_perception.ros.camera_info import CameraInfoSource
from emotion_perception.ros.config import CameraNodeConfig
from emotion_perception.ros.conversions import stamp_ns
from emotion_perception.ros.intra_process import SharedImage
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.transport.image_messages import bgr_to_compressed, bgr_to_image


class CameraPublishers:
    """Publishes frames as `image_raw`, `image_raw/compressed` and `camera_info`.

    Images are converted only while they have subscribers; nodes of the same process get raw ones by reference. As with
    image_transport, the compressed topic is named after `image_raw`, as it is remapped, with `/compressed` appended.

    Args:
        node: the publisher; its `jpeg_quality` applies from the next frame on.
        info_source: makes the camera_info of each frame.
        stamps: makes the stamps; outlives the publishers.
        resources: destroys the publishers.
    """

    def __init__(
        self,
        node: PerceptionNode[CameraNodeConfig],
        info_source: CameraInfoSource,
        stamps: MonotonicStamps,
        resources: ExitStack,
    ) -> None:
        self._node, self._info_source, self._stamps, self._intra_process = node, info_source, stamps, node.intra_process
        self._raw = self._create(Image, "image_raw", resources)
        self._compressed = self._create(CompressedImage, f"{self._raw.topic_name}/compressed", resources)
        self._infos = self._create(CameraInfo, "camera_info", resources)

    @property
    def subscribers(self) -> int:
        """How many subscribers of images have been discovered."""
        return self._subscribers_of(self._raw) + self._subscribers_of(self._compressed)

    def publish(self, frame: Frame) -> Header:
        """Publishes one frame; returns its header, whose stamp is the time of the grab on the node's clock."""
        image_bgr, header = frame.image_bgr, self._header(time.monotonic() - frame.grabbed_s)
        self._node.trace("grabbed", stamp_ns(header), round(frame.grabbed_s * 1e9))
        self._node.trace("begun", stamp_ns(header))
        self._intra_process.publish(self._raw.topic_name, SharedImage(header, image_bgr))
        if self._raw.get_subscription_count():
            self._raw.publish(bgr_to_image(image_bgr, header))
        info = self._info_source.info((image_bgr.shape[1], image_bgr.shape[0]))
        info.header = header
        self._intra_process.publish(self._infos.topic_name, info)  # one object, of which only the header changes
        self._infos.publish(info)
        if self._subscribers_of(self._compressed):
            message = bgr_to_compressed(image_bgr, header, self._node.config.jpeg_quality)
            self._intra_process.publish(self._compressed.topic_name, message)
            self._compressed.publish(message)
        return header

    def _subscribers_of(self, publisher: LifecyclePublisher) -> int:
        return int(publisher.get_subscription_count() + self._intra_process.subscribers(publisher.topic_name))

    def _header(self, age_s: float) -> Header:
        stamp_ns = self._stamps.next_ns(self._node.get_clock().now().nanoseconds, age_s)
        return Header(stamp=Time(nanoseconds=stamp_ns).to_msg(), frame_id=self._node.config.frame_id)

    def _create(self, message_type: type, topic: str, resources: ExitStack) -> LifecyclePublisher:
        profile = qos.image_publisher(self._node.config.queue_depth)
        overrides = qos.IMAGE_PUBLISHER_OVERRIDES
        publisher = self._node.create_lifecycle_publisher(
            message_type, topic, profile, qos_overriding_options=overrides
        )
        resources.callback(self._node.destroy_lifecycle_publisher, publisher)
        resources.callback(self._intra_process.advertise(publisher.topic_name))
        return publisher
