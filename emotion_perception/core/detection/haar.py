# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Haar cascade, through OpenCV 4 (Viola and Jones 2001); OpenCV 5 has neither the class nor the file."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.detection.base import Candidates, FaceDetector
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ConfigurationError, ModelFileError
from emotion_perception.core.regular_files import opencv_name

FILE = "haarcascade_frontalface_default.xml"
_FOLDERS = ("/usr/share/opencv4/haarcascades", "/usr/local/share/opencv4/haarcascades")
_SCALE_STEP = 1.1
_MIN_NEIGHBORS = 2
_NEIGHBORS_AT_HALF = 5  # OpenCV's usual threshold becomes the score 0.5


class HaarDetector(FaceDetector):
    """Runs `cv2.CascadeClassifier`; detects frontal faces without landmarks.

    A cascade computes no probability: the score is n / (n + 5) for a face that n overlapping windows detected.

    Raises:
        ConfigurationError: this OpenCV has no CascadeClassifier.
        ModelFileError: the file is missing or not a cascade.
    """

    name = "haar"

    def __init__(self, options: DetectorOptions, model_path: Path | None = None) -> None:
        super().__init__(options)
        if not hasattr(cv2, "CascadeClassifier"):
            raise ConfigurationError(f"OpenCV {cv2.__version__} has no CascadeClassifier; detector haar needs OpenCV 4")
        path = cascade_path() if model_path is None else model_path
        if not path.is_file():
            raise ModelFileError(f"{path}: no such file")
        try:
            self._cascade = cv2.CascadeClassifier(opencv_name(path))
        except (cv2.error, SystemError) as error:  # older bindings raise SystemError from the constructor
            raise ModelFileError(f"{path}: not a cascade file") from error
        if self._cascade.empty():
            raise ModelFileError(f"{path}: not a cascade file")

    def detect_candidates(self, image_bgr: NDArray[np.uint8]) -> Candidates:
        """Detects faces in the working image."""
        gray = cv2.equalizeHist(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY))
        rows, neighbors = self._cascade.detectMultiScale2(gray, scaleFactor=_SCALE_STEP, minNeighbors=_MIN_NEIGHBORS)
        if len(rows) == 0:
            return Candidates.none()
        xywh = np.asarray(rows, np.float32)
        counts = np.asarray(neighbors, np.float32).reshape(-1)
        xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        return Candidates(xyxy, counts / (counts + _NEIGHBORS_AT_HALF), np.full((len(xywh), 5, 2), np.nan, np.float32))


def cascade_path() -> Path:
    """Returns the path of OpenCV's cascade: in its Python package, or in the folder of apt's opencv-data.

    Raises:
        ModelFileError: it is in none of these places.
    """
    folders = [Path(cv2.data.haarcascades)] if hasattr(cv2, "data") else []
    folders += [Path(folder) for folder in _FOLDERS]
    for folder in folders:
        if (folder / FILE).is_file():
            return folder / FILE
    raise ModelFileError(
        f"{FILE} is in none of {', '.join(map(str, folders))}; install opencv-data or set detector_model"
    )
