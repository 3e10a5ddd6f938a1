# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""camera_node: publishes a camera, video file, image folder or network stream as ROS images.

Publishes `image_raw` (sensor_msgs/Image, bgr8), `image_raw/compressed` (sensor_msgs/CompressedImage, JPEG) and
`camera_info` (sensor_msgs/CameraInfo) under one header; images only while they have subscribers. Serves
`set_camera_info` (sensor_msgs/SetCameraInfo), which saves a calibration. The stamp is the time at which the image was
grabbed, on the node's clock, strictly increasing. A source that is missing or lost is an ERROR
in /diagnostics, and the node tries to reopen it until it succeeds.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from emotion_perception.core.camera import (
    CameraOptions,
    CaptureLoop,
    FrameSource,
    MonotonicStamps,
    check_source,
    open_source,
    source_identity,
    without_password,
)
from emotion_perception.core.types import Frame
from emotion_perception.ros.camera_info import CameraInfoSource
from emotion_perception.ros.command_line import NodeArgumentParser
from emotion_perception.ros.config import CameraNodeConfig
from emotion_perception.ros.lifecycle_node import Behavior, PerceptionNode
from emotion_perception.ros.node_options import PerceptionNodeOptions
from emotion_perception.ros.node_runner import run_node
from emotion_perception.ros.process import STOP_TIMEOUT_S
from emotion_perception.ros.transport.camera_publishers import CameraPublishers

if TYPE_CHECKING:
    from typing_extensions import Unpack

_CHECK_PERIOD_S = 0.25
_STREAM = "images"


class CameraNode(PerceptionNode[CameraNodeConfig]):
    """Publishes an image source.

    Args:
        opener: opens the source.
        options: see `PerceptionNodeOptions`.
    """

    component = "camera"

    def __init__(
        self,
        *,
        opener: Callable[[CameraOptions], FrameSource] = open_source,
        **options: "Unpack[PerceptionNodeOptions]",
    ) -> None:
        super().__init__("camera_node", CameraNodeConfig, **options)
        self._open_source = opener
        self._stamps = MonotonicStamps()

    @property
    def hardware_id(self) -> str:
        """The source: device with its serial number, file, or address without user and password."""
        return source_identity(self.config.camera.video_device)

    def configure(self, resources: ExitStack) -> Behavior:
        """Checks the parameters, reads the calibration and creates the publishers; the source may be missing."""
        check_source(self.config.camera)
        publishers = CameraPublishers(self, CameraInfoSource(self, resources), self._stamps, resources)
        return ImageCapture(self, publishers, partial(self._open_source, self.config.camera))


class ImageCapture(Behavior):
    """Reads the source and publishes its images.

    Args:
        node: logs and reports problems.
        publishers: of the images.
        open_source: opens the source.
    """

    def __init__(self, node: CameraNode, publishers: CameraPublishers, open_source: Callable[[], FrameSource]) -> None:
        self._node, self._publishers, self._open_source = node, publishers, open_source
        self._published = 0  # written by the thread of the capture loop alone
        self._has_ended: Callable[[], bool] = lambda: False
        self._skipped: Callable[[], int] = lambda: 0

    def activate(self, resources: ExitStack) -> None:
        """Starts to open and read the source."""
        node = self._node
        for problem in ("source", "rate"):
            resources.callback(node.clear_problem, problem)
        resources.callback(node.diagnostics.frame_succeeded, _STREAM)
        loop = CaptureLoop(
            self._open_source,
            name=without_password(node.config.camera.video_device),
            on_frame=self._publish,
            on_loss=self._report_loss,
            on_recovery=self._report_recovery,
            on_error=partial(node.count_failed_frame, _STREAM),
        )
        self._has_ended, self._skipped = (lambda: loop.ended), (lambda: loop.skipped)
        resources.callback(self._stop, loop)
        loop.start()
        resources.callback(node.destroy_timer, node.create_steady_timer(_CHECK_PERIOD_S, partial(self._check, loop)))

    def status(self) -> dict[str, object]:
        """Returns the numbers of published frames, skipped files and subscribers, and whether the source has ended."""
        subscribers, ended = self._publishers.subscribers, self._has_ended()
        return {
            "frames_published": self._published,
            "files_skipped": self._skipped(),
            "subscribers": subscribers,
            "ended": ended,
        }

    def _publish(self, frame: Frame) -> None:
        self._published += 1
        self._node.note_published(self._publishers.publish(frame))
        self._node.diagnostics.frame_succeeded(_STREAM)

    def _report_loss(self, line: str) -> None:
        self._node.set_problem("source", line, error=True)
        self._node.publish_status()

    def _report_recovery(self) -> None:
        self._node.clear_problem("source")
        self._node.get_logger().info("the source delivers images again")
        self._node.publish_status()

    def _check(self, loop: CaptureLoop) -> None:
        loop.check()
        self._node.set_problem("rate", loop.rate.warning())

    def _stop(self, loop: CaptureLoop) -> None:
        if not loop.stop(STOP_TIMEOUT_S):
            self._node.get_logger().warning(f"the source did not stop within {STOP_TIMEOUT_S:.0f} s")


def main() -> int:
    """Runs the node; returns the exit code."""
    NodeArgumentParser("camera_node", __doc__, ["camera_node"]).parse_command_line()
    return run_node(CameraNode)
