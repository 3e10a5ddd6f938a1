# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Scripted streams of real faces whose boxes are known, for `measure_tracking.py`.

Photographs of one face are cut out as ellipses and moved over a still background without faces, 640x480 at 30 Hz.
"""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from image_files import Image
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from emotion_perception.core.detection import FaceDetector
from emotion_perception.core.images import clip_box
from emotion_perception.core.types import Box

WH, RATE_HZ = (640, 480), 30
DURATION_S = 6.0
_SHUTTER_S = 1 / 60  # exposure, for the motion blur
_NOISE_DEVIATION = 2.0
_MIN_VISIBLE = 0.6  # share of a face's box; faces of which less is visible are neither expected nor false
_CHIP = 200  # side of a photograph in pixels


class Pose(NamedTuple):
    """Where a face is.

    Attributes:
        x: of the center of its box, in pixels.
        y: likewise.
        height: of its box, in pixels.
        angle_deg: in the plane, counterclockwise.
    """

    x: float
    y: float
    height: float
    angle_deg: float = 0.0


@dataclass(frozen=True)
class Moment:
    """What a scene shows at one moment.

    Attributes:
        poses: of each face, those behind first; None is outside.
        occluder: an object in front of the faces.
        gain: brightness.
        pan_px: shift of the background, of a camera that turns.
    """

    poses: Sequence[Pose | None]
    occluder: Box | None = None
    gain: float = 1.0
    pan_px: float = 0.0


@dataclass(frozen=True, eq=False)
class TrueFace:
    """A face in an image.

    Attributes:
        number: the same face has the same number over the stream.
        box: inside the image, in pixels.
        expected: whether enough of it is visible, so that a detector has to find it.
    """

    number: int
    box: Box
    expected: bool


@dataclass(frozen=True, eq=False)
class Cutout:
    """A photograph of one face.

    Attributes:
        image: uint8 (H, W, 3) BGR.
        box: of the face in it, as the detector gives it.
        mask: float32 (H, W), 0 outside of the head.
    """

    image: Image
    box: Box
    mask: NDArray[np.float32] = field(repr=False)


def cutouts(photographs: Iterator[tuple[str, Image]], detector: FaceDetector, count: int) -> list[Cutout]:
    """Returns the first photographs in which the detector finds exactly one face."""
    found: list[Cutout] = []
    for _, photograph in photographs:
        chip = cv2.resize(photograph, (_CHIP, _CHIP), interpolation=cv2.INTER_AREA)
        scene = cv2.copyMakeBorder(chip, 140, 140, 220, 220, cv2.BORDER_CONSTANT, value=(128, 128, 128))
        faces = detector.detect(np.asarray(scene, np.uint8))
        if len(faces) == 1 and faces[0].score > 0.8:
            box = faces[0].box
            moved = clip_box((box.x_min - 220, box.y_min - 140, box.x_max - 220, box.y_max - 140), (_CHIP, _CHIP))
            if moved is not None:
                found.append(Cutout(np.asarray(chip, np.uint8), moved, _mask(moved)))
        if len(found) == count:
            break
    return found


def _mask(box: Box) -> NDArray[np.float32]:
    mask = np.zeros((_CHIP, _CHIP), np.float32)
    center = tuple(round(value) for value in box.center_xy)
    cv2.ellipse(mask, center, (round(0.72 * box.width), round(0.75 * box.height)), 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 3), np.float32)


def _swing(t: float, low: float, high: float, period_s: float) -> float:
    """Moves between two values at constant speed, there and back in a period."""
    phase = (t / period_s) % 1
    return low + (high - low) * (2 * phase if phase < 0.5 else 2 - 2 * phase)


def _still(_t: float) -> Moment:
    return Moment([Pose(300, 220, 90)])


def _drift(t: float) -> Moment:
    return Moment([Pose(_swing(t, 120, 520, 8), _swing(t, 150, 330, 6), 90)])


def _fast(t: float) -> Moment:
    return Moment([Pose(320 + 200 * math.sin(2 * math.pi * 0.7 * t), 230 + 40 * math.sin(2 * math.pi * 1.1 * t), 90)])


def _zoom(t: float) -> Moment:
    return Moment([Pose(320, 240, 40 * (250 / 40) ** _swing(t, 0, 1, 3))])


def _rotation(t: float) -> Moment:
    return Moment([Pose(320, 240, 110, 35 * math.sin(2 * math.pi * 0.5 * t))])


def _occlusion(t: float) -> Moment:
    phase = t % 2
    hidden = 0.75 <= phase < 1.25
    x = _swing(t, 250, 390, 6)
    return Moment([Pose(x, 230, 100)], Box(round(x) - 90, 130, round(x) + 90, 340) if hidden else None)


def _passing(t: float) -> Moment:
    phase = t % 3
    return Moment([Pose(-60 + 760 * phase / 2.4, 220, 100) if phase < 2.4 else None])


def _crossing(t: float) -> Moment:
    return Moment([Pose(_swing(t, 150, 490, 4), 220, 90), Pose(_swing(t, 490, 150, 4), 245, 110)])


def _light(t: float) -> Moment:
    return Moment([Pose(_swing(t, 250, 390, 6), 230, 90)], gain=(1.0, 0.3)[int(t) % 2])


def _small(t: float) -> Moment:
    return Moment(
        [
            Pose(_swing(t, 80, 200, 6), 120, 34),
            Pose(_swing(t, 400, 300, 5), 260, 34),
            Pose(520, _swing(t, 100, 380, 7), 40),
        ]
    )


def _pan(t: float) -> Moment:
    shift = _swing(t, 0, 240, 5)
    return Moment([Pose(420 - shift, 230, 90)], pan_px=shift)


def _appearing(t: float) -> Moment:
    """A face that is there all the time, and others that appear at once, for a second."""
    second, phase = divmod(t, 1.5)
    there = Pose(150 + 110 * (second % 4), 120, 70) if phase < 1 else None
    return Moment([Pose(320, 340, 100), there])


SCENES: dict[str, Callable[[float], Moment]] = {
    "still": _still,
    "slow drift": _drift,
    "fast motion": _fast,
    "growing and shrinking": _zoom,
    "rotation": _rotation,
    "occlusion of 0.5 s": _occlusion,
    "entering and leaving": _passing,
    "two faces that cross": _crossing,
    "light jump": _light,
    "three small faces": _small,
    "camera that turns": _pan,
    "new faces": _appearing,
}


def stream(
    scene: Callable[[float], Moment], faces: Sequence[Cutout], background: Image, *, seed: int = 0
) -> Iterator[tuple[float, Image, list[TrueFace]]]:
    """Yields stamp in seconds, image and faces of each frame of a scene.

    Args:
        scene: one of `SCENES`.
        faces: used in turns.
        background: uint8 (H, W, 3), at least 880x480.
        seed: of the noise.
    """
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, _NOISE_DEVIATION, (WH[1], WH[0], 3)).astype(np.int16)
    for number in range(round(DURATION_S * RATE_HZ)):
        t = number / RATE_HZ
        now, later = scene(t), scene(t + _SHUTTER_S)
        left = round(now.pan_px)
        canvas = background[: WH[1], left : left + WH[0]].astype(np.float32)
        covers: list[NDArray[np.float32]] = []
        truths: list[tuple[int, Box, float]] = []
        for index, pose in enumerate(now.poses):
            if pose is None:
                continue
            next_pose = later.poses[index] or pose
            mask, truth = _paste(canvas, faces[index % len(faces)], pose, (next_pose.x - pose.x, next_pose.y - pose.y))
            covers = [*(np.maximum(cover, mask) for cover in covers), np.zeros_like(mask)]
            truths.append((index, *truth))
        if (box := now.occluder) is not None:
            rows, columns = slice(max(0, box.y_min), box.y_max), slice(max(0, box.x_min), box.x_max)
            canvas[rows, columns] = background[rows, columns][::-1, ::-1]
            for cover in covers:
                cover[rows, columns] = 1
        image = np.clip(canvas * now.gain + np.roll(noise, 37 * number % WH[1], axis=0), 0, 255).astype(np.uint8)
        yield t, image, [_true_face(*truth, cover) for truth, cover in zip(truths, covers, strict=True)]


def _paste(
    canvas: NDArray[np.float32], face: Cutout, pose: Pose, motion_xy: tuple[float, float]
) -> tuple[NDArray[np.float32], tuple[Box, float]]:
    """Draws a face; returns its mask and its box, with the share of the box that is inside the image."""
    scale = pose.height / face.box.height
    matrix = cv2.getRotationMatrix2D(face.box.center_xy, pose.angle_deg, scale)
    matrix[:, 2] += np.subtract((pose.x, pose.y), face.box.center_xy)
    source = cv2.GaussianBlur(face.image, (0, 0), 0.5 / scale) if scale < 1 else face.image
    image = cv2.warpAffine(source, matrix, WH, flags=cv2.INTER_LINEAR).astype(np.float32)
    mask = np.asarray(cv2.warpAffine(face.mask, matrix, WH, flags=cv2.INTER_LINEAR), np.float32)
    image, mask = _blurred(image * mask[..., None], motion_xy), _blurred(mask, motion_xy)
    canvas *= 1 - mask[..., None]
    canvas += image
    half_w, half_h = face.box.width * scale / 2, pose.height / 2
    middle_x, middle_y = pose.x + motion_xy[0] / 2, pose.y + motion_xy[1] / 2
    xyxy = middle_x - half_w, middle_y - half_h, middle_x + half_w, middle_y + half_h
    box = clip_box(xyxy, WH) or Box(0, 0, 1, 1)
    return mask, (box, box.area / (4 * half_w * half_h))


def _blurred(image: NDArray[np.float32], motion_xy: tuple[float, float]) -> NDArray[np.float32]:
    """Blurs an image along a motion, in pixels during the exposure."""
    length = math.ceil(max(map(abs, motion_xy)))
    if length < 2:
        return image
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    for share in np.linspace(0, 1, 2 * length + 1):
        kernel[length - round(share * motion_xy[1]), length - round(share * motion_xy[0])] += 1
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.float32)


def _true_face(number: int, box: Box, inside: float, cover: NDArray[np.float32]) -> TrueFace:
    covered = float(cover[box.y_min : box.y_max, box.x_min : box.x_max].mean())
    return TrueFace(number, box, inside * (1 - covered) >= _MIN_VISIBLE)
