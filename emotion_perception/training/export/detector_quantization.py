# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Quantizes the CenterFace detector to int8: the same faces in two thirds of the time or less.

The published file is not changed; the int8 file is given as the parameter `detector_model`. The ranges of the
activations are minima and maxima over the user's images (the entropy method found fewer faces). The four output layers
stay in float32, so that scores and boxes keep their precision.
"""

import itertools
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnx.version_converter
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationMethod
from tqdm import tqdm

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.atomic_files import atomic_path
from emotion_perception.core.camera import CameraOptions, open_source
from emotion_perception.core.detection import (
    DetectorOptions,
    FaceDetector,
    create_detector,
    select_faces,
    with_longer_side,
)
from emotion_perception.core.detection.centerface import network_input
from emotion_perception.core.detection.onnx_graph import with_free_image_size
from emotion_perception.core.errors import DatasetError
from emotion_perception.core.images import iou, square_crop
from emotion_perception.core.inference import read_model
from emotion_perception.reporting.timing import time_interleaved
from emotion_perception.training.export.int8 import CalibrationInputs, write_int8_file

Image = NDArray[np.uint8]
OPTIONS = DetectorOptions(detector="centerface", detection_size=320)
"""The detector whose file is quantized, at the size for which its ranges are measured."""

_MAX_IMAGES = 400  # half of them for the ranges, half for the comparison
_OPSET = 13  # the first with scales for each channel
_SAME_IOU = 0.5
_ROUNDS = 30
_CLOSE_UP_MARGIN = 0.1  # around a face that fills the image


@dataclass(frozen=True)
class QuantizedDetector:
    """An int8 detector, compared with the float detector on images that were not used for the ranges.

    Attributes:
        path: the int8 file.
        faces: number of faces that the float detector finds.
        matched: fraction of them that the int8 detector finds with an IoU of at least 0.5.
        new_faces: number of faces that only the int8 detector finds.
        overlap: mean IoU of the matched faces.
        ms: median duration for one image with one thread of this CPU: float, int8.
    """

    path: Path
    faces: int
    matched: float
    new_faces: int
    overlap: float
    ms: tuple[float, float]


def quantize_detector(images_path: Path, target: Path) -> QuantizedDetector:
    """Quantizes CenterFace with the images of a video or folder.

    Args:
        images_path: a video or a folder of images, with faces like those of the application.
        target: the file to write.

    Raises:
        SourceError: there are no images.
        ModelFileError: CenterFace has not been fetched.
        DatasetError: there is no face in the images.
    """
    return quantize_detector_on(read_images(images_path), target)


def quantize_detector_on(images: Sequence[Image], target: Path) -> QuantizedDetector:
    """Quantizes CenterFace with images, uint8 (H, W, 3) BGR in the detector's size; see `quantize_detector`."""
    ranges, held = images[::2], images[1::2]
    if not held:
        raise DatasetError(
            "one image is not enough: half of the images are for the ranges, the others for the comparison"
        )
    tiles = [tiled(ranges, number) for number in range(len(ranges))]
    shown = [*ranges, *tiles, *close_ups(ranges)]
    target.parent.mkdir(parents=True, exist_ok=True)
    published = with_free_image_size(read_model(resolve_model_file("centerface")))
    model = onnx.version_converter.convert_version(onnx.load_model_from_string(published), _OPSET)
    name = model.graph.input[0].name
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "float.onnx"
        onnx.save(model, str(source))
        inputs = CalibrationInputs(len(shown), lambda number: {name: network_input(shown[number])})
        with atomic_path(target) as part:
            write_int8_file(source, part, inputs, CalibrationMethod.MinMax, keep_last_layers=True)
    return _compare(held, target)


def summary_lines(found: QuantizedDetector) -> str:
    """Returns two lines with the matched faces and the speed of a quantized detector."""
    return (
        f"{found.path}: of {found.faces} faces {found.matched:.1%} matched (IoU {found.overlap:.2f}), "
        f"{found.new_faces} new\n"
        f"{found.ms[0]:.1f} -> {found.ms[1]:.1f} ms per image with one thread of this CPU; to use it: "
        f"detector:={OPTIONS.detector} detection_size:={OPTIONS.detection_size} detector_model:={found.path}"
    )


def read_images(path: Path) -> list[Image]:
    """Returns up to 400 images of a video or folder in their order, drawn at random with a fixed seed."""
    size = OPTIONS.detection_size
    source = open_source(
        CameraOptions(video_device=str(path), loop=False, framerate=0.0, image_width=0, image_height=0)
    )
    draw = random.Random(0)
    kept: list[tuple[int, Image]] = []
    try:
        for number in tqdm(itertools.count(), desc="reading images", unit=" images", disable=None, leave=False):
            if (frame := source.read()) is None:
                break
            place = number if number < _MAX_IMAGES else draw.randint(0, number)  # reservoir sampling (Vitter 1985)
            if place < _MAX_IMAGES:
                kept[place : place + 1] = [(number, with_longer_side(frame.image_bgr, size))]
    finally:
        source.close()
    return [image for _, image in sorted(kept, key=lambda entry: entry[0])]


def tiled(images: Sequence[Image], number: int) -> Image:
    """Returns an image with four of the images at half size, for more and smaller faces."""
    four = [images[(number + step) % len(images)][::2, ::2] for step in range(0, 4 * 7, 7)]
    height, width = images[number].shape[:2]
    canvas = np.zeros_like(images[number])
    places = ((0, 0), (0, width // 2), (height // 2, 0), (height // 2, width // 2))
    for image, (top, left) in zip(four, places, strict=True):
        part = image[: height - top, : width - left]
        canvas[top : top + part.shape[0], left : left + part.shape[1]] = part
    return canvas


def close_ups(images: Sequence[Image]) -> list[Image]:
    """Returns the face with the highest score of each image, scaled to the size of the image."""
    detector, found = create_detector(OPTIONS), []
    for image in tqdm(images, desc="finding faces", unit=" images", disable=None, leave=False):
        if faces := select_faces(detector.detect(image), OPTIONS):
            crop = square_crop(image, faces[0].box, _CLOSE_UP_MARGIN)
            found.append(np.asarray(cv2.resize(crop, image.shape[1::-1]), np.uint8))
    return found


def _compare(images: Sequence[Image], path: Path) -> QuantizedDetector:
    config = replace(OPTIONS, num_threads=1)
    detectors = create_detector(config), create_detector(replace(config, detector_model=str(path)))
    overlaps, faces, others = [], 0, 0
    for image in tqdm(images, desc="comparing", unit=" images", disable=None, leave=False):
        wanted, found = ([face.box for face in select_faces(one.detect(image), config)] for one in detectors)
        best = [max((iou(box, other) for other in found), default=0.0) for box in wanted]
        faces += len(wanted)
        overlaps += [overlap for overlap in best if overlap >= _SAME_IOU]
        others += sum(all(iou(box, other) < _SAME_IOU for other in wanted) for box in found)
    if not faces:
        raise DatasetError("there is no face in the images")
    return QuantizedDetector(
        path=path,
        faces=faces,
        matched=len(overlaps) / faces,
        new_faces=others,
        overlap=float(np.mean(overlaps)) if overlaps else 0.0,
        ms=_times_ms(detectors, images[0]),
    )


def _times_ms(detectors: tuple[FaceDetector, FaceDetector], image: Image) -> tuple[float, float]:
    """Returns the median duration of each detector, in ms."""
    cases = {str(number): partial(detector.detect, image) for number, detector in enumerate(detectors)}
    first, second = time_interleaved(cases, rounds=_ROUNDS, what="timing").values()
    return first["p50"], second["p50"]
