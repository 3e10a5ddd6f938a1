# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The int8 form of CenterFace, made for the benchmark."""

import importlib.util
from pathlib import Path

from emotion_perception.benchmark.scene import VGA
from emotion_perception.benchmark.setup import Setup
from emotion_perception.core.detection import DetectorOptions, with_longer_side

_FACES = (1, 2, 8)
_STEP = 30


def int8_detector(setup: Setup) -> Path | None:
    """Returns its file, made at the first call; None where what makes it is not installed.

    Its ranges come from the images that are measured, which is fair for its time alone: what it finds on others is in
    docs/detectors.md.
    """
    path = setup.out / "centerface.int8.onnx"
    if path.is_file():
        return path
    if importlib.util.find_spec("onnx") is None:
        return None
    from emotion_perception.training.export.detector_quantization import quantize_detector_on

    size = DetectorOptions.detection_size
    numbers = range(0, len(setup.scene.frames), _STEP)
    images = [with_longer_side(setup.scene.image(n, VGA, faces), size) for faces in _FACES for n in numbers]
    return quantize_detector_on(images, path).path
