# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The camera_info of a camera: read from a calibration file, replaced and saved by the service set_camera_info."""

import os
import re
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from sensor_msgs.msg import CameraInfo
from sensor_msgs.srv import SetCameraInfo

from emotion_perception.core.camera import Calibration, read_calibration, write_calibration
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.paths import local_path
from emotion_perception.core.people import CameraModel
from emotion_perception.ros.config import CameraNodeConfig
from emotion_perception.ros.lifecycle_node import PerceptionNode

_THROTTLE_S = 5.0
_PROBLEM = "calibration"
_ROTATION_TOLERANCE = 1e-3  # of the entries of R times its transpose: files have few digits


class CameraInfoSource:
    """Makes the CameraInfo of each frame, and serves `set_camera_info`.

    As of camera_info_manager, a calibration that the service gets is saved to the file of `camera_info_url` and
    published from the next frame on. While the images have another size than the calibration, K is zero and the node's
    diagnostics show a WARN.

    Args:
        node: the camera node.
        resources: destroys the service.

    Raises:
        ConfigurationError: `camera_info_url` is invalid, its folder does not exist, or the file is no calibration of
            this camera.
    """

    def __init__(self, node: PerceptionNode[CameraNodeConfig], resources: ExitStack) -> None:
        self._node = node
        self._path = calibration_path(node.config.camera_info_url, node.config.camera_name, node.get_namespace())
        self._calibration = self._load()
        self._image_wh: tuple[int, int] | None = None
        self._info = CameraInfo()
        self._made_for: tuple[Calibration | None, tuple[int, int]] | None = None
        service = node.create_service(SetCameraInfo, "set_camera_info", self._set)
        service.callback = node.always_answered(service)
        resources.callback(node.destroy_service, service)
        resources.callback(node.clear_problem, _PROBLEM)

    def info(self, image_wh: tuple[int, int]) -> CameraInfo:
        """Returns the CameraInfo of images of that width and height; the same object until one of them changes.

        One thread calls this.
        """
        calibration = self._calibration
        if self._made_for != (calibration, image_wh):
            self._image_wh, self._made_for = image_wh, (calibration, image_wh)
            self._info = self._make(calibration, image_wh)
        return self._info

    def _load(self) -> Calibration | None:
        """Returns the file's calibration; None, with a log line, if there is no file yet."""
        url, name = self._node.config.camera_info_url, self._node.config.camera_name
        source = f"camera_info_url {url}" if url else f"calibration file {self._path}"
        try:
            return read_calibration(self._path, name)
        except FileNotFoundError as e:
            if url and not self._path.parent.is_dir():
                raise ConfigurationError(f"camera_info_url {url}: {e.strerror}") from e
        except OSError as e:
            raise ConfigurationError(f"{source}: {e.strerror}") from e
        except ConfigurationError as e:
            raise ConfigurationError(f"{source}: {e}") from e
        if url:
            text = f"camera_info_url {url}: no such file; camera_info has no K until set_camera_info saves one"
            self._node.set_problem(_PROBLEM, text)
        else:
            self._node.get_logger().warning(
                "not calibrated: camera_info has no K (parameter camera_info_url)", once=True
            )
        return None

    def _make(self, calibration: Calibration | None, image_wh: tuple[int, int]) -> CameraInfo:
        width, height = image_wh
        if calibration is None:
            return CameraInfo(width=width, height=height)
        if image_wh != (calibration.width, calibration.height):
            calibrated = f"{calibration.width}x{calibration.height}"
            text = f"{self._path} is for {calibrated} pixels, the images have {width}x{height}: camera_info has no K"
            self._node.set_problem(_PROBLEM, text)
            return CameraInfo(width=width, height=height)
        self._node.clear_problem(_PROBLEM)
        return _info_of(calibration)

    def _set(self, request: SetCameraInfo.Request, response: SetCameraInfo.Response) -> SetCameraInfo.Response:
        try:
            calibration = self._checked(request.camera_info)
            if not self._node.config.camera_info_url:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            target = self._path.resolve()  # of a link, as colcon makes with --symlink-install, the file is written
            write_calibration(target, calibration, self._node.config.camera_name)
        except ValueError as e:
            response.status_message = f"calibration refused: {e}"
        except OSError as e:
            response.status_message = f"calibration not saved: {self._path}: {e.strerror}"
        else:
            self._calibration = calibration
            response.success, response.status_message = True, f"calibration saved to {self._path}"
            self._node.get_logger().info(response.status_message)
            return response
        self._node.get_logger().warning(response.status_message, throttle_duration_sec=_THROTTLE_S)
        return response

    def _checked(self, info: CameraInfo) -> Calibration:
        """Returns the calibration of a request.

        Raises:
            ValueError: it is not one of the present images, or cannot be used, see `CameraModel`.
        """
        calibration = Calibration(
            width=info.width,
            height=info.height,
            distortion_model=info.distortion_model,
            **{name: tuple(map(float, getattr(info, name))) for name in ("d", "k", "r", "p")},
        )
        if not calibration.has_k:
            raise ValueError("K has no positive focal lengths")
        if self._image_wh is None:
            raise ValueError("no image has come yet, so its size cannot be checked")
        if self._image_wh != (info.width, info.height):
            width, height = self._image_wh
            raise ValueError(f"it is for {info.width}x{info.height} pixels, the images have {width}x{height}")
        _check_usable(calibration)
        return calibration


def _info_of(calibration: Calibration) -> CameraInfo:
    matrices = {name: list(getattr(calibration, name)) for name in ("d", "k", "r", "p")}
    size = {"width": calibration.width, "height": calibration.height}
    return CameraInfo(**size, distortion_model=calibration.distortion_model, **matrices)


def _check_usable(calibration: Calibration) -> None:
    """Checks that positions can be computed with a calibration, of images as they are and rectified ones.

    Raises:
        ValueError: as of `CameraModel`, or a matrix is none of a camera.
    """
    info = _info_of(calibration)
    if CameraModel.from_info(info, rectified=False) is None or CameraModel.from_info(info, rectified=True) is None:
        raise ValueError("P has no focal lengths")
    if calibration.k[6:] != (0, 0, 1):
        raise ValueError("the last row of K is not 0, 0, 1")
    rotation = np.reshape(calibration.r, (3, 3))
    if np.abs(rotation).max() > 2 or not np.allclose(rotation @ rotation.T, np.eye(3), atol=_ROTATION_TOLERANCE):
        raise ValueError("R is not a rotation")
    if np.linalg.det(rotation) < 0:
        raise ValueError("R is a reflection, not a rotation")


def calibration_path(url: str, camera_name: str, namespace: str) -> Path:
    """Returns the path of a camera's calibration file.

    Args:
        url: `file:///path.yaml`, `package://package/path.yaml`, or a plain path; `${NAME}` and `${ROS_HOME}` are
            replaced. Empty is `${ROS_HOME}/camera_info/NAMESPACE_NAME.yaml`.
        camera_name: stands for `${NAME}`.
        namespace: of the node; distinguishes cameras of the same name.

    Raises:
        ConfigurationError: the URL has another scheme, or there is no such package.
    """
    ros_home = os.environ.get("ROS_HOME") or os.path.expanduser("~/.ros")
    if not url:
        words = [*namespace.strip("/").split("/"), camera_name]
        file_name = re.sub(r"[^\w.-]", "_", "_".join(filter(None, words))).lstrip(".")
        return Path(ros_home, "camera_info", f"{file_name}.yaml")
    filled = url.replace("${NAME}", camera_name).replace("${ROS_HOME}", ros_home)
    if "://" not in filled or filled.lower().startswith("file://"):
        return local_path(filled)
    parts = urlparse(filled)
    if parts.scheme != "package":
        raise ConfigurationError(f"camera_info_url {url}: only file:// and package:// are supported")
    try:
        return Path(get_package_share_directory(parts.netloc)) / unquote(parts.path).lstrip("/")
    except (PackageNotFoundError, ValueError) as e:  # ValueError: not a name of packages
        raise ConfigurationError(f"camera_info_url {url}: no package {parts.netloc}") from e
