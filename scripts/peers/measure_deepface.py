#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures `deepface` (PyPI): `DeepFace.analyze(frame, actions=["emotion"])` with its defaults, in .venv-peer-deepface.

Its emotion network is no part of the wheel: at first use it is fetched from GitHub into ~/.deepface/weights. Where
that cannot be reached, this program ends with deepface's own error.
"""

import sys

import cv2
import numpy as np
from deepface import DeepFace
from measuring import BagImage, Peer, main


def make_peer(threads: int) -> Peer:
    """Makes it; `threads` goes to OpenCV."""
    if threads:
        cv2.setNumThreads(threads)

    def name_emotions(frame: BagImage) -> list[str]:
        try:
            return [face["dominant_emotion"] for face in DeepFace.analyze(frame, actions=["emotion"], silent=True)]
        except ValueError as error:  # that is how it says that it saw no face
            if "could not be detected" not in str(error):
                raise
            return []

    def classify(image: BagImage) -> str:
        color = np.repeat(image[:, :, None], 3, axis=2)
        return DeepFace.analyze(color, actions=["emotion"], detector_backend="skip", silent=True)[0]["dominant_emotion"]

    return Peer(
        what="Haar, its own network",
        packages=("deepface", "onnxruntime", "opencv-contrib-python-headless"),
        name_emotions=name_emotions,
        classify=classify,
    )


if __name__ == "__main__":
    sys.exit(main(make_peer, __doc__))
