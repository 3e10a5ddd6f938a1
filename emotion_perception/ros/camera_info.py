# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads a calibration file of ROS's camera_calibration as a CameraInfo."""

from pathlib import Path
from urllib.parse import urlparse

import yaml
from sensor_msgs.msg import CameraInfo

from emotion_perception.core.errors import ConfigurationError

_MATRICES = {
    "k": "camera_matrix",
    "d": "distortion_coefficients",
    "r": "rectification_matrix",
    "p": "projection_matrix",
}


def load_camera_info(url: str, camera_name: str) -> CameraInfo:
    """Returns a CameraInfo without header; K is zero if `url` is empty.

    Args:
        url: `file:///path.yaml`, `package://package/path.yaml`, or a plain path.
        camera_name: name that the file must have.

    Raises:
        ConfigurationError: the file is missing, is not a calibration, or belongs to another camera.
    """
    if not url:
        return CameraInfo()
    path = _path_of(url)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        name = data["camera_name"]
        matrices = {field: [float(x) for x in data[key]["data"]] for field, key in _MATRICES.items()}
        info = CameraInfo(
            width=int(data["image_width"]),
            height=int(data["image_height"]),
            distortion_model=str(data["distortion_model"]),
            **matrices,
        )
    except OSError as e:
        raise ConfigurationError(f"camera_info_url {url}: {e.strerror}") from e
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AssertionError) as e:
        raise ConfigurationError(f"camera_info_url {url}: not a camera calibration ({e})") from e
    if name != camera_name:
        raise ConfigurationError(f"camera_info_url {url}: calibrates '{name}', camera_name is '{camera_name}'")
    return info


def _path_of(url: str) -> Path:
    parts = urlparse(url)
    if parts.scheme in ("", "file"):
        return Path(parts.path)
    if parts.scheme != "package":
        raise ConfigurationError(f"camera_info_url {url}: only file:// and package:// are supported")
    from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

    try:
        return Path(get_package_share_directory(parts.netloc)) / parts.path.lstrip("/")
    except PackageNotFoundError as e:
        raise ConfigurationError(f"camera_info_url {url}: no package {parts.netloc}") from e
