# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""face_detection_node: detects and tracks the faces in camera images.

Subscribes to `image_raw` (sensor_msgs/Image, or CompressedImage), `camera_info` (sensor_msgs/CameraInfo) and, if there
is a `depth_topic`, to depth images (sensor_msgs/Image). Publishes `faces` (emotion_perception/FaceArray), one for every
image that was processed, under the image's header, with the positions and head poses of the faces. Up to three images
wait in a short pause; if detection cannot keep up with the images, it processes the newest one, and those that were
overwritten are counted as dropped.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from std_msgs.msg import Header

from emotion_perception.core.detection import DetectorOptions, FaceDetector, NonFaceFilter, create_detector
from emotion_perception.core.pipeline import create_non_face_filter
from emotion_perception.core.sync import MAX_WAITING, LatestFrameWorker
from emotion_perception.core.tracking import FaceTrackingPipeline, Tracker
from emotion_perception.core.types import Face, FrameCounts
from emotion_perception.ros.command_line import NodeArgumentParser
from emotion_perception.ros.config import DetectionNodeConfig
from emotion_perception.ros.conversions import FaceArray, faces_to_msg, stamp_ns
from emotion_perception.ros.lifecycle_node import Behavior, PerceptionNode, counts_status
from emotion_perception.ros.node_options import PerceptionNodeOptions
from emotion_perception.ros.node_runner import run_node
from emotion_perception.ros.nodes.people_inputs import PeopleInputs, resolved_depth_topic
from emotion_perception.ros.process import STOP_TIMEOUT_S
from emotion_perception.ros.qos import IMAGES_DEPTH
from emotion_perception.ros.transport.image_messages import image_to_bgr
from emotion_perception.ros.transport.result_publisher import ResultPublisher
from emotion_perception.ros.transport.subscriptions import AnyImage, ImageSubscription

if TYPE_CHECKING:
    from typing_extensions import Unpack

_STREAM = "images"


class FaceDetectionNode(PerceptionNode[DetectionNodeConfig]):
    """Detects, filters and tracks faces.

    Args:
        detector_factory: loads the detector.
        non_face_filter_factory: loads the non-face filter; returns None if none is configured.
        options: see `PerceptionNodeOptions`.
    """

    component = "faces"

    def __init__(
        self,
        *,
        detector_factory: Callable[[DetectorOptions], FaceDetector] = create_detector,
        non_face_filter_factory: Callable[[DetectorOptions], NonFaceFilter | None] = create_non_face_filter,
        **options: "Unpack[PerceptionNodeOptions]",
    ) -> None:
        super().__init__("face_detection_node", DetectionNodeConfig, **options)
        self._make_detector, self._make_non_face_filter = detector_factory, non_face_filter_factory
        self._tracker = Tracker()  # outlives a cleanup, so that no track_id is used twice

    def configure(self, resources: ExitStack) -> Behavior:
        """Loads the detector and, if one is configured, the non-face filter; warms the detector up."""
        options = self.config.detector
        resolved_depth_topic(self)  # or ConfigurationError
        detector = self._make_detector(options)
        detector.warm_up()
        pipeline = FaceTrackingPipeline(
            detector, self._make_non_face_filter(options), self._tracker, clock_s=time.monotonic
        )
        return FaceDetection(self, pipeline, ResultPublisher(self, FaceArray, "faces", resources))


@dataclass(frozen=True)
class _Detections:
    header: Header
    faces: list[Face]
    detect_ms: float


class FaceDetection(Behavior):
    """Runs the pipeline on the newest image in a thread of its own and publishes the faces.

    Args:
        node: the subscriber; its live parameters apply from the next image on.
        pipeline: used by one thread alone.
        faces: the publisher.
    """

    def __init__(self, node: FaceDetectionNode, pipeline: FaceTrackingPipeline, faces: ResultPublisher) -> None:
        self._node, self._pipeline, self._faces = node, pipeline, faces
        self._counts: Callable[[], FrameCounts] = FrameCounts
        self._people: PeopleInputs | None = None

    def activate(self, resources: ExitStack) -> None:
        """Starts the thread and subscribes to images, camera_info and depth images."""
        self._pipeline.reset()
        self._people = PeopleInputs(self._node, resources)
        on_failure = partial(self._node.count_failure, _STREAM)
        worker = LatestFrameWorker(self._detect, self._publish, on_failure, max_waiting=MAX_WAITING)
        resources.callback(self._node.diagnostics.frame_succeeded, _STREAM)
        self._counts = lambda: worker.counts
        resources.callback(worker.stop, STOP_TIMEOUT_S)
        self._node.show_load(_STREAM, worker.load, resources)
        ImageSubscription(
            self._node,
            worker.put,
            resources,
            depth=IMAGES_DEPTH,
            reliability=self._node.config.image_reliability,
            transport=self._node.config.image_transport,
        )

    def status(self) -> dict[str, object]:
        """Returns the detector, its interval, the number of rejected faces, the camera, and the counts of the images.

        `detection_interval` is the mean number of frames from one search of the whole image to the next.
        """
        own = {
            "detector": self._node.config.detector.detector,
            "detection_interval": f"{self._pipeline.interval:.1f}",
            "rejected": self._pipeline.rejected,
        }
        people = {} if self._people is None else self._people.status()
        return {**own, **people, **counts_status(self._counts())}

    def _detect(self, message: AnyImage) -> _Detections:
        self._node.trace("begun", stamp_ns(message.header))
        image_bgr, stamp_s = image_to_bgr(message), stamp_ns(message.header) * 1e-9
        begun_s, config = time.monotonic(), self._node.config
        faces = self._pipeline.update(image_bgr, stamp_s, config.detector, config.tracker)
        if self._people is not None:
            faces = self._people.update(faces, message.header, (image_bgr.shape[1], image_bgr.shape[0]))
        return _Detections(message.header, faces, (time.monotonic() - begun_s) * 1e3)

    def _publish(self, found: _Detections, counts: FrameCounts) -> None:
        detector = self._node.config.detector.detector
        self._faces.publish(
            faces_to_msg(found.header, found.faces, detector=detector, detect_ms=found.detect_ms, counts=counts)
        )
        self._node.diagnostics.frame_succeeded(_STREAM)


def main() -> int:
    """Runs the node; returns the exit code."""
    NodeArgumentParser("face_detection_node", __doc__, ["face_detection_node"]).parse_command_line()
    return run_node(FaceDetectionNode)
