#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures `facial-emotion-recognition` (PyPI): `EmotionRecognition(device="cpu").recognize_emotion(frame)`.

It runs facenet-pytorch's MTCNN and then its own torch network on each face; in .venv-peer-facial. It returns the frame
with the predictions drawn, which is part of the measured time; `predict` records the predictions as they are made.

As published it does not start without CUDA, because its weights were saved on a GPU. Here `torch.load` is called with
`map_location="cpu"`; nothing else is changed.
"""

import functools
import sys

import cv2
from measurement import Image, Peer, main


def make_peer(threads: int) -> Peer:
    """Makes the peer; `threads` goes to OpenCV and torch."""
    import torch
    from facial_emotion_recognition import EmotionRecognition

    if threads:
        cv2.setNumThreads(threads)
        torch.set_num_threads(threads)
    torch.load = functools.partial(torch.load, map_location="cpu")
    recognition = EmotionRecognition(device="cpu")
    predict_face = recognition._predict
    predictions: list[str] = []

    def predict_and_record(face: Image) -> str:
        predictions.append(predict_face(face))
        return predictions[-1]

    def predict(frame: Image) -> list[str]:
        predictions.clear()
        recognition.recognize_emotion(frame.copy(), return_type="BGR")  # draws into the frame
        return predictions

    recognition._predict = predict_and_record
    return Peer(
        what="MTCNN, its own network (torch)",
        packages=("facial-emotion-recognition", "torch", "facenet-pytorch", "opencv-python"),
        predict=predict,
        classify=predict_face,
        notes=(
            'as published it fails with "Attempting to deserialize object on a CUDA device"; measured with '
            'torch.load(..., map_location="cpu")',
            "its documentation claims 95.7 %, which is its training accuracy",
        ),
    )


if __name__ == "__main__":
    sys.exit(main(make_peer, __doc__))
