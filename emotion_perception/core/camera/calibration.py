# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A camera's calibration, and the file of ROS's camera_calibration that holds it."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from emotion_perception.core.atomic_files import write_atomically
from emotion_perception.core.errors import ConfigurationError, one_line
from emotion_perception.core.regular_files import read_regular
from emotion_perception.core.yaml_values import parse_yaml

MAX_FILE_BYTES = 2**20
_MAX_COEFFICIENTS = 64
_MATRICES = {  # field: key in the file, rows, columns; the number of distortion coefficients depends on the model
    "k": ("camera_matrix", 3, 3),
    "d": ("distortion_coefficients", 1, None),
    "r": ("rectification_matrix", 3, 3),
    "p": ("projection_matrix", 3, 4),
}
_KEYS = ("camera_name", "image_width", "image_height", "distortion_model", *(key for key, _, _ in _MATRICES.values()))


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The fields of a sensor_msgs/CameraInfo that a calibration determines.

    Attributes:
        width: of the images, in pixels.
        height: of the images, in pixels.
        distortion_model: e.g. `plumb_bob`.
        d: distortion coefficients, at most 64.
        k: 3x3, row-major.
        r: 3x3, row-major.
        p: 3x4, row-major.

    Raises:
        ValueError: a size is not positive, a matrix has another size or a number that is not finite, or the model's
            name is not made of letters, digits and underscores.
    """

    width: int
    height: int
    distortion_model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"{self.width}x{self.height} is no image size")
        if not re.fullmatch(r"\w{0,64}", self.distortion_model, re.ASCII):
            raise ValueError(f"distortion_model {self.distortion_model[:64]!r} is not a name")
        for name, (_, rows, columns) in _MATRICES.items():
            values = getattr(self, name)
            if columns is not None and len(values) != rows * columns:
                raise ValueError(f"{name.upper()} has {len(values)} values, not {rows * columns}")
            if not all(map(math.isfinite, values)):
                raise ValueError(f"{name.upper()} has a value that is not finite")
        if len(self.d) > _MAX_COEFFICIENTS:
            raise ValueError(f"D has {len(self.d)} values, more than {_MAX_COEFFICIENTS}")

    @property
    def has_k(self) -> bool:
        """Whether K has positive focal lengths; a camera that is not calibrated has zeros."""
        return self.k[0] > 0 and self.k[4] > 0


def read_calibration(path: Path, camera_name: str) -> Calibration:
    """Reads a calibration file.

    Args:
        path: a YAML file of camera_calibration, at most 1 MiB.
        camera_name: name that the file must have.

    Raises:
        OSError: there is no such file, it cannot be read, or is too large or no regular file.
        ConfigurationError: it is not a calibration file, or it belongs to another camera.
    """
    content = read_regular(path, MAX_FILE_BYTES)
    try:
        data = parse_yaml(content.decode("utf-8"), path.name)
        if not isinstance(data, dict):
            raise ConfigurationError("not a camera calibration (it has no keys)")
        if missing := [key for key in _KEYS if key not in data]:
            raise ConfigurationError(f"not a camera calibration (it lacks {', '.join(missing)})")
        name = str(data["camera_name"])
        matrices: dict[str, Any] = {
            field: tuple(float(value) for value in data[key]["data"]) for field, (key, _, _) in _MATRICES.items()
        }
        calibration = Calibration(
            width=int(data["image_width"]),
            height=int(data["image_height"]),
            distortion_model=str(data["distortion_model"]),
            **matrices,
        )
    except ConfigurationError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError) as e:
        raise ConfigurationError(f"not a camera calibration ({one_line(e)})") from e
    if name != camera_name:
        raise ConfigurationError(f"calibrates '{name}', camera_name is '{camera_name}'")
    return calibration


def write_calibration(path: Path, calibration: Calibration, camera_name: str) -> None:
    """Writes a calibration file as camera_calibration does, atomically.

    Raises:
        OSError: it cannot be written; an old file stays as it is.
    """
    document: dict[str, Any] = {
        "image_width": calibration.width,
        "image_height": calibration.height,
        "camera_name": camera_name,
        "camera_matrix": _matrix(calibration, "k"),
        "distortion_model": calibration.distortion_model,
        "distortion_coefficients": _matrix(calibration, "d"),
        "rectification_matrix": _matrix(calibration, "r"),
        "projection_matrix": _matrix(calibration, "p"),
    }
    write_atomically(path, yaml.safe_dump(document, sort_keys=False, default_flow_style=None, allow_unicode=True))


def _matrix(calibration: Calibration, name: str) -> dict[str, Any]:
    values, (_, rows, columns) = list(getattr(calibration, name)), _MATRICES[name]
    return {"rows": rows, "cols": len(values) if columns is None else columns, "data": values}
