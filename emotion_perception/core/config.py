# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of every node: name, default, limits and description, once.

ROS parameters, config/emotion_perception.yaml and the README's table come from these fields or are checked against
them. Structural parameters are read-only; the others change with `ros2 param set`, effective on the next frame.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from emotion_perception.core.errors import ConfigurationError

RELIABILITIES = ("auto", "reliable", "best_effort")
TRANSPORTS = ("raw", "compressed")
DETECTORS = ("centerface", "yunet", "mtcnn", "haar")
ANONYMIZERS = ("none", "blur", "pixelate", "fill")
STORAGES = ("mcap", "sqlite3")


@dataclass(frozen=True)
class Limits:
    """What a parameter may be.

    Attributes:
        description: one line for `ros2 param describe` and the README.
        minimum: smallest number allowed, or None.
        maximum: largest number allowed, or None.
        choices: the strings allowed; empty allows any.
        live: True where the value may change while the node runs.
    """

    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False

    def refusal(self, name: str, value: Any) -> str | None:
        """Returns why `value` is refused, or None where it is fine."""
        if self.choices and value not in self.choices:
            return f"{name} '{value}' is none of {', '.join(self.choices)}"
        if self.minimum is not None and not value >= self.minimum:
            return f"{name} {value} is below {self.minimum}"
        if self.maximum is not None and not value <= self.maximum:
            return f"{name} {value} is above {self.maximum}"
        if isinstance(value, tuple) and not 0 < len(value) == len(set(value)):
            return f"{name} {list(value)} is empty or names one twice"
        return None


def parameter(default: Any, description: str, **limits: Any) -> Any:
    """Declares one parameter as a dataclass field; keywords as of `Limits`."""
    return dataclasses.field(default=default, metadata={"limits": Limits(description, **limits)})


def _image_reliability() -> Any:
    """Declares the parameter that every subscriber of images has."""
    return parameter(
        "auto", "reliability of the image subscription; auto takes what the publishers offer", choices=RELIABILITIES
    )


def _image_transport() -> Any:
    """Declares how a subscriber of images gets them."""
    return parameter(
        "raw",
        "raw images, or compressed: JPEG or PNG from image_raw/compressed, for a camera elsewhere",
        choices=TRANSPORTS,
    )


@dataclass(frozen=True, kw_only=True)
class NodeConfig:
    """Base of the configurations: checks every field against its limits.

    Raises:
        ConfigurationError: a value has the wrong type or is outside its limits.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if type(value) is not type(field.default):
                wanted, got = type(field.default).__name__, type(value).__name__
                raise ConfigurationError(f"{field.name} {value!r} is a {got}, not a {wanted}")
            if refusal := field.metadata["limits"].refusal(field.name, value):
                raise ConfigurationError(refusal)


@dataclass(frozen=True, kw_only=True)
class CameraConfig(NodeConfig):
    """Parameters of camera_node; names as of usb_cam."""

    video_device: str = parameter(
        "0", "index or path of a V4L2 device, a video file, a folder of images, a stream's URL, or 'synthetic'"
    )
    image_width: int = parameter(
        640, "width asked of the device; other sources are scaled to it; 0 keeps the source's", minimum=0, maximum=7680
    )
    image_height: int = parameter(
        480,
        "height asked of the device; other sources are scaled to fit; 0 keeps the source's",
        minimum=0,
        maximum=4320,
    )
    framerate: float = parameter(30.0, "frames a second; 0 takes the source's own rate", minimum=0.0, maximum=1000.0)
    pixel_format: str = parameter(
        "", "four-character code asked of the device, e.g. MJPG; empty keeps the driver's choice"
    )
    frame_id: str = parameter("camera_optical_frame", "frame_id of every header")
    camera_name: str = parameter("camera", "name under which the calibration is known")
    camera_info_url: str = parameter(
        "", "calibration file, file:// or package://; empty publishes a camera_info without K"
    )
    loop: bool = parameter(True, "a video file or folder begins again at its end")
    queue_depth: int = parameter(5, "publisher depth", minimum=1, maximum=100)
    jpeg_quality: int = parameter(80, "quality of image_raw/compressed", minimum=1, maximum=100, live=True)


@dataclass(frozen=True, kw_only=True)
class DetectionConfig(NodeConfig):
    """Parameters of face_detection_node."""

    detector: str = parameter("centerface", "which face detector", choices=DETECTORS)
    detector_model: str = parameter("", "path of the detector's model file; empty takes the file that set-up fetched")
    detection_size: int = parameter(
        320,
        "longer side of the image that the detector sees, in pixels; 0 keeps the image's",
        minimum=0,
        maximum=4096,
    )
    score_threshold: float = parameter(
        0.35, "detections below this score are left out (Haar wants 0.5)", minimum=0.0, maximum=1.0, live=True
    )
    min_face_px: int = parameter(
        20,
        "faces whose shorter side is below this, in pixels of the source, are left out",
        minimum=1,
        maximum=4096,
        live=True,
    )
    max_faces: int = parameter(
        32, "at most this many faces a frame, best scores first", minimum=1, maximum=1024, live=True
    )
    margin: float = parameter(
        0.0,
        "share of a region's longer side added on each side of it; the classifier adds its model's own margin",
        minimum=0.0,
        maximum=1.0,
        live=True,
    )
    verifier: str = parameter(
        "", "model that refuses what is no face, labels face and other: a name or path as of model; empty is off"
    )
    non_face_threshold: float = parameter(
        0.5, "detections that the verifier finds less probably a face are refused", minimum=0.0, maximum=1.0, live=True
    )
    detection_interval: int = parameter(
        1,
        "look for faces in every so many-th frame and follow them by optical flow between; a lost one is looked for",
        minimum=1,
        maximum=30,
        live=True,
    )
    track_iou: float = parameter(
        0.3, "least overlap of a face with its track's expected or last region", minimum=0.0, maximum=1.0, live=True
    )
    max_missed_s: float = parameter(
        1.0, "a track unseen for longer is forgotten, in seconds of stamp time", minimum=0.0, maximum=60.0, live=True
    )
    image_reliability: str = _image_reliability()
    image_transport: str = _image_transport()
    num_threads: int = parameter(1, "threads of OpenCV and onnxruntime", minimum=1, maximum=64)


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig(NodeConfig):
    """Parameters of emotion_classifier_node."""

    model: str = parameter(
        "compact_vgg", "name of a shipped model or path of a .safetensors or .onnx file with its .json"
    )
    device: str = parameter("auto", "auto (CUDA when there is one), cpu, cuda or cuda:N")
    require_gpu: bool = parameter(False, "refuse to start on the CPU")
    image_topics: tuple[str, ...] = parameter(
        ("image_raw",), "topic of each camera's images; its faces and emotions have the same namespace"
    )
    max_batch_size: int = parameter(
        32, "several cameras: most faces in one run of the network", minimum=1, maximum=1024
    )
    max_queue_delay_ms: float = parameter(
        0.0,
        "several cameras: faces wait so long for those of the others; 0 runs together what came while the network ran",
        minimum=0.0,
        maximum=1000.0,
    )
    smoothing_s: float = parameter(
        0.3,
        "time constant of the smoothed probabilities, in seconds of stamp time; 0 is off",
        minimum=0.0,
        maximum=60.0,
        live=True,
    )
    label_hysteresis: float = parameter(
        0.05,
        "a face's label changes only to one that is so much more probable, smoothed",
        minimum=0.0,
        maximum=1.0,
        live=True,
    )
    min_confidence: float = parameter(
        0.5, "a face whose smoothed score is below this is marked uncertain", minimum=0.0, maximum=1.0, live=True
    )
    max_load: float = parameter(
        0.8,
        "share of the time between frames that classifying may take, largest faces first; 0 takes all",
        minimum=0.0,
        maximum=10.0,
        live=True,
    )
    sync_queue_size: int = parameter(
        16, "images and face arrays kept until their partner comes", minimum=1, maximum=100
    )
    image_reliability: str = _image_reliability()
    image_transport: str = _image_transport()
    num_threads: int = parameter(2, "threads of OpenCV, onnxruntime and torch", minimum=1, maximum=64)


@dataclass(frozen=True, kw_only=True)
class OverlayConfig(NodeConfig):
    """Parameters of overlay_node."""

    draw_bars: bool = parameter(True, "draw a bar for each emotion beside the face", live=True)
    draw_landmarks: bool = parameter(False, "draw the five landmarks", live=True)
    anonymize: str = parameter(
        "none",
        "makes faces in image_overlay unrecognizable; an image whose faces are not all known is hidden whole",
        choices=ANONYMIZERS,
        live=True,
    )
    sync_timeout_s: float = parameter(
        0.5,
        "an image waits so long for its emotions, and is then drawn without, in seconds of a steady clock",
        minimum=0.0,
        maximum=10.0,
        live=True,
    )
    sync_queue_size: int = parameter(
        16, "images and results kept until their partner comes; it also ends the wait", minimum=1, maximum=100
    )
    image_reliability: str = _image_reliability()
    image_transport: str = _image_transport()


@dataclass(frozen=True, kw_only=True)
class PlayerConfig(NodeConfig):
    """Parameters of bag_player."""

    bag: str = parameter("", "the recording: a rosbag2 folder, or a .mcap or .db3 file")
    topic: str = parameter("", "image topic of the recording; empty takes the only one, or the one that a camera has")
    rate: float = parameter(1.0, "how many times faster than it was recorded", minimum=0.01, maximum=100.0)
    loop: bool = parameter(False, "begin again at the end; /clock jumps back")
    subscribers: int = parameter(1, "begins when the images have so many subscribers", minimum=0, maximum=100)
    wait_for_subscribers_s: float = parameter(
        30.0, "begins without them after so long, in seconds of a steady clock", minimum=0.0, maximum=3600.0
    )
    clock_hz: float = parameter(
        100.0, "messages a second on /clock, beside one before each message", minimum=1.0, maximum=1000.0
    )


@dataclass(frozen=True, kw_only=True)
class RecorderConfig(NodeConfig):
    """Parameters of bag_recorder."""

    bag: str = parameter("", "the rosbag2 folder to make; it must not exist")
    topics: tuple[str, ...] = parameter(("image_raw", "camera_info", "faces", "emotions"), "what is recorded")
    storage: str = parameter("mcap", "format of the file", choices=STORAGES)
    queue_mib: int = parameter(
        64, "what may wait for the disk, in MiB; what comes beyond that is lost, and counted", minimum=1, maximum=4096
    )
