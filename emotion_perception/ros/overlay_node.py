"""overlay_node: the pictures with what was recognised drawn on them.

Subscribes `emotions` (emotion_perception/EmotionArray) and `image_raw` (sensor_msgs/Image), joined by equal stamps.
Publishes `image_overlay` (sensor_msgs/Image, bgr8) under the source image's header; draws only while somebody looks.
"""

from sensor_msgs.msg import Image

from emotion_perception.core.config import OverlayConfig
from emotion_perception.core.latest_frame import LatestFrameWorker
from emotion_perception.core.overlay import draw_overlay
from emotion_perception.core.types import FrameCounts
from emotion_perception.ros.conversions import EmotionArray, emotions_from_msg
from emotion_perception.ros.images import bgr_to_image, image_to_bgr
from emotion_perception.ros.node import STOP_TIMEOUT_S, PerceptionNode, run_node
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.subscriptions import JoinedSubscription


class OverlayNode(PerceptionNode[OverlayConfig]):
    """Draws emotions on their pictures."""

    def __init__(self, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__("overlay_node", OverlayConfig, **options)
        self._input = self._worker = self._pictures = None
        self._drawn = 0

    def setup(self) -> None:
        """Announces the overlay."""
        self._pictures = self.create_lifecycle_publisher(Image, "image_overlay", RESULTS)

    def start(self) -> None:
        """Begins to take images and emotions."""
        self._worker = LatestFrameWorker(self._draw, self._publish, self.count_failure)
        self._input = JoinedSubscription(self, EmotionArray, "emotions", self._worker.put, self.config)

    def stop(self) -> None:
        """Takes no more."""
        if self._input is not None:
            self._input.close()
            self._worker.stop(STOP_TIMEOUT_S)
        self._input = self._worker = None

    def teardown(self) -> None:
        """Withdraws the overlay."""
        if self._pictures is not None:
            self.destroy_lifecycle_publisher(self._pictures)
        self._pictures = None

    def status(self) -> dict[str, object]:
        """Tells how many pictures were drawn."""
        return {"drawn": self._drawn, "unmatched": self._input.unmatched if self._input is not None else 0}

    def _draw(self, pair: tuple[Image | None, EmotionArray]) -> Image | None:
        (image, message), config = pair, self.config
        if image is None or not self._pictures.get_subscription_count():
            return None
        bars, landmarks = config.draw_bars, config.draw_landmarks
        emotions, labels = emotions_from_msg(message), tuple(message.labels)
        picture = draw_overlay(image_to_bgr(image), emotions, labels, bars=bars, landmarks=landmarks)
        return bgr_to_image(picture, image.header)

    def _publish(self, picture: Image | None, counts: FrameCounts) -> None:
        if picture is not None:
            self._drawn += 1
            self._pictures.publish(picture)


def main() -> int:
    """Runs the node; returns the exit code."""
    return run_node(OverlayNode)
