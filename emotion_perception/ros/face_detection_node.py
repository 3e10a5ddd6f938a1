"""face_detection_node: where the faces are.

Subscribes `image_raw` (sensor_msgs/Image). Publishes `faces` (emotion_perception/FaceArray), one for every image that
was processed, under that image's header. Always works on the newest image; one that is overwritten is counted.
"""

import time
from dataclasses import dataclass

import cv2
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from emotion_perception.core.config import DetectionConfig
from emotion_perception.core.detection import create_detector, select_faces
from emotion_perception.core.latest_frame import LatestFrameWorker
from emotion_perception.core.tracking import Tracker
from emotion_perception.core.types import Face, FrameCounts
from emotion_perception.ros.conversions import FaceArray, faces_to_msg, stamp_ns
from emotion_perception.ros.images import image_to_bgr
from emotion_perception.ros.node import STOP_TIMEOUT_S, PerceptionNode, run_node
from emotion_perception.ros.qos import IMAGES_DEPTH, RESULTS
from emotion_perception.ros.subscriptions import ImageSubscription


@dataclass(frozen=True)
class _Found:
    header: Header
    faces: list[Face]
    detect_ms: float


class FaceDetectionNode(PerceptionNode[DetectionConfig]):
    """Finds and tracks faces."""

    def __init__(self, *, detector_factory=create_detector, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__("face_detection_node", DetectionConfig, **options)
        self._make_detector = detector_factory
        self._tracker = Tracker()
        self._detector = self._worker = self._images = None
        self._counts = FrameCounts()

    def setup(self) -> None:
        """Loads the detector."""
        cv2.setNumThreads(self.config.num_threads)
        self._detector = self._make_detector(self.config)
        self._faces = self.create_lifecycle_publisher(FaceArray, "faces", RESULTS)

    def start(self) -> None:
        """Begins to take images."""
        self._tracker.reset()
        self._worker = LatestFrameWorker(self._detect, self._publish, self.count_failure)
        self._images = ImageSubscription(
            self, self._worker.put, depth=IMAGES_DEPTH, reliability=self.config.image_reliability
        )

    def stop(self) -> None:
        """Ends the subscription, then finishes the frame under way."""
        if self._images is not None:
            self._images.close()
            self._worker.stop(STOP_TIMEOUT_S)
            self._counts = self._worker.counts
        self._images = self._worker = None

    def teardown(self) -> None:
        """Lets the detector go."""
        if self._detector is not None:
            self._detector = None
            self.destroy_lifecycle_publisher(self._faces)

    def status(self) -> dict[str, object]:
        """Tells what became of the images."""
        if self._worker is not None:
            self._counts = self._worker.counts
        return {"detector": self.config.detector, **vars(self._counts), "pending": self._counts.pending}

    def _detect(self, message: Image) -> _Found:
        image_bgr, stamp_s = image_to_bgr(message), stamp_ns(message.header) * 1e-9
        begun_s, config = time.monotonic(), self.config
        faces = select_faces(self._detector.detect(image_bgr), config)
        tracked = self._tracker.update(faces, stamp_s, min_iou=config.track_iou, max_missed_s=config.max_missed_s)
        return _Found(message.header, tracked, (time.monotonic() - begun_s) * 1e3)

    def _publish(self, found: _Found, counts: FrameCounts) -> None:
        name = self.config.detector
        self._faces.publish(
            faces_to_msg(found.header, found.faces, detector=name, detect_ms=found.detect_ms, counts=counts)
        )


def main() -> int:
    """Runs the node; returns the exit code."""
    return run_node(FaceDetectionNode)
