#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures the errors of head poses and positions, and what they cost; writes the tables of docs/people.md.

    scripts/measure_head_pose.py --data DATA --out docs/people.md

Errors are measured where the truth is known: on projections of the generic face model with noise, and between an image
of a clip and the same image mirrored or rotated, which must have the mirrored or rotated head pose. There is no truth
about the heads of real people here.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from image_files import Image, video_frames, zipped_photographs

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.classification.valence_arousal import ValenceArousalTable
from emotion_perception.core.detection import DETECTORS, DetectorOptions, FaceDetector, create_detector
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.core.people import CameraModel, PeopleEstimator, PeopleOptions
from emotion_perception.core.people.face_position import REGION_WIDTH_M
from emotion_perception.core.people.head_pose import FACE_MODEL_M, INTEROCULAR_M, HeadPlacement, angle_past_camera
from emotion_perception.core.types import Box, Face, HeadPose, Landmarks, Point
from emotion_perception.reporting.documents import replace_measurement
from emotion_perception.reporting.provenance import processor_name

IMAGE_WH = (640, 480)
FOCAL = 554.3  # 60 degrees at 640 pixels
CAMERA = CameraModel(FOCAL, FOCAL, 320.0, 240.0, IMAGE_WH)
DISTORTED = CameraModel(FOCAL, FOCAL, 320.0, 240.0, IMAGE_WH, "plumb_bob", (-0.3, 0.1, 0.001, -0.001, 0.0))
OPTIONS = PeopleOptions(head_pose_smoothing_s=0.0)
IPD_STD_M, REGION_STD = 0.0038, 0.08
HEADS, REPEATS = 2000, 3000
DISTANCES_M, NOISES = (0.5, 1.0, 2.0, 4.0), (0.0, 0.02, 0.04)
SECTIONS = ("head pose by projection", "head pose by field of view", "head pose by image", "face width", "cost")
FIELDS_OF_VIEW_DEG = (40, 50, 60, 70, 80, 90)


def main() -> int:
    """Measures, prints the tables and writes them into `--out`; returns the exit code."""
    options = parse_arguments()
    cv2.setNumThreads(1)
    measures = (
        by_projection,
        by_field_of_view,
        lambda: by_image(options.data),
        lambda: face_width(options.data, options.step),
        cost,
    )
    sections = dict(zip(SECTIONS, measures, strict=True))
    for name in options.only or SECTIONS:
        lines = sections[name]()
        print(f"{name}\n\n" + "\n".join(lines) + "\n", flush=True)
        if options.out:
            source = f"`scripts/measure_head_pose.py`, {date.today()}, {processor_name()}.\n\n"
            replace_measurement(options.out, source + "\n".join(lines) + "\n", name)
    return 0


def parse_arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with utkface200_sample.zip and media/")
    parser.add_argument("--step", type=int, default=10, help="take every STEP-th photograph (default: %(default)s)")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="measure this section; can be given again")
    parser.add_argument("--out", type=Path, help="Markdown document whose generated sections are replaced")
    return parser.parse_args()


def project(at: Sequence[float], pose: HeadPose, focal: float, size: float, noise: float, rng: np.random.Generator):
    """Returns the face of a head as a camera of a focal length sees it.

    Args:
        at: of the middle of eyes and mouth corners, in meters.
        pose: of the head.
        focal: in pixels.
        size: relative to the model.
        noise: standard deviation of the landmarks, in distances between the eyes of a face seen from the front.
        rng: of the noise.
    """
    points = size * FACE_MODEL_M @ pose.rotation().T + np.array(at)
    pixels = points[:, :2] / points[:, 2:] * focal + (320.0, 240.0)
    pixels += rng.normal(0, 1, pixels.shape) * noise * INTEROCULAR_M / at[2] * focal
    x, y = np.array(at[:2]) / at[2] * focal + (320.0, 240.0)
    half = REGION_WIDTH_M / 2 * size * rng.normal(1, REGION_STD) / at[2] * focal
    box = Box(round(x - half), round(y - 1.35 * half), round(x + half) + 1, round(y + 1.35 * half) + 1)
    return Face(box, 0.9, Landmarks(*(Point(*pixel) for pixel in pixels.tolist())), 1)


def heads(z_m: float, rng: np.random.Generator, count: int) -> Iterator[tuple[tuple[float, float, float], HeadPose]]:
    """Yields places in the image and head poses: yaw to 45 degrees, pitch and roll to 25."""
    for _ in range(count):
        x, y = rng.uniform(-0.4, 0.4) * z_m, rng.uniform(-0.3, 0.3) * z_m
        pose = HeadPose(*(math.radians(rng.uniform(-limit, limit)) for limit in (45, 25, 25)))
        yield (x, y, z_m), pose


def place(face: Face, camera: CameraModel | None) -> Face:
    """Returns the face with position and head pose, unsmoothed."""
    (placed,) = PeopleEstimator().update([face], 0.0, IMAGE_WH, OPTIONS, camera=camera)
    return placed


def by_projection() -> list[str]:
    """Returns the table of errors by distance and noise, over people of different size."""
    rng = np.random.default_rng(1)
    lines = [
        "| distance, noise | yaw | pitch | roll | angle past the camera | distance | within 1 std | none |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for z_m in DISTANCES_M:
        for noise in NOISES:
            angles, distances, within, missed = [], [], [], 0
            for at, pose in heads(z_m, rng, HEADS):
                size = rng.normal(INTEROCULAR_M, IPD_STD_M) / INTEROCULAR_M
                placed = place(project(at, pose, FOCAL, size, noise, rng), CAMERA)
                if not placed.head_pose.known:
                    missed += 1
                    continue
                ray = (at[0] / at[2], at[1] / at[2])
                facing = angle_past_camera(placed.head_pose, ray) - angle_past_camera(pose, ray)
                angles.append([*np.subtract(placed.head_pose, pose), facing])
                error = placed.position.z - z_m
                distances.append(abs(error) / z_m)
                within.append(abs(error) <= math.sqrt(placed.position.covariance[8]))
            degrees = np.degrees(np.abs(np.array(angles)))
            cells = [pair(degrees[:, column], "°") for column in range(4)]
            pixels = noise * INTEROCULAR_M / z_m * FOCAL
            name = f"{z_m:g} m, {noise:.0%} of the distance between the eyes ({pixels:.1f} px)"
            share = f"{np.mean(within):.0%}"
            lines.append(
                f"| {name} | {' | '.join(cells)} | {pair(np.array(distances) * 100, ' %')} | {share} "
                f"| {missed / HEADS:.1%} |"
            )
    return lines


def by_field_of_view() -> list[str]:
    """Returns the table of errors of uncalibrated cameras by their true field of view."""
    rng = np.random.default_rng(2)
    lines = [
        "| true horizontal field of view | yaw | pitch | roll | angle past the camera |",
        "|---|---|---|---|---|",
    ]
    for field_deg in FIELDS_OF_VIEW_DEG:
        tangent = math.tan(math.radians(field_deg / 2))
        focal, angles = 320 / tangent, []
        for _, pose in heads(1.0, rng, HEADS):
            at = (rng.uniform(-0.9, 0.9) * tangent, rng.uniform(-0.9, 0.9) * tangent * 0.75, 1.0)
            placed = place(project(at, pose, focal, 1.0, 0.0, rng), None)
            if placed.head_pose.known:
                ray, shrunk = (at[0], at[1]), focal / CameraModel.assumed_for(IMAGE_WH).fx
                assumed = (at[0] * shrunk, at[1] * shrunk)
                facing = angle_past_camera(placed.head_pose, assumed) - angle_past_camera(pose, ray)
                angles.append([*np.subtract(placed.head_pose, pose), facing])
        degrees = np.degrees(np.abs(np.array(angles)))
        lines.append(f"| {field_deg}° | {' | '.join(pair(degrees[:, column], '°') for column in range(4))} |")
    return lines


def by_image(data: Path) -> list[str]:
    """Returns the table of differences between images of the clips and the same images mirrored and rotated."""
    images = [
        *video_frames(data / "media" / "WolfgangLanger_Pexels.mp4", 4),
        *video_frames(data / "media" / "single_face.mp4", 4),
    ]
    lines = [
        "| detector, change of each image | head pose in both | yaw | pitch | roll | mean change of roll |",
        "|---|---|---|---|---|---|",
    ]
    changes = [("mirrored", mirrored, (-1, 1, -1), 0.0)]
    changes += [(f"rotated by {angle}°", rotation(angle), (1, 1, 1), float(angle)) for angle in (-30, -15, 15, 30)]
    for detector_name in ("yunet", "centerface"):
        detector = create_detector(DetectorOptions(detector=detector_name, num_threads=1))
        poses = [pose_in(detector, image) for image in images]
        for name, change, signs, more_roll_deg in changes:
            differences, rolls = [], []
            for image, pose in zip(images, poses, strict=True):
                other = pose_in(detector, change(image))
                if pose is None or other is None:
                    continue
                same_side = HeadPose(*(sign * angle for sign, angle in zip(signs, pose, strict=True)))
                expected = turned(same_side, more_roll_deg)
                rolls.append(math.remainder(other.roll - same_side.roll, math.tau))
                differences.append([math.remainder(a - b, math.tau) for a, b in zip(other, expected, strict=True)])
            degrees = np.degrees(np.abs(np.array(differences)))
            cells = [pair(degrees[:, column], "°") for column in range(3)]
            cells.append(f"{np.degrees(np.mean(rolls)):+.1f}°" if more_roll_deg else "")
            lines.append(f"| {detector_name}, {name} | {len(rolls)} of {len(images)} | {' | '.join(cells)} |")
        known = np.degrees(np.array([pose for pose in poses if pose is not None]))
        spans = [f"{low:.0f}° to {high:.0f}°" for low, high in zip(known.min(axis=0), known.max(axis=0), strict=True)]
        lines.append(f"| {detector_name}, the images themselves: range | | {' | '.join(spans)} | |")
    return lines


def pose_in(detector: FaceDetector, image: Image) -> HeadPose | None:
    """Returns the head pose of the best face of an image of an uncalibrated camera."""
    poses = [face_of(face, image).head_pose for face in detector.detect(image)[:1]]
    return poses[0] if poses and poses[0].known else None


def mirrored(image: Image) -> Image:
    """Returns an image with left and right exchanged."""
    return np.ascontiguousarray(image[:, ::-1])


def rotation(angle_deg: float):
    """Returns a function that rotates an image clockwise about its middle."""

    def rotated(image: Image) -> Image:
        height, width = image.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -angle_deg, 1.0)
        return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)

    return rotated


def turned(pose: HeadPose, angle_deg: float) -> HeadPose:
    """Returns a head pose in an image that was rotated clockwise about the optical axis."""
    angle = math.radians(angle_deg)
    about_axis = HeadPose(0.0, 0.0, angle).rotation()
    return HeadPlacement(about_axis @ pose.rotation(), np.zeros(3)).pose


def face_width(data: Path, step: int) -> list[str]:
    """Returns how wide the detectors' regions are beside the eyes that YuNet finds, and the head poses of each."""
    photographs = [
        np.asarray(cv2.copyMakeBorder(image, 100, 100, 100, 100, cv2.BORDER_REPLICATE), np.uint8)
        for _, image in zipped_photographs(data / "utkface200_sample.zip", step)
    ]
    reference = create_detector(DetectorOptions(num_threads=1))
    eyes = [faces[0] if (faces := reference.detect(image)) else None for image in photographs]
    lines = ["| detector | faces | width of the region, mm | yaw | pitch |", "|---|---|---|---|---|"]
    for name in DETECTORS:
        detector = create_detector(DetectorOptions(detector=name, num_threads=1))
        widths, poses = [], []
        for image, face in zip(photographs, eyes, strict=True):
            frontal = face is not None and abs(face_of(face, image).head_pose.yaw) < math.radians(15)
            found = detector.detect(image)[:1] if frontal else []
            if found:
                apart = math.dist(face.landmarks.right_eye, face.landmarks.left_eye)
                widths.append(found[0].box.width / apart * INTEROCULAR_M * 1e3)
                pose = face_of(found[0], image).head_pose
                poses += [np.degrees(pose[:2])] if pose.known else []
        angles = (
            [f"{mean:+.1f}° ± {std:.1f}°" for mean, std in zip(np.mean(poses, 0), np.std(poses, 0), strict=True)]
            if poses
            else ["", ""]
        )
        lines.append(
            f"| {name} | {len(widths)} | {np.mean(widths):.0f} ± {np.std(widths):.0f} | {' | '.join(angles)} |"
        )
    return lines


def face_of(face: Face, image: Image) -> Face:
    """Returns a face with its head pose, for an uncalibrated camera."""
    (placed,) = PeopleEstimator().update([face], 0.0, (image.shape[1], image.shape[0]), OPTIONS)
    return placed


def cost() -> list[str]:
    """Returns the table of processor times a face."""
    rng = np.random.default_rng(3)
    faces = [project(at, pose, FOCAL, 1.0, 0.02, rng) for at, pose in heads(1.0, rng, 10)]
    table, row = ValenceArousalTable(LABELS), np.full(len(LABELS), 1 / len(LABELS), np.float32)
    lines = ["| what | ms a face: one face | ten faces |", "|---|---|---|"]
    for name, camera, options in (
        ("head pose and position", CAMERA, PeopleOptions()),
        ("the same, of a distorted image", DISTORTED, PeopleOptions()),
        ("head pose alone", CAMERA, PeopleOptions(positions=False)),
        ("position alone", CAMERA, PeopleOptions(head_pose=False)),
    ):
        cells = [timed(updates_of(some, camera, options)) / len(some) for some in (faces[:1], faces)]
        lines.append(f"| {name} | {cells[0]:.3f} | {cells[1]:.3f} |")
    return [*lines, f"| valence and arousal | {timed(lambda: table.of(row)):.3f} | |"]


def updates_of(faces: Sequence[Face], camera: CameraModel, options: PeopleOptions):
    """Returns a function that processes the faces of the next image."""
    estimator, stamps = PeopleEstimator(), iter(range(10**6))
    return lambda: estimator.update(faces, next(stamps) / 30, IMAGE_WH, options, camera=camera)


def timed(call) -> float:
    """Returns the median time of a call in milliseconds of the processor."""
    times = []
    for _ in range(REPEATS):
        begun_s = time.thread_time()
        call()
        times.append(time.thread_time() - begun_s)
    return float(np.median(times)) * 1e3


def pair(values: np.ndarray, unit: str) -> str:
    """Returns median and 95th percentile for a cell."""
    return f"{np.median(values):.1f}{unit} ({np.percentile(values, 95):.1f}{unit})"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (EmotionPerceptionError, OSError) as error:
        sys.exit(f"measure_head_pose: {error}")
