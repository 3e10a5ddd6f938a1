#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures this package beside its peers: `core.pipeline.Pipeline` with the defaults of the nodes.

Detection, tracking, classification and smoothing: what the two nodes do without ROS, in the environment of the project,
with the frames' stamps at 30 Hz. `--detection-interval 1` searches every frame as a whole, `--precision float32` takes
the float32 form of the classifier, and `--detector centerface --detection-size 320` another detector.
"""

import argparse
import functools
import itertools
import sys
import time

import numpy as np
from measurement import Image, Peer, main

from emotion_perception.core.classification import ClassifierOptions
from emotion_perception.core.detection import DetectorOptions
from emotion_perception.core.pipeline import Pipeline, PipelineOptions
from emotion_perception.core.tracking import TrackerOptions

FRAME_S = 1 / 30


def make_peer(threads: int, *, detection_interval: int, detector: str, detection_size: int, precision: str) -> Peer:
    """Makes the peer; `threads` goes to both nodes' `num_threads`."""
    chosen = {"num_threads": threads} if threads else {}
    detection = DetectorOptions(detector=detector, detection_size=detection_size, **chosen)
    classification = ClassifierOptions(precision=precision, device="cpu", **chosen)
    tracking = TrackerOptions(detection_interval=detection_interval)
    options = PipelineOptions(detector=detection, tracker=tracking, classifier=classification)
    pipeline = Pipeline(options, clock_s=time.monotonic)
    classifier = pipeline.recognizer.classifier
    times_s = (FRAME_S * number for number in itertools.count())

    def classify(image: Image) -> str:
        probabilities = classifier.classify([image])[0]
        return classifier.spec.labels[int(np.argmax(probabilities))]

    every_frame = " in every frame" if detection_interval == 1 else ""
    return Peer(
        what=f"{detector}{every_frame}, {classification.model} in {classifier.precision.name} (onnxruntime)",
        packages=("onnxruntime", "opencv-python-headless"),
        predict=lambda frame: pipeline.process(frame, next(times_s)),
        classify=classify,
        notes=(f"threads: detector {detection.num_threads}, classifier {classification.num_threads}",),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--detection-interval", type=int, default=TrackerOptions.detection_interval)
    parser.add_argument("--detector", default=DetectorOptions.detector)
    parser.add_argument("--detection-size", type=int, default=DetectorOptions.detection_size)
    parser.add_argument("--precision", default=ClassifierOptions.precision)
    own, sys.argv[1:] = parser.parse_known_args()
    sys.exit(main(functools.partial(make_peer, **vars(own)), __doc__))
