# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recordings whose faces are squares, and a pipeline that knows them: bright ones are happy, dark ones sad."""

import os
import signal
import time

import cv2
import numpy as np

from emotion_perception.bags.inference.settings import Settings
from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.classification.model_bundle import load_model_bundle
from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.classification.options import ClassifierOptions
from emotion_perception.core.classification.recognizer import EmotionRecognizer
from emotion_perception.core.pipeline import Pipeline
from emotion_perception.core.types import Box, Face, ModelInfo

HAPPY, SAD, DOUBTFUL = 230, 90, 150
T0 = 1_700_000_000_000_000_000
STEP = 100_000_000  # ns: 10 images a second
PLAIN = Settings()


def scene(*faces, width=160, height=120):
    """Returns an image with a square (x, y, side, gray) for each face."""
    image = np.zeros((height, width, 3), np.uint8)
    for x, y, side, gray in faces:
        image[y : y + side, x : x + side] = gray
    return image


def stamps(count, *, start=T0, step=STEP):
    return [start + k * step for k in range(count)]


class Squares:
    """Finds the squares, left ones first."""

    name = "squares"
    thread_safe = True

    def __init__(self, delay_s=0.0):
        self.delay_s = delay_s

    def detect(self, image_bgr):
        time.sleep(self.delay_s)
        bright = (image_bgr[:, :, 0] > 40).astype(np.uint8)
        _, _, found, _ = cv2.connectedComponentsWithStats(bright)
        boxes = sorted((int(x), int(y), int(w), int(h)) for x, y, w, h, _ in found[1:])
        return [Face(box=Box(x, y, x + w, y + h), score=0.9 - k / 100) for k, (x, y, w, h) in enumerate(boxes)]

    def detect_region(self, image_bgr, region, size):
        return self.detect(image_bgr)


class Grays:
    """Bright crops are happy, dark ones sad, those between are both."""

    labels = LABELS
    resting_head = None
    spec = ModelSpec(architecture="fake", labels=LABELS, crop_margin=0.0)
    sha256 = load_model_bundle(ClassifierOptions.model).sha256  # stands for the model of the settings
    info = ModelInfo(LABELS, model="grays", model_sha256=sha256, device="cpu")

    def warm_up(self, *, require_gpu=False):
        pass

    def classify(self, crops):
        rows = np.full((len(crops), len(LABELS)), 0.02, np.float32)
        for row, crop in zip(rows, crops, strict=True):
            level = crop.mean()
            happy = 0.8 if level > 200 else 0.1 if level < 120 else 0.46
            row[LABELS.index("happiness")], row[LABELS.index("sadness")] = happy, 0.9 - happy
        return rows


def make_pipeline(options, *, delay_s=0.0):
    return Pipeline(options, detector=Squares(delay_s), recognizer=EmotionRecognizer(Grays()))


def make_deadly_pipeline(options):
    """Returns a pipeline that kills its process, as the system does when memory is short, at an image 200 wide."""
    pipeline = make_pipeline(options)
    detect = pipeline.detect

    def killed_or_detect(image):
        if image.shape[1] == 200:
            os.kill(os.getpid(), signal.SIGKILL)
        return detect(image)

    pipeline.detect = killed_or_detect
    return pipeline


def make_slow_pipeline(options):
    return make_pipeline(options, delay_s=0.25)
