# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What tests with a real face need: the real detector's file and a photograph, which set-up fetches."""

import pytest

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.camera.factory import open_source
from emotion_perception.core.camera.options import CameraOptions
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ModelFileError


def need_real_face():
    """Skips the test where the files have not been fetched; returns the path of the photograph."""
    try:
        resolve_model_file(DetectorOptions.detector)
        return resolve_model_file("astronaut")
    except ModelFileError as e:
        pytest.skip(f"a real face and the real detector are needed: {e}")


def moving_face(count):
    """Returns images of the synthetic camera, uint8 (240, 320, 3) BGR: a real face that moves."""
    need_real_face()
    with open_source(CameraOptions(video_device="synthetic", image_width=320, image_height=240)) as source:
        return [source.read().image_bgr for _ in range(count)]
