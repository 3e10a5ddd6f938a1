# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The topics of the overlay: raw image and compressed image, under one header."""

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from emotion_perception.ros.config import OverlayNodeConfig
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.transport.image_messages import bgr_to_compressed, bgr_to_image


@dataclass(frozen=True)
class DrawnImage:
    """An overlay in the forms that have subscribers; None for one that has none."""

    header: Header
    raw: Image | None
    compressed: CompressedImage | None
    without_emotions: bool


class OverlayPublishers:
    """Publishes overlays raw and as JPEG, each form made only while it has subscribers.

    As with image_transport, the compressed topic is named after `image_overlay`, as it is remapped, with `/compressed`
    appended.

    Args:
        node: the publisher; its `jpeg_quality` applies from the next image on.
        resources: destroys the publishers.

    Attributes:
        raw: publisher of `image_overlay`.
        compressed: publisher of `image_overlay/compressed`.
    """

    def __init__(self, node: PerceptionNode[OverlayNodeConfig], resources: ExitStack) -> None:
        self._node = node
        self.raw = node.create_lifecycle_publisher(Image, "image_overlay", RESULTS)
        resources.callback(node.destroy_lifecycle_publisher, self.raw)
        topic = f"{self.raw.topic_name}/compressed"
        self.compressed = node.create_lifecycle_publisher(CompressedImage, topic, RESULTS)
        resources.callback(node.destroy_lifecycle_publisher, self.compressed)

    @property
    def subscribers(self) -> int:
        """How many subscribers have been discovered."""
        return int(self.raw.get_subscription_count() + self.compressed.get_subscription_count())

    def convert(self, image_bgr: NDArray[np.uint8], header: Header, *, without_emotions: bool) -> DrawnImage:
        """Returns the messages that have subscribers.

        Args:
            image_bgr: uint8 (H, W, 3), the overlay.
            header: of the source image.
            without_emotions: whether the emotions came too late.

        Raises:
            ImageError: the image is too large for JPEG.
        """
        raw = bgr_to_image(image_bgr, header) if self.raw.get_subscription_count() else None
        wanted, quality = self.compressed.get_subscription_count(), self._node.config.jpeg_quality
        compressed = bgr_to_compressed(image_bgr, header, quality) if wanted else None
        return DrawnImage(header, raw, compressed, without_emotions)

    def publish(self, drawn: DrawnImage) -> None:
        """Publishes the messages that there are."""
        if drawn.raw is not None:
            self.raw.publish(drawn.raw)
        if drawn.compressed is not None:
            self.compressed.publish(drawn.compressed)
