# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The projection of a camera: from pixels of its images, distorted or rectified, to rays (normalized coordinates)."""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_MIN_FOCAL_PX, _MAX_FOCAL_PX = 1.0, 1e6
_MAX_CENTER_PX = 1e6
_FISHEYE = ("equidistant", "fisheye")
_COEFFICIENTS = {  # distortion model: numbers of coefficients that OpenCV takes for it
    "plumb_bob": (4, 5),
    "rational_polynomial": (8, 12, 14),
    **dict.fromkeys(_FISHEYE, (4,)),
}
_LONGEST_RAY = 10.0  # tangent of the angle to the optical axis: 84 degrees
_UNDISTORTION_PX = 1.0  # maximum distance between a pixel and where its ray is projected to
_ASSUMED_FIELD_OF_VIEW_DEG = 60.0  # horizontal; webcams have 50 to 80
_NO_ROTATION = np.zeros(3)
_RECTIFIED = frozenset(("rect", "rectified"))  # words of a topic's name


@dataclass(frozen=True)
class CameraModel:
    """A pinhole camera with lens distortion.

    Attributes:
        fx: focal length along x, in pixels.
        fy: focal length along y, in pixels.
        cx: x of the principal point, in pixels.
        cy: y of the principal point, in pixels.
        image_wh: width and height of the images in pixels, (0, 0) if unknown.
        distortion_model: `plumb_bob`, `rational_polynomial`, `equidistant` or `fisheye`; without effect if there is no
            `d`.
        d: distortion coefficients in the order of OpenCV; empty without distortion.

    Raises:
        ValueError: a focal length is not in 1 to 1e6 pixels, the principal point is farther than 1e6 pixels from the
            image's corner, the model is unknown or has another number of coefficients, a coefficient is not finite, or
            the distortion has no inverse in the middle of any quarter of the image.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    image_wh: tuple[int, int] = (0, 0)
    distortion_model: str = ""
    d: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not all(_MIN_FOCAL_PX <= length <= _MAX_FOCAL_PX for length in (self.fx, self.fy)):  # NaN is outside, too
            raise ValueError(f"focal length {self.fx:g}, {self.fy:g} is not in {_MIN_FOCAL_PX:g} to {_MAX_FOCAL_PX:g}")
        if not all(abs(value) <= _MAX_CENTER_PX for value in (self.cx, self.cy)):
            raise ValueError(f"principal point {self.cx:g}, {self.cy:g} is not within {_MAX_CENTER_PX:g} pixels")
        if not self.d:
            return
        if self.distortion_model not in _COEFFICIENTS:
            name = self.distortion_model[:64]
            raise ValueError(f"distortion_model {name!r} is none of {', '.join(_COEFFICIENTS)}")
        if len(self.d) not in _COEFFICIENTS[self.distortion_model]:
            raise ValueError(f"{self.distortion_model} with {len(self.d)} coefficients")
        if not all(map(math.isfinite, self.d)):
            raise ValueError("D has a value that is not finite")
        if self.image_wh != (0, 0) and not _has_inverse(self):
            raise ValueError("no pixel has a ray with this D")

    @classmethod
    def from_info(cls, info: Any, *, rectified: bool) -> "CameraModel | None":
        """Returns the camera of a camera_info, or None if it is not calibrated (K, or P, is zero).

        As in image_geometry, K, D and P are for the full resolution; binning and region of interest are applied.

        Args:
            info: has the fields of sensor_msgs/CameraInfo.
            rectified: whether the images are rectified: P applies then, and no distortion. The baseline in the P of a
                stereo camera's right image is ignored: positions are relative to the camera that took the image.

        Raises:
            ValueError: as of `CameraModel`.
        """
        if rectified:
            fx, cx, fy, cy = (float(info.p[index]) for index in (0, 2, 5, 6))
        else:
            fx, cx, fy, cy = (float(info.k[index]) for index in (0, 2, 4, 5))
        if fx == fy == 0:
            return None
        columns, rows = max(int(info.binning_x), 1), max(int(info.binning_y), 1)
        roi = info.roi
        width, height = roi.width or info.width, roi.height or info.height
        distortion = () if rectified or not any(info.d) else tuple(map(float, info.d))
        return cls(
            fx=fx / columns,
            fy=fy / rows,
            cx=(cx - roi.x_offset) / columns,
            cy=(cy - roi.y_offset) / rows,
            image_wh=(int(width) // columns, int(height) // rows),
            distortion_model=str(info.distortion_model) if distortion else "",
            d=distortion,
        )

    @classmethod
    def assumed_for(cls, image_wh: tuple[int, int]) -> "CameraModel":
        """Returns a camera with a horizontal field of view of 60 degrees, for images of an unknown camera.

        Args:
            image_wh: width and height of the images in pixels, from 1.
        """
        width, height = image_wh
        focal = max(width / 2 / math.tan(math.radians(_ASSUMED_FIELD_OF_VIEW_DEG / 2)), _MIN_FOCAL_PX)
        return cls(focal, focal, width / 2, height / 2, image_wh)

    def fits(self, image_wh: tuple[int, int]) -> bool:
        """Returns whether the camera's images have that width and height, as far as it is known."""
        return self.image_wh in ((0, 0), image_wh)

    def rays(self, points_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the rays of pixels.

        Args:
            points_xy: float64 (N, 2), x and y in pixels of the image; may be NaN.

        Returns:
            float64 (N, 2), x and y where the ray meets the plane z = 1 in the camera's optical frame. NaN where the
            pixel is, where the distortion has no inverse, and from 84 degrees off the optical axis.
        """
        if not self.d:
            rays = (points_xy - (self.cx, self.cy)) / (self.fx, self.fy)
        elif len(points_xy):
            rays = self._undistorted(points_xy)
        else:
            return points_xy
        with np.errstate(invalid="ignore"):
            rays[~(np.abs(rays).max(axis=1, initial=0.0) <= _LONGEST_RAY)] = math.nan
        return rays

    def _undistorted(self, points_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the rays of pixels of a camera with distortion."""
        pixels = np.ascontiguousarray(points_xy.reshape(-1, 1, 2))
        lens: Any = cv2.fisheye if self.distortion_model in _FISHEYE else cv2
        with np.errstate(all="ignore"):
            rays = lens.undistortPoints(pixels, self._k, self._d).reshape(-1, 2)
            there = np.ones((len(rays), 1, 3))
            there[:, 0, :2] = np.where(np.isfinite(rays), rays, 0.0)
            projected, _ = lens.projectPoints(there, _NO_ROTATION, _NO_ROTATION, self._k, self._d)
            errors_px = np.abs(projected.reshape(-1, 2) - points_xy).max(axis=1)
        rays[~(errors_px <= _UNDISTORTION_PX)] = math.nan
        return np.asarray(rays, np.float64)

    @cached_property
    def _k(self) -> NDArray[np.float64]:
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    @cached_property
    def _d(self) -> NDArray[np.float64]:
        return np.array(self.d, np.float64)


@lru_cache(maxsize=16)  # camera_info comes with every image
def _has_inverse(camera: CameraModel) -> bool:
    """Returns whether the middle of a quarter of the image has a ray."""
    width, height = camera.image_wh
    middles = np.array([(x * width / 4, y * height / 4) for x in (1, 3) for y in (1, 3)])
    return bool(np.isfinite(camera.rays(middles)).any())


def is_rectified(image_topic: str) -> bool:
    """Returns whether the last part of an image topic's name has the word `rect` or `rectified`: `image_rect_color`."""
    words = image_topic.removesuffix("/compressed").rpartition("/")[2].lower().split("_")
    return not _RECTIFIED.isdisjoint(words)
