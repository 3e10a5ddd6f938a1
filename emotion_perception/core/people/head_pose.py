# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The head pose of a face from its five landmarks, smoothed over each track."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.people.options import PeopleOptions
from emotion_perception.core.types import Facing, HeadPose

GAP_S = 1.0  # after a longer gap a track restarts
MAX_TRACKS = 4096  # reached only if stamps stand still

INTEROCULAR_M = 0.0634
"""Mean distance between the pupils of adults, in meters (Dodgson 2004, "Variation and extrema of human interpupillary
distance", Proc. SPIE 5291: 63.4 mm, standard deviation 3.8 mm)."""

# The five points of a generic face in meters, in the order of `Landmarks`: x to the left side of the person (right in
# the image), y down, z into the head, origin in the middle of eyes and mouth corners. They are those of MediaPipe's
# canonical face model (canonical_face_model.obj, Apache-2.0; centimeters, y up, z out of the face): an eye is the
# middle of its lids (vertices 159 and 145, 386 and 374), the tip of the nose is vertex 1, the corners of the mouth are
# 61 and 291. The eyes are 63.5 mm apart, as INTEROCULAR_M, so it is taken as it is.
FACE_MODEL_M = np.array(
    [
        [-0.0318, -0.0349, 0.0023],
        [0.0318, -0.0349, 0.0023],
        [0.0, 0.0027, -0.0342],
        [-0.0246, 0.0349, -0.0023],
        [0.0246, 0.0349, -0.0023],
    ]
)
_MAX_ERROR_M = 0.012  # root mean square distance of the landmarks from the model's points; 9 mm on photographs
_CAMERA = np.eye(3)


@dataclass(frozen=True, eq=False)
class HeadPlacement:
    """Rotation and translation of the face model in the camera's optical frame.

    Attributes:
        rotation: float64 (3, 3).
        translation_m: float64 (3), of the model's origin.
    """

    rotation: NDArray[np.float64]
    translation_m: NDArray[np.float64]

    @property
    def pose(self) -> HeadPose:
        """The rotation as angles, Ry(yaw) * Rx(pitch) * Rz(roll)."""
        r = self.rotation
        return HeadPose(
            yaw=math.atan2(r[0, 2], r[2, 2]),
            pitch=math.asin(min(max(-r[1, 2], -1.0), 1.0)),
            roll=math.atan2(r[1, 0], r[1, 1]),
        )


def place_head(rays: NDArray[np.float64]) -> HeadPlacement | None:
    """Returns where the face model projects to five landmarks.

    The method is SQPnP (Terzakis and Lourakis 2020, "A Consistently Fast and Globally Optimal Solution to the
    Perspective-n-Point Problem"), which needs no first guess and has the global optimum for five points.

    Args:
        rays: float64 (5, 2), as of `CameraModel.rays`, in the order of `Landmarks`.

    Returns:
        None where a ray is NaN, the head is behind the camera, points away from it or is farther than about 10 m (where
        OpenCV refuses the points as too close together), or the landmarks are no face: their root mean square distance
        from the projected points is above 12 mm at the distance of the face.
    """
    if not math.isfinite(float(rays.sum())):
        return None
    try:
        found, vector, translation = cv2.solvePnP(FACE_MODEL_M, rays, _CAMERA, None, flags=cv2.SOLVEPNP_SQPNP)
    except cv2.error:  # the points are too close together
        return None
    if not found:
        return None
    rotation = np.asarray(cv2.Rodrigues(vector)[0], np.float64)
    translation_m = np.asarray(translation[:, 0], np.float64)
    points = FACE_MODEL_M @ rotation.T + translation_m
    errors = (points[:, :2] / points[:, 2:] - rays) * translation_m[2]
    is_face = float((errors * errors).sum()) <= len(rays) * _MAX_ERROR_M**2  # False for NaN
    is_turned_here = float(rotation[:, 2] @ translation_m) >= 0
    return HeadPlacement(rotation, translation_m) if is_face and is_turned_here and points[:, 2].min() > 0 else None


def angle_past_camera(pose: HeadPose, ray: tuple[float, float]) -> float:
    """Returns the angle between where a head points and the direction from it to the camera, in radians.

    Args:
        pose: known.
        ray: of the middle of the face, x and y in the plane z = 1.
    """
    cosine = math.cos(pose.pitch)
    into_head = math.sin(pose.yaw) * cosine, -math.sin(pose.pitch), math.cos(pose.yaw) * cosine
    x, y = ray
    along = (into_head[0] * x + into_head[1] * y + into_head[2]) / math.sqrt(x * x + y * y + 1)
    return math.acos(min(max(along, -1.0), 1.0))


@dataclass
class _Track:
    stamp_s: float
    pose: HeadPose
    facing: Facing = Facing.NO


class HeadPoseSmoother:
    """A first-order low-pass filter of the angles of each track in stamp time, and the hysteresis of facing.

    A stamp that goes backwards removes all tracks. A track without a head pose for `GAP_S` is removed. If there are
    more than `MAX_TRACKS`, the one whose head pose is oldest is removed.
    """

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}  # in the order of their updates
        self._newest_s = -math.inf

    def advance(self, stamp_s: float) -> None:
        """Removes the tracks that are too old at a stamp in seconds; all of them if it goes backwards."""
        if stamp_s < self._newest_s:
            self._tracks.clear()
        self._newest_s = stamp_s
        while self._tracks and stamp_s - self._tracks[oldest := next(iter(self._tracks))].stamp_s > GAP_S:
            del self._tracks[oldest]

    def update(
        self, track_id: int, pose: HeadPose, ray: tuple[float, float], stamp_s: float, options: PeopleOptions
    ) -> tuple[HeadPose, Facing]:
        """Returns the smoothed head pose, and whether the head is turned to the camera.

        Args:
            track_id: id of the face's track.
            pose: of this frame, known.
            ray: of the middle of the face, see `angle_past_camera`.
            stamp_s: stamp of the frame in seconds, given to `advance` before.
            options: time constant and angles.
        """
        track = self._tracks.pop(track_id, None) or _Track(stamp_s, pose)
        self._tracks[track_id] = track
        if len(self._tracks) > MAX_TRACKS:
            del self._tracks[next(iter(self._tracks))]
        constant_s = options.head_pose_smoothing_s
        share = 1 - math.exp(-(stamp_s - track.stamp_s) / constant_s) if constant_s > 0 else 1.0
        track.pose = HeadPose(*(_towards(old, new, share) for old, new in zip(track.pose, pose, strict=True)))
        track.stamp_s = stamp_s
        was_facing = track.facing is Facing.YES
        limit_deg = options.facing_lost_angle_deg if was_facing else options.facing_angle_deg
        facing = math.degrees(angle_past_camera(track.pose, ray)) <= limit_deg
        track.facing = Facing.YES if facing else Facing.NO
        return track.pose, track.facing


def _towards(old: float, new: float, share: float) -> float:
    """Returns an angle that is a share of the shorter way from an old to a new one, in -pi..pi."""
    return math.remainder(old + share * math.remainder(new - old, math.tau), math.tau)
