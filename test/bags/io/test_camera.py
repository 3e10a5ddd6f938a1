# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from bag_files import camera_info, header, write_bag
from bag_scene import HAPPY, T0, scene

from emotion_perception.bags.io.camera import recorded_camera
from emotion_perception.bags.io.images import image_topic
from emotion_perception.bags.io.messages import CAMERA_INFO
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.people import CameraModel


def info(**changes):
    message = camera_info(header(T0), width=160, height=120)
    for name, value in changes.items():
        setattr(message, name, value)
    return message


@pytest.mark.parametrize(
    ("images", "topic", "message", "expected", "problem"),
    [
        ("/cam/image_raw", "/cam/camera_info", info(), CameraModel(160.0, 160.0, 0.0, 0.0, (160, 120)), ""),
        ("/cam/image_rect", "/cam/camera_info", info(), CameraModel(1.0, 1.0, 0.0, 0.0, (160, 120)), ""),
        ("/cam/image_raw", "/other/camera_info", info(), None, ""),
        ("/cam/image_raw", "/cam/camera_info", info(k=np.zeros(9)), None, ""),
        ("/cam/image_raw", "/cam/camera_info", info(k=np.full(9, np.nan)), None, "focal length nan"),
        ("/cam/image_raw", "/cam/camera_info", b"\0\1\0\0\3", None, "bytes are damaged"),
    ],
    ids=["raw", "rectified", "of another camera", "not calibrated", "NaN", "damaged"],
)
def test_the_camera_comes_from_the_first_camera_info_beside_the_images(
    tmp_path, images, topic, message, expected, problem
):
    picture = scene((20, 30, 40, HAPPY))
    bag = write_bag(tmp_path / "bag", [picture], [T0], topic=images, extra=[(topic, CAMERA_INFO, T0, message)])
    with Recording(bag) as recording:
        camera = recorded_camera(recording, image_topic(recording, None))
    assert camera.model == expected
    assert camera.problem.startswith(problem and f"{topic}: {problem}")
    assert bool(camera.problem) == bool(problem)
