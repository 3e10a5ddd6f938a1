#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures `mediapipe` (PyPI): `solutions.face_detection`, short range, in .venv-peer-mediapipe.

mediapipe does not classify emotions. Its closest output, blendshapes, needs face_landmarker.task, which is not in the
wheel. So only its detector is measured, and there is no accuracy.
"""

import sys

import cv2
from measurement import Image, Peer, main


def make_peer(threads: int) -> Peer:
    """Makes the peer; `threads` goes to OpenCV, which converts the color order. mediapipe selects its own number."""
    import mediapipe

    if threads:
        cv2.setNumThreads(threads)
    detection = mediapipe.solutions.face_detection.FaceDetection(model_selection=0)

    def predict(frame: Image) -> list[object]:
        return detection.process(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)).detections or []

    return Peer(
        what="BlazeFace, no emotions",
        packages=("mediapipe", "opencv-contrib-python"),
        predict=predict,
        notes=(
            "detector only: blendshapes, its output closest to emotions, need face_landmarker.task, not in the wheel",
        ),
    )


if __name__ == "__main__":
    sys.exit(main(make_peer, __doc__))
