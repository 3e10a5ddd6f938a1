#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures `deepface` (PyPI): `DeepFace.analyze(frame, actions=["emotion"])` with its defaults, in .venv-peer-deepface.

Its emotion network is not in the wheel: deepface downloads it from GitHub to ~/.deepface/weights at first use. Without
a connection this program exits with deepface's error.
"""

import sys

import cv2
import numpy as np
from measurement import Image, Peer, main


def make_peer(threads: int) -> Peer:
    """Makes the peer; `threads` goes to OpenCV."""
    from deepface import DeepFace

    if threads:
        cv2.setNumThreads(threads)

    def predict(frame: Image) -> list[str]:
        try:
            return [face["dominant_emotion"] for face in DeepFace.analyze(frame, actions=["emotion"], silent=True)]
        except ValueError as error:  # deepface's way to report that no face was detected
            if "could not be detected" not in str(error):
                raise
            return []

    def classify(image: Image) -> str:
        color = np.repeat(image[:, :, None], 3, axis=2)
        return DeepFace.analyze(color, actions=["emotion"], detector_backend="skip", silent=True)[0]["dominant_emotion"]

    return Peer(
        what="Haar, its own network",
        packages=("deepface", "onnxruntime", "opencv-contrib-python-headless"),
        predict=predict,
        classify=classify,
    )


if __name__ == "__main__":
    sys.exit(main(make_peer, __doc__))
