# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""face_detection_node: where the faces are.

Subscribes `image_raw` (sensor_msgs/Image, or CompressedImage). Publishes `faces` (emotion_perception/FaceArray), one
for every image that was processed, under its header. Always works on the newest image; overwritten ones are counted.
"""

import time
from dataclasses import dataclass

from std_msgs.msg import Header

from emotion_perception.core.config import DetectionConfig
from emotion_perception.core.detection.factory import create_detector
from emotion_perception.core.detection.non_face_filter import create_non_face_filter
from emotion_perception.core.sync.latest_frame import LatestFrameWorker
from emotion_perception.core.tracking.face_tracking_pipeline import FaceTrackingPipeline
from emotion_perception.core.tracking.tracker import Tracker
from emotion_perception.core.types import Face, FrameCounts
from emotion_perception.ros.conversions import FaceArray, faces_to_msg, stamp_ns
from emotion_perception.ros.lifecycle_node import STOP_TIMEOUT_S, PerceptionNode, counts_status, run_node
from emotion_perception.ros.qos import IMAGES_DEPTH
from emotion_perception.ros.transport.image_messages import image_to_bgr
from emotion_perception.ros.transport.result_publisher import ResultPublisher
from emotion_perception.ros.transport.subscriptions import AnyImage, ImageSubscription


@dataclass(frozen=True)
class _Found:
    header: Header
    faces: list[Face]
    detect_ms: float


class FaceDetectionNode(PerceptionNode[DetectionConfig]):
    """Finds, verifies and tracks faces."""

    def __init__(  # type: ignore[no-untyped-def]
        self, *, detector_factory=create_detector, non_face_filter_factory=create_non_face_filter, **options
    ) -> None:
        super().__init__("face_detection_node", DetectionConfig, **options)
        self._make_detector, self._make_verifier = detector_factory, non_face_filter_factory
        self._tracker = Tracker()
        self._finder = self._faces = self._worker = self._images = None
        self._counts = FrameCounts()

    def setup(self) -> None:
        """Loads the detector, and the verifier where one is wanted."""
        self._finder = FaceTrackingPipeline(
            self._make_detector(self.config), self._make_verifier(self.config), self._tracker
        )
        self._faces = ResultPublisher(self, FaceArray, "faces")

    def start(self) -> None:
        """Begins to take images."""
        self._finder.reset()
        self._worker = LatestFrameWorker(self._detect, self._publish, self.count_failure)
        self._images = ImageSubscription(
            self,
            self._worker.put,
            depth=IMAGES_DEPTH,
            reliability=self.config.image_reliability,
            transport=self.config.image_transport,
        )

    def stop(self) -> None:
        """Ends the subscription, then the frame under way."""
        if self._images is not None:
            self._images.close()
        if self._worker is not None:
            self._worker.stop(STOP_TIMEOUT_S)
            self._counts = self._worker.counts
        self._images = self._worker = None

    def teardown(self) -> None:
        """Lets detector and verifier go."""
        if self._faces is not None:
            self._faces.close()
        self._finder = self._faces = None

    def status(self) -> dict[str, object]:
        """Tells what became of the images."""
        if self._worker is not None:
            self._counts = self._worker.counts
        refused = self._finder.refused if self._finder is not None else 0
        own = {"detector": self.config.detector, "refused": refused}
        return {**own, **counts_status(self._counts)}

    def _detect(self, message: AnyImage) -> _Found:
        self.trace("begun", stamp_ns(message.header))
        image_bgr, stamp_s = image_to_bgr(message), stamp_ns(message.header) * 1e-9
        begun_s = time.monotonic()
        faces = self._finder.find(image_bgr, stamp_s, self.config)
        return _Found(message.header, faces, (time.monotonic() - begun_s) * 1e3)

    def _publish(self, found: _Found, counts: FrameCounts) -> None:
        origin = {"detector": self.config.detector, "detect_ms": found.detect_ms, "counts": counts}
        self._faces.publish(faces_to_msg(found.header, found.faces, **origin))


def main() -> int:
    """Runs the node; returns the exit code."""
    return run_node(FaceDetectionNode)
