#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures `facial-emotion-recognition` (PyPI): `EmotionRecognition(device="cpu").recognize_emotion(frame)`.

facenet-pytorch's MTCNN, then the package's own network on torch, face by face; in .venv-peer-facial. It returns the
frame with its answers drawn, which is part of the time; `name_emotions` counts the answers as they are made.

As published it does not start without CUDA: its weights were saved on a GPU and are loaded as such. Here `torch.load`
is told `map_location="cpu"`; nothing else is changed.
"""

import functools
import sys

import cv2
import torch
from facial_emotion_recognition import EmotionRecognition
from measuring import BagImage, Peer, main


def make_peer(threads: int) -> Peer:
    """Makes it; `threads` goes to OpenCV and torch."""
    if threads:
        cv2.setNumThreads(threads)
        torch.set_num_threads(threads)
    torch.load = functools.partial(torch.load, map_location="cpu")
    recognition = EmotionRecognition(device="cpu")
    predict = recognition._predict
    answers: list[str] = []

    def predict_and_count(face: BagImage) -> str:
        answers.append(predict(face))
        return answers[-1]

    def name_emotions(frame: BagImage) -> list[str]:
        answers.clear()
        recognition.recognize_emotion(frame.copy(), return_type="BGR")  # it draws into the frame
        return answers

    recognition._predict = predict_and_count
    return Peer(
        what="MTCNN, its own network (torch)",
        packages=("facial-emotion-recognition", "torch", "facenet-pytorch", "opencv-python"),
        name_emotions=name_emotions,
        classify=predict,
        notes=(
            'as published it ends with "Attempting to deserialize object on a CUDA device"; here torch.load was told '
            "map_location",
            "it advertises 95.7 %, its training accuracy",
        ),
    )


if __name__ == "__main__":
    sys.exit(main(make_peer, __doc__))
