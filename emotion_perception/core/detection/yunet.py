# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""YuNet, through OpenCV (Wu et al. 2023, "YuNet: A Tiny Millisecond-level Face Detector")."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.detection.base import Candidates, FaceDetector
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ConfigurationError, ModelFileError
from emotion_perception.core.inference import read_model

_SCORE_FLOOR = 0.3
_OVERLAP = 0.3
_CANDIDATES = 5000


class YuNetDetector(FaceDetector):
    """Runs `cv2.FaceDetectorYN`; needs OpenCV 4.8 or newer for the file of 2023.

    Raises:
        ConfigurationError: this OpenCV has no FaceDetectorYN.
        ModelFileError: the file is missing, truncated or another network.
    """

    name = "yunet"

    def __init__(self, options: DetectorOptions, model_path: Path) -> None:
        super().__init__(options)
        if not hasattr(cv2, "FaceDetectorYN"):
            raise ConfigurationError(
                f"OpenCV {cv2.__version__} has no FaceDetectorYN; detector yunet needs 4.8 or newer"
            )
        read_model(model_path)  # OpenCV's message does not distinguish a missing file from a damaged one
        try:
            self._network = cv2.FaceDetectorYN.create(
                str(model_path), "", (64, 64), _SCORE_FLOOR, _OVERLAP, _CANDIDATES
            )
            self.detect_candidates(np.zeros((64, 64, 3), np.uint8))  # a wrong network is only noticed when it runs
        except cv2.error as error:
            raise ModelFileError(f"{model_path}: OpenCV {cv2.__version__} cannot run it as YuNet") from error

    def detect_candidates(self, image_bgr: NDArray[np.uint8]) -> Candidates:
        """Detects faces in the working image."""
        height, width = image_bgr.shape[:2]
        self._network.setInputSize((width, height))
        _, rows = self._network.detect(image_bgr)  # None where there is no face
        table = np.asarray([] if rows is None else rows, np.float32).reshape(-1, 15)  # x, y, w, h, five points, score
        xyxy = np.concatenate([table[:, :2], table[:, :2] + table[:, 2:4]], axis=1)
        return Candidates(xyxy, table[:, 14], table[:, 4:14].reshape(-1, 5, 2))
