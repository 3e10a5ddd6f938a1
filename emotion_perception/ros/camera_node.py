"""camera_node: pictures of a device, file, folder or stream as ROS images.

Publishes `image_raw` (sensor_msgs/Image, bgr8) and `camera_info` (sensor_msgs/CameraInfo) under one header. The stamp
is the moment the picture was taken from its source, on the node's clock, strictly increasing.
"""

import time

from rclpy.duration import Duration
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from emotion_perception.core.camera import open_source
from emotion_perception.core.config import CameraConfig
from emotion_perception.core.frame_pump import FramePump
from emotion_perception.core.types import Frame
from emotion_perception.ros.calibration import load_camera_info
from emotion_perception.ros.images import bgr_to_image
from emotion_perception.ros.node import STOP_TIMEOUT_S, PerceptionNode, run_node
from emotion_perception.ros.qos import image_publisher


class CameraNode(PerceptionNode[CameraConfig]):
    """Publishes a picture source."""

    def __init__(self, *, opener=open_source, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__("camera_node", CameraConfig, **options)
        self._open = opener
        self._source = self._pump = self._images = None
        self._published = 0
        self._last_stamp = Time(clock_type=self.get_clock().clock_type)

    def setup(self) -> None:
        """Opens the source, so that a wrong one is told at once, and reads the calibration."""
        self._info = load_camera_info(self.config.camera_info_url, self.config.camera_name)
        if not self._info.k.any():
            self.get_logger().warning("not calibrated: camera_info has no K (parameter camera_info_url)", once=True)
        self._source = self._open(self.config)
        profile = image_publisher(self.config.queue_depth)
        self._images = self.create_lifecycle_publisher(Image, "image_raw", profile)
        self._infos = self.create_lifecycle_publisher(CameraInfo, "camera_info", profile)

    def start(self) -> None:
        """Begins to read the source."""
        source, self._source = self._source or self._open(self.config), None
        self._pump = FramePump(
            source, reopen=lambda: self._open(self.config), deliver=self._publish, on_fault=self.count_fault
        )
        self._pump.start()

    def stop(self) -> None:
        """Ends the reading."""
        if self._pump is not None and not self._pump.stop(STOP_TIMEOUT_S):
            self.get_logger().warning("the source did not give way in time")
        self._pump = None

    def teardown(self) -> None:
        """Lets the source and the publishers go."""
        if self._source is not None:
            self._source.close()
        if self._images is not None:
            self.destroy_lifecycle_publisher(self._images)
            self.destroy_lifecycle_publisher(self._infos)
        self._source = self._images = None

    def status(self) -> dict[str, object]:
        """Tells how many frames were published and who listens."""
        listeners = self.count_subscribers(self.resolve_topic_name("image_raw"))
        ended = self._pump is not None and self._pump.ended
        return {"frames_published": self._published, "subscribers": listeners, "ended": ended}

    def _publish(self, frame: Frame) -> None:
        header = Header(stamp=self._stamp_of(frame).to_msg(), frame_id=self.config.frame_id)
        self._published += 1
        self._images.publish(bgr_to_image(frame.image_bgr, header))
        height, width = frame.image_bgr.shape[:2]
        self._info.header, self._info.height, self._info.width = header, height, width
        self._infos.publish(self._info)

    def _stamp_of(self, frame: Frame) -> Time:
        age = Duration(seconds=time.monotonic() - frame.grabbed_s)
        self._last_stamp = max(self.get_clock().now() - age, self._last_stamp + Duration(nanoseconds=1))
        return self._last_stamp


def main() -> int:
    """Runs the node; returns the exit code."""
    return run_node(CameraNode)
