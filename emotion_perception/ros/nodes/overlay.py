# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""overlay_node: draws faces and emotions on their images.

Subscribes to `emotions` (emotion_perception/EmotionArray) and `image_raw` (sensor_msgs/Image, or CompressedImage),
joined by equal stamps, and `camera_info` (sensor_msgs/CameraInfo). Publishes `image_overlay` (sensor_msgs/Image, bgr8),
`image_overlay/compressed` (sensor_msgs/CompressedImage, JPEG), `markers` (visualization_msgs/MarkerArray) and, where
that package is installed, `image_annotations` (foxglove_msgs/ImageAnnotations) under the image's header or stamp, each
only while it has subscribers. An image whose emotions are late is drawn without them; with
`anonymize` the whole image is hidden then, as the regions of its faces are not known.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from emotion_perception.core.rendering import MAX_LABELED_FACES, FaceAnonymizer, draw_overlay, status_line
from emotion_perception.core.sync import ImageResultSync, LatestFrameWorker
from emotion_perception.core.types import FrameCounts
from emotion_perception.ros.command_line import NodeArgumentParser
from emotion_perception.ros.config import OverlayNodeConfig
from emotion_perception.ros.conversions import emotions_from_msg, stamp_ns
from emotion_perception.ros.lifecycle_node import Behavior, PerceptionNode
from emotion_perception.ros.node_options import PerceptionNodeOptions
from emotion_perception.ros.node_runner import run_node
from emotion_perception.ros.nodes.annotation_publisher import AnnotationPublisher
from emotion_perception.ros.nodes.marker_publisher import MarkerPublisher
from emotion_perception.ros.process import STOP_TIMEOUT_S
from emotion_perception.ros.transport.image_messages import NO_PIXELS, image_to_bgr, size_of_image
from emotion_perception.ros.transport.image_result_subscription import EmotionQueue, ImageResultSubscription, Pair
from emotion_perception.ros.transport.lazy_subscription import LazySubscription
from emotion_perception.ros.transport.overlay_publishers import DrawnImage, OverlayPublishers

if TYPE_CHECKING:
    from typing_extensions import Unpack

_STREAM = "image_overlay"


class OverlayNode(PerceptionNode[OverlayNodeConfig]):
    """Draws emotions on their images.

    Args:
        options: see `PerceptionNodeOptions`.
    """

    component = "overlay"

    def __init__(self, **options: "Unpack[PerceptionNodeOptions]") -> None:
        super().__init__("overlay_node", OverlayNodeConfig, **options)

    def configure(self, resources: ExitStack) -> Behavior:
        """Creates the publishers of the overlay, the markers and the annotations."""
        publishers = MarkerPublisher(self, resources), AnnotationPublisher(self, resources)
        return OverlayDrawing(self, OverlayPublishers(self, resources), *publishers)


class OverlayDrawing(Behavior):
    """Draws the newest image with its emotions in a thread of its own.

    Args:
        node: the subscriber; its live parameters apply from the next image on.
        images: the publishers of the overlay.
        markers: the publisher of the markers.
        annotations: the publisher of the annotations.
    """

    def __init__(
        self, node: OverlayNode, images: OverlayPublishers, markers: MarkerPublisher, annotations: AnnotationPublisher
    ) -> None:
        self._node, self._images, self._markers, self._annotations = node, images, markers, annotations
        self._queue: EmotionQueue = ImageResultSync(node.config.sync_queue_size, size_of=size_of_image)
        self._anonymizer = FaceAnonymizer()
        # written by the worker thread, and by `LatestFrameWorker.stop` after it has excluded a thread that hangs
        self._dropped = 0
        self._drawn = self._drawn_without_emotions = self._compressed = self._overwritten = 0

    def activate(self, resources: ExitStack) -> None:
        """Starts the threads and subscribes to images, emotions and camera_info."""
        self._markers.activate(resources)
        self._annotations.activate(resources)
        on_failure = partial(self._node.count_failure, _STREAM)
        worker = LatestFrameWorker(
            self._draw,
            self._publish,
            on_failure,
            on_drop=self._count_overwritten,
            without_image=lambda _: (NO_PIXELS, None),
        )
        resources.callback(worker.stop, STOP_TIMEOUT_S)
        self._node.show_load(_STREAM, worker.load, resources)
        publishers = [self._images.raw, self._images.compressed]
        LazySubscription(self._node, publishers, partial(self._subscribe, worker.put), resources)

    def status(self) -> dict[str, object]:
        """Returns the numbers of drawn and superseded images, JPEG images, unmatched results, markers, annotations."""
        return {
            "drawn": self._drawn,
            "drawn_without_emotions": self._drawn_without_emotions,
            "compressed": self._compressed,
            "superseded": self._queue.superseded + self._overwritten,
            "emotions_unmatched": self._queue.unmatched,
            "markers": self._markers.published,
            "annotations": self._annotations.published,
        }

    def _subscribe(self, put: Callable[[Pair], None], inputs: ExitStack) -> None:
        ImageResultSubscription(self._node, self._queue, put, inputs)
        inputs.callback(self._node.diagnostics.frame_succeeded, _STREAM)

    def _draw(self, pair: Pair) -> DrawnImage | None:
        (image, message), options = pair, self._node.config.overlay
        if not self._images.subscribers:
            return None
        emotions, labels = ([], ()) if message is None else (emotions_from_msg(message), tuple(message.labels))
        if len(emotions) > MAX_LABELED_FACES:
            text = f"{len(emotions)} faces in an image, only the largest {MAX_LABELED_FACES} have labels"
            self._node.count_fault(text)
        faces = None if message is None or message.faces_omitted else [emotion.face for emotion in emotions]
        overlay = self._anonymizer.hide(image_to_bgr(image), faces, stamp_ns(image.header) * 1e-9, options.anonymize)
        if message is not None:
            self._dropped = message.frames_dropped
        status = self._status(stamp_ns(image.header)) if options.draw_status else ""
        overlay = draw_overlay(overlay, emotions, labels, options, status=status)
        return self._images.convert(overlay, image.header, without_emotions=message is None)

    def _status(self, stamp_ns: int) -> str:
        """Returns the line with the rate of overlays, the age of the image, and the drops of the detection node."""
        age_ms = (self._node.get_clock().now().nanoseconds - stamp_ns) * 1e-6
        return status_line(self._node.diagnostics.rate_hz, age_ms, self._dropped)

    def _publish(self, drawn: DrawnImage | None, counts: FrameCounts) -> None:
        if drawn is not None:
            self._drawn += 1
            self._drawn_without_emotions += drawn.without_emotions
            self._compressed += drawn.compressed is not None
            self._images.publish(drawn)
            self._node.note_published(drawn.header)
            self._node.diagnostics.frame_succeeded(_STREAM)

    def _count_overwritten(self, pair: Pair) -> None:
        self._overwritten += 1


def main() -> int:
    """Runs the node; returns the exit code."""
    NodeArgumentParser("overlay_node", __doc__, ["overlay_node"]).parse_command_line()
    return run_node(OverlayNode)
