# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Configurations of the nodes: the options of the stages that a node runs, and topics, QoS and queues.

Every single option is one ROS parameter of the same name; a contained option has no prefix (`score_threshold`, not
`detector.score_threshold`). Parameters that are not live are read-only; live ones take effect on the next frame.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emotion_perception.core.camera import CameraOptions
from emotion_perception.core.classification import ClassifierOptions, RecognizerOptions
from emotion_perception.core.detection import DetectorOptions
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.interop import InteropOptions
from emotion_perception.core.message_adapters import MAX_FRAME_ID
from emotion_perception.core.options import Options, option
from emotion_perception.core.people import PeopleOptions
from emotion_perception.core.rendering import ANONYMIZERS, OverlayOptions
from emotion_perception.core.tracking import TrackerOptions

RELIABILITIES = ("auto", "reliable", "best_effort")
TRANSPORTS = ("raw", "compressed")
GEOMETRIES = ("auto", "raw", "rectified")
STORAGES = ("mcap", "sqlite3")


def _image_reliability() -> Any:
    """Declares the parameter `image_reliability` of a node that subscribes to images."""
    return option(
        "auto", "reliability of the image subscription; auto takes what the publishers offer", choices=RELIABILITIES
    )


def _image_transport() -> Any:
    """Declares the parameter `image_transport` of a node that subscribes to images."""
    return option(
        "raw",
        "raw images, or compressed ones (JPEG or PNG of image_raw/compressed) for a camera on another machine",
        choices=TRANSPORTS,
    )


def _jpeg_quality(topic: str) -> Any:
    """Declares the parameter `jpeg_quality` of a node that publishes images."""
    return option(80, f"JPEG quality of {topic}/compressed", minimum=1, maximum=100, live=True)


@dataclass(frozen=True, kw_only=True)
class CameraNodeConfig(Options):
    """Parameters of camera_node."""

    camera: CameraOptions = field(default_factory=CameraOptions)
    frame_id: str = option("camera_optical_frame", "frame_id of every header")
    camera_name: str = option("camera", "name of the camera in the calibration file")
    camera_info_url: str = option(
        "",
        "calibration file, file:// or package://, which set_camera_info writes; empty takes "
        "$ROS_HOME/camera_info/CAMERA_NAME.yaml, with the namespace before the name",
    )
    queue_depth: int = option(5, "depth of the publishers' queues", minimum=1, maximum=100)
    jpeg_quality: int = _jpeg_quality("image_raw")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.frame_id) > MAX_FRAME_ID:
            text = (
                f"frame_id has {len(self.frame_id)} characters, more than {MAX_FRAME_ID}: no node would use the images"
            )
            raise ConfigurationError(text)


@dataclass(frozen=True, kw_only=True)
class DetectionNodeConfig(Options):
    """Parameters of face_detection_node."""

    detector: DetectorOptions = field(default_factory=DetectorOptions)
    tracker: TrackerOptions = field(default_factory=TrackerOptions)
    people: PeopleOptions = field(default_factory=PeopleOptions)
    image_geometry: str = option(
        "auto",
        "whether the images are rectified, so that P of camera_info applies to them, or raw, so that K and D do; auto: "
        "rectified if the last part of the topic's name has the word rect or rectified, as image_rect_color",
        choices=GEOMETRIES,
    )
    depth_topic: str = option(
        "",
        "depth images that are registered to the images (16UC1 or 32FC1, of the same frame and size); empty subscribes "
        "to none",
    )
    depth_window_s: float = option(
        0.05,
        "how far the stamp of a depth image may be from that of the image, in seconds; an equal stamp comes first",
        minimum=0.0,
        maximum=1.0,
        live=True,
    )
    image_reliability: str = _image_reliability()
    image_transport: str = _image_transport()


@dataclass(frozen=True, kw_only=True)
class ClassifierNodeConfig(Options):
    """Parameters of emotion_classifier_node."""

    classifier: ClassifierOptions = field(default_factory=ClassifierOptions)
    recognizer: RecognizerOptions = field(default_factory=RecognizerOptions)
    image_topics: tuple[str, ...] = option(
        ("image_raw",), "topic of each camera's images; its faces and emotions have the same namespace"
    )
    sync_queue_size: int = option(
        16, "how many images and face arrays wait for their counterpart", minimum=1, maximum=100
    )
    interop: InteropOptions = field(default_factory=InteropOptions)
    image_reliability: str = _image_reliability()
    image_transport: str = _image_transport()


@dataclass(frozen=True, kw_only=True)
class OverlayNodeConfig(Options):
    """Parameters of overlay_node."""

    overlay: OverlayOptions = field(default_factory=OverlayOptions)
    sync_timeout_s: float = option(
        0.5,
        "how long an image waits for its emotions before it is drawn without them, in seconds of a steady clock",
        minimum=0.0,
        maximum=10.0,
        live=True,
    )
    sync_queue_size: int = option(
        16,
        "how many images and results wait for their counterpart; a full queue ends the wait too",
        minimum=1,
        maximum=100,
    )
    jpeg_quality: int = _jpeg_quality("image_overlay")
    image_reliability: str = _image_reliability()
    image_transport: str = _image_transport()


@dataclass(frozen=True, kw_only=True)
class PlayerConfig(Options):
    """Parameters of bag_player."""

    bag: str = option("", "the recording: a rosbag2 folder, or a .mcap or .db3 file")
    topic: str = option("", "image topic of the recording; empty takes the only one, or the one that a camera has")
    rate: float = option(1.0, "playback speed relative to the recording", minimum=0.01, maximum=100.0)
    loop: bool = option(False, "restart at the end; /clock jumps back")
    subscribers: int = option(1, "number of subscribers of the images that playback waits for", minimum=0, maximum=100)
    wait_for_subscribers_s: float = option(
        30.0, "playback starts without them after this time, in seconds of a steady clock", minimum=0.0, maximum=3600.0
    )
    clock_hz: float = option(
        100.0, "messages per second on /clock, in addition to one before each message", minimum=1.0, maximum=1000.0
    )


@dataclass(frozen=True, kw_only=True)
class RecorderConfig(Options):
    """Parameters of bag_recorder."""

    bag: str = option("", "the rosbag2 folder to create; it must not exist")
    topics: tuple[str, ...] = option(("image_raw", "camera_info", "faces", "emotions"), "topics to record")
    storage: str = option("mcap", "storage format", choices=STORAGES)
    queue_mib: int = option(
        64,
        "size of the queue to the disk, in MiB; messages that do not fit are lost and counted",
        minimum=1,
        maximum=4096,
    )


@dataclass(frozen=True, kw_only=True)
class WebViewerConfig(Options):
    """Parameters of web_viewer_node."""

    host: str = option(
        "127.0.0.1",
        "address that the server is bound to; beyond this machine a token is needed, and 0.0.0.0 is every network",
    )
    port: int = option(8090, "port; if it is taken, the next free one", minimum=0, maximum=65535)
    allow_control: bool = option(
        False,
        "viewers may set parameters and calibrate also where a token is needed; where none is needed, they always may",
    )
    allow_download: bool = option(False, "viewers may download a snapshot and the last 30 s as a recording")
    anonymize: str = option(
        "none",
        "hides faces in all that this server has, whatever overlay_node does: images, crops and downloads",
        choices=ANONYMIZERS,
    )
    image_topics: tuple[str, ...] = option(
        ("image_raw",), "topic of each camera's images; its overlay and emotions have the same namespace"
    )
    allowed_hosts: tuple[str, ...] = option(
        ("localhost",),
        "further names of this machine that a browser may ask for, e.g. that of a proxy; with them a token is needed",
    )
    max_rate_hz: float = option(15.0, "most images per second that a page gets", minimum=0.5, maximum=60.0)
    max_viewers: int = option(8, "most pages that may be open", minimum=1, maximum=100)
    jpeg_quality: int = option(80, "JPEG quality of the images", minimum=1, maximum=100)
    image_transport: str = _image_transport()


NODE_CONFIGS: Mapping[str, type[Options]] = {
    "camera_node": CameraNodeConfig,
    "face_detection_node": DetectionNodeConfig,
    "emotion_classifier_node": ClassifierNodeConfig,
    "overlay_node": OverlayNodeConfig,
    "bag_player": PlayerConfig,
    "bag_recorder": RecorderConfig,
    "web_viewer_node": WebViewerConfig,
}
"""The configuration of each node of this package."""
