# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""YuNet: small, anchor-free, with five landmarks (Wu et al. 2023, "YuNet: A Tiny Millisecond-level Face Detector")."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.detection.base import (
    Candidates,
    FaceDetector,
    bounded_px,
    non_maximum_suppression,
    padded_blob,
    run_network,
)
from emotion_perception.core.detection.onnx_graph import with_free_image_size
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.inference import open_session, read_model

_STRIDES = (8, 16, 32)  # pixels of the image for each cell of the maps
_VALUES = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}  # of each cell, by the kind of output
_OUTPUTS = tuple(f"{kind}_{stride}" for kind in _VALUES for stride in _STRIDES)
_MULTIPLE = 32  # the network halves its input five times
_SCORE_FLOOR = 0.3
_OVERLAP = 0.3
_INSIDE = 0.8  # of a box that lies in one with a higher score: the network takes an eye or a cheek for a face at times
_BOX_SCALE = 0.92  # makes boxes as large as those of CenterFace, for which the crop margin was measured
_DIM, _BRIGHT = 60.0, 110.0  # mean gray levels: below the first an image is also searched at the second

Floats = NDArray[np.float32]


class YuNetDetector(FaceDetector):
    """Runs the ONNX file of March 2023 in onnxruntime, with the input size freed.

    The network misses faces in dim light. So a dark image is searched as it is and brightened; brightened alone, a lit
    face before a dark background would be overexposed. Boxes are 0.92 of what the network gives, the size of
    CenterFace's (docs/detectors.md).

    Raises:
        ConfigurationError: onnxruntime is not installed.
        ModelFileError: the file is missing, truncated or another network.
    """

    name = "yunet"
    thread_safe = True  # as onnxruntime's sessions are

    def __init__(self, options: DetectorOptions, model_path: Path) -> None:
        super().__init__(options)
        try:
            model = with_free_image_size(read_model(model_path))
        except ValueError as error:
            raise ModelFileError(f"{model_path}: not an ONNX file: {error}") from error
        self._session = open_session(model_path, num_threads=options.num_threads, outputs=_OUTPUTS, model=model)
        self._path, self._input = model_path, self._session.get_inputs()[0].name

    def detect_candidates(self, image_bgr: NDArray[np.uint8]) -> Candidates:
        """Detects faces in the working image."""
        views = [image_bgr] if (bright := brightened(image_bgr)) is None else [image_bgr, bright]
        found = [self._search(view) for view in views]
        xyxy, scores, points_xy = (np.concatenate(parts) for parts in zip(*found, strict=True))
        kept = non_maximum_suppression(xyxy, scores, _OVERLAP)
        kept = kept[non_maximum_suppression(xyxy[kept], scores[kept], _INSIDE, over_smaller=True)]
        return Candidates(scaled(xyxy[kept], _BOX_SCALE), scores[kept], points_xy[kept])

    def _search(self, image_bgr: NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
        """Returns boxes, scores and landmarks of all cells above the minimum score, see `decode`."""
        blob = network_input(image_bgr)
        height, width = blob.shape[2:]
        shapes = {
            f"{kind}_{stride}": (1, (height // stride) * (width // stride), length)
            for kind, length in _VALUES.items()
            for stride in _STRIDES
        }
        maps = run_network(self._path, self._session, {self._input: blob}, shapes)
        return decode(dict(zip(shapes, (each[0] for each in maps), strict=True)), width)


def scaled(xyxy: Floats, scale: float) -> Floats:
    """Returns boxes (N, 4) of the same centers whose sides are `scale` times as long."""
    inset = (xyxy[:, 2:] - xyxy[:, :2]) * ((1 - scale) / 2)
    return np.concatenate([xyxy[:, :2] + inset, xyxy[:, 2:] - inset], axis=1)


def brightened(image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Returns an image, uint8 (H, W, 3), scaled to a mean of 110, with bright parts clipped; None unless it is dark."""
    mean = sum(cv2.mean(image_bgr)[:3]) / 3
    if mean >= _DIM:
        return None
    return cv2.convertScaleAbs(image_bgr, alpha=_BRIGHT / max(mean, 1.0))  # type: ignore[return-value]


def network_input(image_bgr: NDArray[np.uint8]) -> Floats:
    """Returns float32 (1, 3, H, W) in BGR, 0..255, padded at the right and bottom to a multiple of 32."""
    return padded_blob(image_bgr, _MULTIPLE, rgb=False)


def decode(maps: Mapping[str, Floats], width: int) -> tuple[Floats, Floats, Floats]:
    """Decodes the network's outputs, in pixels of its input.

    Args:
        maps: for each stride `cls_S` and `obj_S`, (N, 1), whose product is the square of the score; `bbox_S`, (N, 4),
            offset of the center from the cell and logarithm of the size, in cells; `kps_S`, (N, 10), offset of x and y
            of each point from the cell, in cells. The N cells are in row-major order.
        width: of the input in pixels.

    Returns:
        Boxes (M, 4), scores (M) and landmarks (M, 5, 2) of the cells above the minimum score; they overlap.
    """
    levels = [_decode_level(maps, stride, width // stride) for stride in _STRIDES]
    xyxy, scores, points_xy = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    return xyxy, scores, points_xy


def _decode_level(maps: Mapping[str, Floats], stride: int, columns: int) -> tuple[Floats, Floats, Floats]:
    """Decodes the cells of one stride, see `decode`."""
    classes, objects = (np.clip(maps[f"{kind}_{stride}"][:, 0], 0, 1) for kind in ("cls", "obj"))
    scores = np.sqrt(classes * objects)
    cells = np.flatnonzero(scores >= _SCORE_FLOOR)
    corner_xy = np.stack([cells % columns, cells // columns], axis=1).astype(np.float32)  # (N, 2)
    boxes, points = maps[f"bbox_{stride}"][cells], maps[f"kps_{stride}"][cells].reshape(-1, 5, 2)
    with np.errstate(over="ignore"):
        center_xy = bounded_px((corner_xy + boxes[:, :2]) * stride)
        size_xy = bounded_px(np.exp(boxes[:, 2:]) * stride)
        points_xy = bounded_px((points + corner_xy[:, None]) * stride)
    xyxy = np.concatenate([center_xy - size_xy / 2, center_xy + size_xy / 2], axis=1)
    return xyxy, scores[cells], points_xy
