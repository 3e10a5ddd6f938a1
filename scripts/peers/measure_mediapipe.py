#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures `mediapipe` (PyPI): `solutions.face_detection`, short range, in .venv-peer-mediapipe.

mediapipe names no emotions: its nearest answer are blendshapes, of a file that its wheel lacks (face_landmarker.task).
So these figures are of a detector alone and have no accuracy.
"""

import sys

import cv2
import mediapipe
from measuring import BagImage, Peer, main


def make_peer(threads: int) -> Peer:
    """Makes it; mediapipe chooses its threads, `threads` goes to OpenCV, which only changes the colors' order."""
    if threads:
        cv2.setNumThreads(threads)
    detection = mediapipe.solutions.face_detection.FaceDetection(model_selection=0)

    def name_emotions(frame: BagImage) -> list[object]:
        return detection.process(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)).detections or []

    return Peer(
        what="BlazeFace, no emotions",
        packages=("mediapipe", "opencv-contrib-python"),
        name_emotions=name_emotions,
        notes=(
            "a detector alone: blendshapes, its nearest to emotions, need face_landmarker.task, which its wheel lacks",
        ),
    )


if __name__ == "__main__":
    sys.exit(main(make_peer, __doc__))
