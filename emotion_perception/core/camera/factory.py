# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Opens the camera source that the option `video_device` names."""

import os
from pathlib import Path

import cv2

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.camera.files import FolderSource, VideoFileSource
from emotion_perception.core.camera.identity import device_path
from emotion_perception.core.camera.image_files import HEAD_BYTES, is_animation_of_ffmpeg
from emotion_perception.core.camera.live import DeviceSource, StreamSource
from emotion_perception.core.camera.options import CameraOptions
from emotion_perception.core.camera.source import FrameSource
from emotion_perception.core.camera.synthetic import SyntheticSource
from emotion_perception.core.errors import ConfigurationError, SourceError
from emotion_perception.core.paths import local_path
from emotion_perception.core.regular_files import open_regular, opencv_name


def check_source(options: CameraOptions) -> None:
    """Checks what cannot be fixed by waiting for the source.

    Raises:
        ConfigurationError: `video_device` is empty, or `pixel_format` is not a four-character code.
        ModelFileError: the built-in source's photograph is missing.
    """
    if not (device := options.video_device.strip()):
        raise ConfigurationError("video_device is empty")
    if options.pixel_format and len(options.pixel_format) != 4:
        raise ConfigurationError(f"pixel_format '{options.pixel_format}' is not a four-character code such as MJPG")
    if device == "synthetic":
        resolve_model_file("astronaut")


def source_path(video_device: str) -> Path | None:
    """Returns the file or folder that `video_device` names; None for a camera, a stream and the built-in source.

    Raises:
        ConfigurationError: as of `local_path`.
    """
    device = video_device.strip()
    if device == "synthetic" or _is_stream(device):
        return None
    path = local_path(device_path(device))
    return None if _is_camera(path) else path


def open_source(options: CameraOptions, *, stream_timeout_s: float | None = None) -> FrameSource:
    """Opens what `options.video_device` names.

    Digits and device files are cameras, `synthetic` is the built-in source, `scheme://` a stream, a folder its
    images, an image file that one image again and again, any other file and an animation a video.

    Args:
        options: name the source.
        stream_timeout_s: timeout of each image of a stream after the first; None takes that of its frame rate.

    Raises:
        SourceError: it is missing or delivers no image; one line that names it.
        ConfigurationError, ModelFileError: as of `check_source`.
    """
    check_source(options)
    _configure_opencv()
    device = options.video_device.strip()
    if device == "synthetic":
        return SyntheticSource(options)
    if _is_stream(device):
        return StreamSource(device, options, read_timeout_s=stream_timeout_s)
    if (path := source_path(device)) is None:
        return DeviceSource(str(local_path(device_path(device))), options)
    return _open_file(path, options)


def _open_file(path: Path, options: CameraOptions) -> FrameSource:
    if path.is_dir():
        return FolderSource.of_folder(path, options)
    try:
        with open_regular(path) as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file or folder") from None
    except PermissionError:
        raise SourceError(f"{path}: no permission to read it") from None
    except OSError as e:
        raise SourceError(f"{path}: {e.strerror}") from e
    if cv2.haveImageReader(opencv_name(path)) and not is_animation_of_ffmpeg(head, path):
        return FolderSource([path], options)
    return VideoFileSource(path, options)


def _is_stream(device: str) -> bool:
    return "://" in device and not device.lower().startswith("file://")


def _is_camera(path: Path) -> bool:
    return path.is_char_device() or (str(path).startswith("/dev/") and not path.exists())


def _configure_opencv() -> None:
    """Stops OpenCV and FFmpeg from writing to stderr, and sets limits of OpenCV.

    The time-out of cameras is shorter than OpenCV's, 10 s. A video may have more sound between two images than 4096
    packets, 95 s, after which OpenCV takes it for ended. Every error is reported once, by an exception. Variables that
    the user has set are kept.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET; read when the first file is opened
    os.environ.setdefault("OPENCV_FFMPEG_READ_ATTEMPTS", "1000000")  # packets, some 6 hours of AAC
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
    if "OPENCV_LOG_LEVEL" in os.environ:
        return
    if hasattr(cv2, "utils") and hasattr(cv2.utils, "logging"):
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    elif hasattr(cv2, "setLogLevel"):  # before OpenCV 4.6
        cv2.setLogLevel(0)
