# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""camera_node: images of a device, file, folder or stream as ROS images.

Publishes `image_raw` (sensor_msgs/Image, bgr8), `image_raw/compressed` (sensor_msgs/CompressedImage, JPEG) and
`camera_info` (sensor_msgs/CameraInfo) under one header; images only while somebody subscribes. The stamp is the
moment the image was taken from its source, on the node's clock, strictly increasing. A source that is missing or
lost is an ERROR in /diagnostics and is tried again until it is there.
"""

from emotion_perception.core.camera.capture_loop import CaptureLoop
from emotion_perception.core.camera.factory import check_source, open_source
from emotion_perception.core.camera.live import without_password
from emotion_perception.core.camera.monotonic_stamps import MonotonicStamps
from emotion_perception.core.config import CameraConfig
from emotion_perception.core.types import Frame
from emotion_perception.ros.camera_info import load_camera_info
from emotion_perception.ros.lifecycle_node import STOP_TIMEOUT_S, PerceptionNode, run_node
from emotion_perception.ros.transport.camera_publishers import CameraPublishers

_CHECK_S = 0.25


class CameraNode(PerceptionNode[CameraConfig]):
    """Publishes an image source."""

    def __init__(self, *, opener=open_source, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__("camera_node", CameraConfig, **options)
        self._open = opener
        self._pump = self._topics = self._timer = None
        self._published = 0
        self._stamps = MonotonicStamps()

    def setup(self) -> None:
        """Checks the parameters, reads the calibration and announces the topics; the source may be missing."""
        check_source(self.config)
        info = load_camera_info(self.config.camera_info_url, self.config.camera_name)
        if not info.k.any():
            self.get_logger().warning("not calibrated: camera_info has no K (parameter camera_info_url)", once=True)
        self._topics = CameraPublishers(self, info, self._stamps)

    def start(self) -> None:
        """Begins to open and read the source."""
        self._pump = CaptureLoop(
            lambda: self._open(self.config),
            name=without_password(self.config.video_device),
            deliver=self._publish,
            on_loss=self._lost,
            on_return=self._returned,
            on_fault=self.count_fault,
        )
        self._timer = self.create_steady_timer(_CHECK_S, self._check)
        self._pump.start()

    def stop(self) -> None:
        """Ends the reading."""
        if self._timer is not None:
            self.destroy_timer(self._timer)
        if self._pump is not None and not self._pump.stop(STOP_TIMEOUT_S):
            self.get_logger().warning("the source did not give way in time")
        self._pump = self._timer = None
        self.clear_problem("source")
        self.clear_problem("rate")

    def teardown(self) -> None:
        """Withdraws the topics."""
        if self._topics is not None:
            self._topics.close()
        self._topics = None

    def status(self) -> dict[str, object]:
        """Tells how many frames the source gave, whether it has ended, and who listens."""
        listeners = self._topics.subscribers if self._topics is not None else 0
        ended = self._pump is not None and self._pump.ended
        return {"frames_published": self._published, "subscribers": listeners, "ended": ended}

    def _publish(self, frame: Frame) -> None:
        self._published += 1
        self.note_published(self._topics.publish(frame))

    def _lost(self, line: str) -> None:
        self.set_problem("source", line, error=True)
        self.publish_status()

    def _returned(self) -> None:
        self.clear_problem("source")
        self.get_logger().info("the source gives images again")
        self.publish_status()

    def _check(self) -> None:
        self._pump.check()
        self.set_problem("rate", self._pump.rate.complaint())


def main() -> int:
    """Runs the node; returns the exit code."""
    return run_node(CameraNode)
