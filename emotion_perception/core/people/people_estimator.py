# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""From tracked faces to faces with position, head pose, and whether they face the camera."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emotion_perception.core.people.camera_model import CameraModel
from emotion_perception.core.people.depth_image import DepthImage
from emotion_perception.core.people.face_position import FaceRays, face_pixels, inner_region, locate
from emotion_perception.core.people.head_pose import HeadPoseSmoother, place_head
from emotion_perception.core.people.options import PeopleOptions
from emotion_perception.core.types import UNKNOWN_HEAD_POSE, UNKNOWN_POSITION, Face, Facing

_PIXELS, _LANDMARKS = 7, 5  # of a face, see `face_pixels`


class PeopleEstimator:
    """Computes positions and head poses of the tracked faces of one stream of images."""

    def __init__(self) -> None:
        self._smoother = HeadPoseSmoother()

    def update(
        self,
        faces: Sequence[Face],
        stamp_s: float,
        image_wh: tuple[int, int],
        options: PeopleOptions,
        *,
        camera: CameraModel | None = None,
        depth: DepthImage | None = None,
        margin: float = 0.0,
    ) -> list[Face]:
        """Returns the faces of the next image with position, head pose and `facing_camera`, in the same order.

        Args:
            faces: with their track ids.
            stamp_s: stamp of the image in seconds; a stamp that goes backwards ends the smoothing.
            image_wh: width and height of the image in pixels.
            options: what is computed.
            camera: of the images; None if it is not calibrated: positions are unknown then, and head poses those of
                `CameraModel.assumed_for`.
            depth: registered to the image.
            margin: share of the longer side of the detector's region that was added on each side.
        """
        self._smoother.advance(stamp_s)
        if not faces or not (options.positions or options.head_pose):
            return list(faces)
        seen_by = camera or CameraModel.assumed_for(image_wh)
        pixels = np.array([pixel for face in faces for pixel in face_pixels(face)], np.float64)
        rays = seen_by.rays(pixels).reshape(len(faces), _PIXELS, 2)
        placed = []
        for face, own_rays in zip(faces, rays, strict=True):
            placement = place_head(own_rays[:_LANDMARKS]) if options.head_pose else None
            seen = FaceRays.of(
                face, own_rays, has_landmarks=placement is not None, image_width=image_wh[0], margin=margin
            )
            pose, facing, position = UNKNOWN_HEAD_POSE, Facing.UNKNOWN, UNKNOWN_POSITION
            if placement is not None:
                pose, facing = self._smoother.update(face.track_id, placement.pose, seen.middle, stamp_s, options)
            if options.positions and camera is not None:
                distance = None if depth is None else depth.distance(inner_region(face))
                position = locate(seen, camera, placement, distance)
            placed.append(replace(face, head_pose=pose, facing_camera=facing, position=position))
        return placed
