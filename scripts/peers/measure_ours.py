#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures this package beside its peers: `core.pipeline.Pipeline` with the nodes' defaults.

Detection, tracking, classification and smoothing: all that the two nodes do but for ROS. In the project's environment.
`--detect-every 3` looks for faces in every third frame only and follows them by optical flow between; `--model` and
`--detector-model` take other files, such as the int8 ones.
"""

import argparse
import functools
import itertools
import sys
from pathlib import Path

import numpy as np
from measuring import BagImage, Peer, main

from emotion_perception.core.config import ClassifierConfig, DetectionConfig
from emotion_perception.core.pipeline import Pipeline

FRAME_S = 1 / 12  # 120 frames are spread over ten seconds


def make_peer(threads: int, *, detection_interval: int, detector_model: str, model: str) -> Peer:
    """Makes it; `threads` goes to both nodes' `num_threads`."""
    chosen = {"num_threads": threads} if threads else {}
    detection = DetectionConfig(detection_interval=detection_interval, detector_model=detector_model, **chosen)
    classification = ClassifierConfig(model=model, device="cpu", **chosen)
    pipeline = Pipeline(detection, classification)
    classifier = pipeline.recognizer.classifier
    times_s = (FRAME_S * number for number in itertools.count())

    def classify(image: BagImage) -> str:
        scores = classifier.classify([image])[0]
        return classifier.spec.labels[int(np.argmax(scores))]

    detector = Path(detector_model).stem or detection.detector
    followed = f" every {detection_interval} frames" if detection_interval > 1 else ""
    return Peer(
        what=f"{detector}{followed}, {classification.model} (onnxruntime)",
        packages=("onnxruntime", "opencv-python-headless"),
        name_emotions=lambda frame: pipeline.process(frame, next(times_s)),
        classify=classify,
        notes=(f"threads: detector {detection.num_threads}, classifier {classification.num_threads}",),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--detect-every", type=int, default=DetectionConfig.detection_interval)
    parser.add_argument("--detector-model", default=DetectionConfig.detector_model)
    parser.add_argument("--model", default=ClassifierConfig.model)
    own, sys.argv[1:] = parser.parse_known_args()
    sys.exit(main(functools.partial(make_peer, **vars(own)), __doc__))
