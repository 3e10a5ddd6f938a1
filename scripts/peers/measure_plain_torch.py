#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures a minimal script: OpenCV's Haar cascade and a torch network in eager mode, in one loop.

The network is `mini_xception` of `emotion_perception.training` at 64x64, the architecture of `fer`. Its weights are
random, since the time does not depend on them; the accuracy after training is in docs/accuracy.md. It runs in the
environment of the project.
"""

import sys

import cv2
import numpy as np
import torch
from measurement import Image, Peer, main

from emotion_perception.training.architectures.mini_xception import MiniXception

SIDE = 64  # pixels
LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def make_peer(threads: int) -> Peer:
    """Makes the peer; `threads` goes to OpenCV and torch."""
    if threads:
        cv2.setNumThreads(threads)
        torch.set_num_threads(threads)
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    network = MiniXception().eval()

    def predict(frame: Image) -> list[str]:
        gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        predictions = []
        for x, y, width, height in cascade.detectMultiScale(gray, 1.3, 5):
            face = cv2.resize(gray[y : y + height, x : x + width], (SIDE, SIDE))
            batch = torch.from_numpy(face.astype(np.float32) / 127.5 - 1)[None, None]
            with torch.no_grad():
                predictions.append(LABELS[int(network(batch).argmax())])
        return predictions

    return Peer(
        what="Haar (1.3, 5), mini-Xception (torch, eager)",
        packages=("torch", "opencv-python-headless"),
        predict=predict,
        notes=("random weights, so no accuracy; that of the trained network is in docs/accuracy.md",),
    )


if __name__ == "__main__":
    sys.exit(main(make_peer, __doc__))
