# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Quantizes CenterFace to int8 for the benchmark."""

import importlib.util
from pathlib import Path

from emotion_perception.benchmark.scene import VGA
from emotion_perception.benchmark.setup import Setup
from emotion_perception.core.detection import with_longer_side

_FACES = (1, 2, 8)
_STEP = 30


def int8_detector(setup: Setup) -> Path | None:
    """Returns the int8 model file, which the first call writes, or None if onnx is not installed.

    The quantization ranges come from the measured images, which does not affect the time. The accuracy on other images
    is in docs/detectors.md.
    """
    path = setup.out / "centerface.int8.onnx"
    if path.is_file():
        return path
    if importlib.util.find_spec("onnx") is None:
        return None
    from emotion_perception.training.export.detector_quantization import OPTIONS, quantize_detector_on

    numbers = range(0, len(setup.scene.frames), _STEP)
    images = [
        with_longer_side(setup.scene.image(n, VGA, faces), OPTIONS.detection_size) for faces in _FACES for n in numbers
    ]
    return quantize_detector_on(images, path).path
