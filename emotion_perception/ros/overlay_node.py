"""overlay_node: the pictures with what was recognised drawn on them.

Subscribes `emotions` (emotion_perception/EmotionArray) and `image_raw` (sensor_msgs/Image), joined by equal stamps.
Publishes `image_overlay` (sensor_msgs/Image, bgr8) under the source image's header; draws only while somebody looks.
"""

from sensor_msgs.msg import Image

from emotion_perception.core.config import OverlayConfig
from emotion_perception.core.overlay import draw_overlay
from emotion_perception.ros.conversions import EmotionArray, emotions_from_msg
from emotion_perception.ros.images import bgr_to_image, image_to_bgr
from emotion_perception.ros.node import PerceptionNode, run_node
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.subscriptions import JoinedSubscription


class OverlayNode(PerceptionNode[OverlayConfig]):
    """Draws emotions on their pictures."""

    def __init__(self, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__("overlay_node", OverlayConfig, **options)
        self._input = self._pictures = None
        self._drawn = 0

    def setup(self) -> None:
        """Announces the overlay."""
        self._pictures = self.create_lifecycle_publisher(Image, "image_overlay", RESULTS)

    def start(self) -> None:
        """Begins to take images and emotions."""
        self._input = JoinedSubscription(self, EmotionArray, "emotions", self._draw, self.config)

    def stop(self) -> None:
        """Takes no more."""
        if self._input is not None:
            self._input.close()
        self._input = None

    def teardown(self) -> None:
        """Withdraws the overlay."""
        if self._pictures is not None:
            self.destroy_lifecycle_publisher(self._pictures)
        self._pictures = None

    def status(self) -> dict[str, object]:
        """Tells how many pictures were drawn."""
        return {"drawn": self._drawn, "unmatched": self._input.unmatched if self._input is not None else 0}

    def _draw(self, image: Image | None, message: EmotionArray) -> None:
        if image is None or not self._pictures.get_subscription_count():
            return
        config = self.config
        try:
            emotions = emotions_from_msg(message)
            picture = draw_overlay(
                image_to_bgr(image),
                emotions,
                tuple(message.labels),
                bars=config.draw_bars,
                landmarks=config.draw_landmarks,
            )
        except Exception as e:  # noqa: BLE001 - whatever one picture does to the drawing, the next one is drawn
            self.count_fault(str(e) or type(e).__name__)
            return
        self._drawn += 1
        self._pictures.publish(bgr_to_image(picture, image.header))


def main() -> int:
    """Runs the node; returns the exit code."""
    return run_node(OverlayNode)
