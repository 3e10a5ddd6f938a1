# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Faces of the generic face model as a camera sees them, and depth images of them."""

from types import SimpleNamespace

import numpy as np

from emotion_perception.core.people.camera_model import CameraModel
from emotion_perception.core.people.depth_image import DepthImage
from emotion_perception.core.people.head_pose import FACE_MODEL_M
from emotion_perception.core.types import Box, Face, HeadPose, Landmarks, Point

FOCAL, CENTER = 500.0, (320.0, 240.0)


def camera():
    """Returns a camera of 640x480 pixels without distortion."""
    return CameraModel(FOCAL, FOCAL, *CENTER, (640, 480))


def face_at(at, pose=HeadPose(0.0, 0.0, 0.0), *, size=1.0, noise_px=0.0, rng=None, track_id=1):  # noqa: B008 - frozen
    """Returns the face of a head at a position (x, y, z in meters), with a region 0.13 m wide.

    Args:
        at: of the middle of eyes and mouth corners.
        pose: of the head.
        size: relative to the model.
        noise_px: standard deviation of the landmarks.
        rng: of the noise.
        track_id: of the face.
    """
    points = size * FACE_MODEL_M @ pose.rotation().T + np.array(at)
    pixels = points[:, :2] / points[:, 2:] * FOCAL + CENTER
    if noise_px:
        pixels = pixels + rng.normal(0, noise_px, pixels.shape)
    x, y = np.array(at[:2]) / at[2] * FOCAL + CENTER
    half = 0.065 * size / at[2] * FOCAL
    box = Box(round(x - half), round(y - 1.35 * half), round(x + half), round(y + 1.35 * half))
    return Face(box, 0.9, Landmarks(*(Point(*pixel) for pixel in pixels.tolist())), track_id)


def depth_message(z_m, box, *, background_m=5.0, encoding="32FC1", frame_id="", size=(640, 480)):
    """Returns the fields of a depth image in which a region has a depth."""
    depths = np.full(size[::-1], background_m, np.float32)
    depths[max(box.y_min, 0) : box.y_max, max(box.x_min, 0) : box.x_max] = z_m
    pixels = depths if encoding == "32FC1" else (depths * 1000).astype(np.uint16)
    return SimpleNamespace(
        header=SimpleNamespace(frame_id=frame_id),
        height=size[1],
        width=size[0],
        encoding=encoding,
        is_bigendian=0,
        step=size[0] * pixels.itemsize,
        data=pixels.tobytes(),
    )


def depth_image(z_m, box, **options):
    """Returns `depth_message` as a `DepthImage`."""
    return DepthImage(0, depth_message(z_m, box, **options))
