# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The position of a face in the camera's frame: from a depth image, or from the size of the face in the image."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.people.camera_model import CameraModel
from emotion_perception.core.people.depth_image import Distance
from emotion_perception.core.people.head_pose import INTEROCULAR_M, HeadPlacement
from emotion_perception.core.types import UNKNOWN_POSITION, Box, Face, Position, PositionSource

Ray = tuple[float, float]
"""x and y where a ray meets the plane z = 1."""

REGION_WIDTH_M = 0.13
"""Width of the regions that detectors find, at the distance of the face, in meters."""

HEAD_POSE_STD = math.radians(6.0)
"""Standard deviation of an angle of the head pose that is taken for granted, in radians."""

_INTEROCULAR_SPREAD = 0.06  # of adults: 3.8 mm of 63.4 mm, see INTEROCULAR_M
_REGION_SPREAD = 0.12  # of adults, detectors and head poses
_CUT_SPREAD = 0.5  # of a region that the left or right border of the image cuts off
_LANDMARK_STD = 0.03  # of a landmark, in distances between the eyes
_MIDDLE_STD = 0.05  # of the middle of the face, in widths of the region
_MAX_SPREAD = 1.0  # a distance that is more uncertain is unknown


@dataclass(frozen=True)
class FaceRays:
    """A face as the camera sees it.

    Attributes:
        middle: of eyes and mouth corners, without landmarks of the region.
        eyes: of the right and the left eye; empty where the landmarks are unknown.
        width: of the region without its margin, in the plane z = 1.
        is_cut: whether the left or right border of the image cuts the region off.
    """

    middle: Ray
    eyes: tuple[Ray, ...]
    width: float
    is_cut: bool

    @classmethod
    def of(
        cls, face: Face, rays: NDArray[np.float64], *, has_landmarks: bool, image_width: int, margin: float
    ) -> "FaceRays":
        """Returns a face with the rays of its `face_pixels`.

        Args:
            face: with its region, the margin included.
            rays: float64 (7, 2).
            has_landmarks: whether the landmarks may be used.
            image_width: in pixels.
            margin: share of the longer side of the detector's region that was added on each side.
        """
        box = face.box
        right_eye, left_eye, _, right_mouth, left_mouth, left, right = map(tuple, rays.tolist())
        corners = (right_eye, left_eye, right_mouth, left_mouth) if has_landmarks else (left, right)
        longer = max(box.width, box.height) / (1 + 2 * margin)
        without = max(box.width - 2 * margin * longer, box.width / (1 + 4 * margin))  # the border may have cut it
        return cls(
            middle=(sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)),
            eyes=(right_eye, left_eye) if has_landmarks else (),
            width=math.dist(left, right) * without / box.width,
            is_cut=box.x_min <= 0 or box.x_max >= image_width,
        )


def face_pixels(face: Face) -> list[tuple[float, float]]:
    """Returns the seven pixels that place a face: its landmarks, and the middles of the left and right edge."""
    box = face.box
    y = (box.y_min + box.y_max) / 2
    return [*face.landmarks, (box.x_min, y), (box.x_max, y)]


def inner_region(face: Face) -> Box:
    """Returns the part of a face that hair and background do not reach: between eyes and mouth, else the middle."""
    points = [point for index, point in enumerate(face.landmarks) if index != 2]  # the nose leaves it in a profile
    box = face.box
    if all(math.isfinite(value) for point in points for value in point):
        xs, ys = sorted(point.x for point in points), sorted(point.y for point in points)
        left, top = max(math.floor(xs[0]), box.x_min), max(math.floor(ys[0]), box.y_min)
        right, bottom = min(math.ceil(xs[-1]), box.x_max), min(math.ceil(ys[-1]), box.y_max)
        if right - left >= box.width / 4 and bottom - top >= box.height / 8:
            return Box(left, top, right, bottom)
    quarter_x, quarter_y = box.width // 4, box.height // 4
    return Box(box.x_min + quarter_x, box.y_min + quarter_y, box.x_max - quarter_x, box.y_max - quarter_y)


def locate(
    rays: FaceRays, camera: CameraModel, placement: HeadPlacement | None, depth: Distance | None = None
) -> Position:
    """Returns the position of a face from its depth, else from the more certain one of interocular distance and width.

    The covariance has the uncertainty of the distance along the ray, and that of the pixels across it.

    Args:
        rays: of the face.
        camera: calibrated.
        placement: of the head in this frame; None if it is unknown.
        depth: of the face in a depth image.
    """
    if depth is not None:
        return _position(rays, depth, PositionSource.DEPTH)
    by_eyes = None if placement is None else _by_eyes(rays, camera, placement)
    by_width = _by_width(rays, camera)
    if by_eyes is not None and (by_width is None or by_eyes.std_m / by_eyes.z_m < by_width.std_m / by_width.z_m):
        return _position(rays, by_eyes, PositionSource.INTEROCULAR_DISTANCE)
    return UNKNOWN_POSITION if by_width is None else _position(rays, by_width, PositionSource.FACE_SIZE)


def _by_eyes(rays: FaceRays, camera: CameraModel, placement: HeadPlacement) -> Distance | None:
    """Returns the distance at which eyes of the mean interocular distance appear as they do; None if unknown."""
    if not rays.eyes:
        return None
    (right_x, right_y), (left_x, left_y) = rays.eyes
    between_x, between_y = left_x - right_x, left_y - right_y
    apart = math.hypot(between_x, between_y)
    if apart <= 0:
        return None
    x, y, z = (INTEROCULAR_M * part for part in placement.rotation[:, 0].tolist())  # from the right to the left eye
    # right eye at (right_x, right_y, 1) * d, left eye at (left_x, left_y, 1) * (d + z): their difference is x, y, z
    right_z_m = (between_x * (x - z * left_x) + between_y * (y - z * left_y)) / apart**2
    z_m = right_z_m + z / 2
    if not 0 < z_m < math.inf:
        return None
    foreshortened = min(max(apart * z_m / INTEROCULAR_M, 1e-6), 1.0)
    pose_spread = math.sqrt(1 - foreshortened**2) / foreshortened * HEAD_POSE_STD
    landmark = math.hypot(_LANDMARK_STD * INTEROCULAR_M / z_m, 0.5 / camera.fx)  # half a pixel at least
    return _distance(z_m, math.hypot(_INTEROCULAR_SPREAD, math.sqrt(2) * landmark / apart, pose_spread))


def _by_width(rays: FaceRays, camera: CameraModel) -> Distance | None:
    """Returns the distance at which a region of the mean width appears as wide as it does; None if unknown."""
    if not rays.width > 0:  # NaN, too
        return None
    spread = _CUT_SPREAD if rays.is_cut else _REGION_SPREAD
    return _distance(REGION_WIDTH_M / rays.width, math.hypot(spread, math.sqrt(2) / camera.fx / rays.width))


def _distance(z_m: float, spread: float) -> Distance | None:
    return Distance(z_m, z_m * spread) if spread <= _MAX_SPREAD else None


def _position(rays: FaceRays, distance: Distance, source: PositionSource) -> Position:
    (x, y), z_m = rays.middle, distance.z_m
    if not (math.isfinite(x) and math.isfinite(y)):
        return UNKNOWN_POSITION
    along = distance.std_m**2
    width_m = rays.width * z_m if math.isfinite(rays.width) else REGION_WIDTH_M
    across = (_MIDDLE_STD * width_m) ** 2
    covariance = (
        *(along * x * x + across, along * x * y, along * x),
        *(along * x * y, along * y * y + across, along * y),
        *(along * x, along * y, along),
    )
    return Position(x * z_m, y * z_m, z_m, covariance, source)
