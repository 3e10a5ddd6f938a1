#!/usr/bin/env python3
"""Measures this package beside its peers: `core.pipeline.Pipeline` with the nodes' defaults.

Detection, tracking, classification and smoothing: all that the two nodes do but for ROS. In the project's environment.
"""

import itertools
import sys

import numpy as np
from measuring import Peer, Picture, main

from emotion_perception.core.config import ClassifierConfig, DetectionConfig
from emotion_perception.core.pipeline import Pipeline

FRAME_S = 1 / 12  # 120 frames are spread over ten seconds


def make_peer(threads: int) -> Peer:
    """Makes it; `threads` goes to both nodes' `num_threads`."""
    chosen = {"num_threads": threads} if threads else {}
    detection, classification = DetectionConfig(**chosen), ClassifierConfig(device="cpu", **chosen)
    pipeline = Pipeline(detection, classification)
    classifier = pipeline.recognizer.classifier
    times_s = (FRAME_S * number for number in itertools.count())

    def classify(image: Picture) -> str:
        scores = classifier.classify([image])[0]
        return classifier.spec.labels[int(np.argmax(scores))]

    return Peer(
        what=f"{detection.detector}, {classification.model} (onnxruntime)",
        packages=("onnxruntime", "opencv-python-headless"),
        name_emotions=lambda frame: pipeline.process(frame, next(times_s)),
        classify=classify,
        notes=(f"threads: {detection.num_threads} for the detector, {classification.num_threads} for the classifier",),
    )


if __name__ == "__main__":
    sys.exit(main(make_peer, __doc__))
