# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""overlay_node: the images with what was recognized drawn on them.

Subscribes `emotions` (emotion_perception/EmotionArray) and `image_raw` (sensor_msgs/Image, or CompressedImage), joined
by equal stamps, and `camera_info` (sensor_msgs/CameraInfo). Publishes `image_overlay` (sensor_msgs/Image, bgr8) and
`markers` (visualization_msgs/MarkerArray) under the source image's header, each only while somebody listens. An image
whose emotions are late is drawn without; with `anonymize` it is then hidden whole: nobody knows where its faces are.
"""

from sensor_msgs.msg import Image

from emotion_perception.core.config import OverlayConfig
from emotion_perception.core.rendering.anonymize import FaceAnonymizer
from emotion_perception.core.rendering.overlay import draw_overlay
from emotion_perception.core.sync.image_result_sync import ImageResultSync
from emotion_perception.core.sync.latest_frame import LatestFrameWorker
from emotion_perception.core.types import FrameCounts
from emotion_perception.ros.conversions import emotions_from_msg, stamp_ns
from emotion_perception.ros.lifecycle_node import STOP_TIMEOUT_S, PerceptionNode, run_node
from emotion_perception.ros.nodes.marker_output import MarkerPublisher
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.transport.image_messages import bgr_to_image, image_to_bgr
from emotion_perception.ros.transport.image_result_subscription import EmotionQueue, ImageResultSubscription, Pair
from emotion_perception.ros.transport.lazy_subscription import LazySubscription


class OverlayNode(PerceptionNode[OverlayConfig]):
    """Draws emotions on their images."""

    def __init__(self, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__("overlay_node", OverlayConfig, **options)
        self._queue: EmotionQueue = ImageResultSync(self.config.sync_queue_size)
        self._hider = FaceAnonymizer()
        self._input = self._worker = self._images = self._markers = None
        self._drawn = self._drawn_without_emotions = self._overtaken = 0

    def setup(self) -> None:
        """Announces the overlay and the markers."""
        self._images = self.create_lifecycle_publisher(Image, "image_overlay", RESULTS)
        self._markers = MarkerPublisher(self)

    def start(self) -> None:
        """Begins to take images and emotions."""
        self._worker = LatestFrameWorker(self._draw, self._publish, self.count_failure, on_drop=self._skip)
        self._input = LazySubscription(
            self, self._images, lambda: ImageResultSubscription(self, self._queue, self._worker.put)
        )
        self._markers.start()

    def stop(self) -> None:
        """Takes no more."""
        if self._input is not None:
            self._input.close()
        if self._worker is not None:
            self._worker.stop(STOP_TIMEOUT_S)
            self._markers.stop()
        self._input = self._worker = None

    def teardown(self) -> None:
        """Withdraws the overlay and the markers."""
        if self._images is not None:
            self.destroy_lifecycle_publisher(self._images)
        if self._markers is not None:
            self._markers.close()
        self._images = self._markers = None

    def status(self) -> dict[str, object]:
        """Tells how many images were drawn, how many of them bare, how many gave way to later ones, and markers."""
        return {
            "drawn": self._drawn,
            "drawn_without_emotions": self._drawn_without_emotions,
            "superseded": self._queue.superseded + self._overtaken,
            "emotions_unmatched": self._queue.unmatched,
            "markers": self._markers.published if self._markers is not None else 0,
        }

    def _draw(self, pair: Pair) -> tuple[Image, bool] | None:
        (image, message), config = pair, self.config
        if not self._images.get_subscription_count():
            return None
        emotions, labels = ([], ()) if message is None else (emotions_from_msg(message), tuple(message.labels))
        faces = None if message is None or message.faces_omitted else [emotion.face for emotion in emotions]
        overlay = self._hider.hide(image_to_bgr(image), faces, stamp_ns(image.header) * 1e-9, config.anonymize)
        overlay = draw_overlay(overlay, emotions, labels, bars=config.draw_bars, landmarks=config.draw_landmarks)
        return bgr_to_image(overlay, image.header), message is None

    def _publish(self, drawn: tuple[Image, bool] | None, counts: FrameCounts) -> None:
        if drawn is not None:
            overlay, bare = drawn
            self._drawn += 1
            self._drawn_without_emotions += bare
            self._images.publish(overlay)
            self.note_published(overlay.header)

    def _skip(self, pair: Pair) -> None:
        self._overtaken += 1


def main() -> int:
    """Runs the node; returns the exit code."""
    return run_node(OverlayNode)
