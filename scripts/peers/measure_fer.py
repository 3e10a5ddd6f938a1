#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures `fer` (PyPI) through its own class: `FER(...).detect_emotions(frame)`, in .venv-peer-fer.

Its default is OpenCV's Haar cascade and a quantized mini-Xception in TFLite; `--network keras` uses the Keras file of
the same network, `--detector mtcnn` facenet-pytorch's MTCNN. All weights are in the wheels. The 48x48 images of
PublicTest are preprocessed like the crops in `detect_emotions`: resized to 64x64, scaled to -1..1.
"""

import argparse
import functools
import sys

import cv2
import numpy as np
from measurement import Image, Peer, main

SIDE = 64  # pixels, input size of the network


def make_peer(threads: int, *, detector: str, network: str) -> Peer:
    """Makes the peer; `threads` goes to OpenCV, TensorFlow and torch, not to TFLite, for which `fer` has no option."""
    import tensorflow
    from fer.fer import FER

    if threads:
        cv2.setNumThreads(threads)
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        if detector == "mtcnn":
            import torch

            torch.set_num_threads(threads)
    fer = FER(mtcnn=detector == "mtcnn", use_tflite=network == "tflite")
    labels = FER._get_labels()

    def classify(image: Image) -> str:
        resized = cv2.resize(image, (SIDE, SIDE)).astype(np.float32)
        scores = fer._classify_emotions((resized[None] / 255.0 - 0.5) * 2.0)
        return labels[int(np.argmax(scores[0]))]

    detector_name, runtime = (
        {"haar": "Haar", "mtcnn": "MTCNN"}[detector],
        {"tflite": "TFLite", "keras": "Keras"}[network],
    )
    return Peer(
        what=f"{detector_name}, mini-Xception ({runtime})",
        packages=("fer", "tensorflow", "torch", "opencv-contrib-python"),
        predict=fer.detect_emotions,
        classify=classify,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--detector", choices=["haar", "mtcnn"], default="haar")
    parser.add_argument("--network", choices=["tflite", "keras"], default="tflite")
    own, sys.argv[1:] = parser.parse_known_args()
    sys.exit(main(functools.partial(make_peer, **vars(own)), __doc__))
