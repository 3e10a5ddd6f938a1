# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""overlay_node: draws faces and emotions on their images.

Subscribes to `emotions` (emotion_perception/EmotionArray) and `image_raw` (sensor_msgs/Image, or CompressedImage),
joined by equal stamps, and `camera_info` (sensor_msgs/CameraInfo). Publishes `image_overlay` (sensor_msgs/Image, bgr8)
and `markers` (visualization_msgs/MarkerArray) under the image's header, each only while it has subscribers. An image
whose emotions are late is drawn without them; with `anonymize` the whole image is hidden then, as the regions of its
faces are not known.
"""

from contextlib import ExitStack
from typing import TYPE_CHECKING

from rclpy.lifecycle import LifecyclePublisher
from sensor_msgs.msg import Image

from emotion_perception.core.rendering import FaceAnonymizer, draw_overlay
from emotion_perception.core.sync import ImageResultSync, LatestFrameWorker
from emotion_perception.core.types import FrameCounts
from emotion_perception.ros.command_line import NodeArgumentParser
from emotion_perception.ros.config import OverlayNodeConfig
from emotion_perception.ros.conversions import emotions_from_msg, stamp_ns
from emotion_perception.ros.lifecycle_node import Behavior, PerceptionNode
from emotion_perception.ros.node_options import PerceptionNodeOptions
from emotion_perception.ros.node_runner import run_node
from emotion_perception.ros.nodes.marker_publisher import MarkerPublisher
from emotion_perception.ros.process import STOP_TIMEOUT_S
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.transport.image_messages import bgr_to_image, image_to_bgr
from emotion_perception.ros.transport.image_result_subscription import EmotionQueue, ImageResultSubscription, Pair
from emotion_perception.ros.transport.lazy_subscription import LazySubscription

if TYPE_CHECKING:
    from typing_extensions import Unpack


class OverlayNode(PerceptionNode[OverlayNodeConfig]):
    """Draws emotions on their images.

    Args:
        options: see `PerceptionNodeOptions`.
    """

    def __init__(self, **options: "Unpack[PerceptionNodeOptions]") -> None:
        super().__init__("overlay_node", OverlayNodeConfig, **options)

    def configure(self, resources: ExitStack) -> Behavior:
        """Creates the publishers of the overlay and the markers."""
        images = self.create_lifecycle_publisher(Image, "image_overlay", RESULTS)
        resources.callback(self.destroy_lifecycle_publisher, images)
        return OverlayDrawing(self, images, MarkerPublisher(self, resources))


class OverlayDrawing(Behavior):
    """Draws the newest image with its emotions in a thread of its own.

    Args:
        node: the subscriber; its live parameters apply from the next image on.
        images: the publisher of the overlay.
        markers: the publisher of the markers.
    """

    def __init__(self, node: OverlayNode, images: LifecyclePublisher, markers: MarkerPublisher) -> None:
        self._node, self._images, self._markers = node, images, markers
        self._queue: EmotionQueue = ImageResultSync(node.config.sync_queue_size)
        self._anonymizer = FaceAnonymizer()
        # written by the worker thread, and by `LatestFrameWorker.stop` after it has excluded a thread that hangs
        self._drawn = self._drawn_without_emotions = self._overwritten = 0

    def activate(self, resources: ExitStack) -> None:
        """Starts the threads and subscribes to images, emotions and camera_info."""
        self._markers.activate(resources)
        worker = LatestFrameWorker(self._draw, self._publish, self._node.count_failure, on_drop=self._count_overwritten)
        resources.callback(worker.stop, STOP_TIMEOUT_S)
        LazySubscription(
            self._node,
            self._images,
            lambda inputs: ImageResultSubscription(self._node, self._queue, worker.put, inputs),
            resources,
        )

    def status(self) -> dict[str, object]:
        """Returns the number of drawn images, those without emotions, those skipped for later ones, and of markers."""
        return {
            "drawn": self._drawn,
            "drawn_without_emotions": self._drawn_without_emotions,
            "superseded": self._queue.superseded + self._overwritten,
            "emotions_unmatched": self._queue.unmatched,
            "markers": self._markers.published,
        }

    def _draw(self, pair: Pair) -> tuple[Image, bool] | None:
        (image, message), options = pair, self._node.config.overlay
        if not self._images.get_subscription_count():
            return None
        emotions, labels = ([], ()) if message is None else (emotions_from_msg(message), tuple(message.labels))
        faces = None if message is None or message.faces_omitted else [emotion.face for emotion in emotions]
        overlay = self._anonymizer.hide(image_to_bgr(image), faces, stamp_ns(image.header) * 1e-9, options.anonymize)
        overlay = draw_overlay(overlay, emotions, labels, options)
        return bgr_to_image(overlay, image.header), message is None

    def _publish(self, drawn: tuple[Image, bool] | None, counts: FrameCounts) -> None:
        if drawn is not None:
            overlay, without_emotions = drawn
            self._drawn += 1
            self._drawn_without_emotions += without_emotions
            self._images.publish(overlay)
            self._node.note_published(overlay.header)

    def _count_overwritten(self, pair: Pair) -> None:
        self._overwritten += 1


def main() -> int:
    """Runs the node; returns the exit code."""
    NodeArgumentParser("overlay_node", __doc__, ["overlay_node"]).parse_command_line()
    return run_node(OverlayNode)
