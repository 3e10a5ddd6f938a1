# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import itertools

import cv2
import numpy as np
import pytest

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.camera.factory import open_source
from emotion_perception.core.camera.options import CameraOptions
from emotion_perception.core.camera.synthetic import SyntheticSource, View, render, view_at
from emotion_perception.core.detection.factory import create_detector, select_faces
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ModelFileError


@pytest.fixture
def photograph(tmp_path):
    """An image of 512x512 that stands in for the astronaut."""
    rng = np.random.default_rng(1)
    image = cv2.GaussianBlur(rng.integers(0, 256, (512, 512, 3), np.uint8), (0, 0), 8)
    path = tmp_path / "photograph.png"
    cv2.imwrite(str(path), cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX))
    return path


def pictures(photograph, count=5, **parameters):
    source = SyntheticSource(CameraOptions(video_device="synthetic", **parameters), photograph)
    return [source.read().image_bgr for _ in range(count)]


def test_two_sources_give_the_same_frames(photograph):
    for one, other in zip(pictures(photograph), pictures(photograph), strict=True):
        assert np.array_equal(one, other)


def test_every_frame_differs_from_the_one_before(photograph):
    images = pictures(photograph)
    for before, after in itertools.pairwise(images):
        assert np.abs(before.astype(int) - after).mean() > 1


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(640, 480, (480, 640, 3)), (320, 0, (480, 320, 3)), (0, 0, (480, 640, 3)), (90, 160, (160, 90, 3))],
)
def test_size_and_rate_are_as_asked(photograph, width, height, expected):
    config = CameraOptions(image_width=width, image_height=height, framerate=12.0)
    with SyntheticSource(config, photograph) as source:
        assert source.read().image_bgr.shape == expected
        assert source.rate_hz == 12.0
        assert not source.is_live


def test_the_movement_is_one_of_time_not_of_frames():
    assert view_at(1.0) != view_at(2.0)
    assert view_at(1.5).height == pytest.approx(view_at(13.5).height)  # it has no seam


def test_light_and_blur_act_as_said():
    photograph = np.zeros((512, 512, 3), np.uint8)
    photograph[:, 256:] = 100
    plain = View(center_xy=(256, 256), height=240, angle_deg=0, gain=1, blur_px=0)
    sharp = render(photograph, plain, (320, 240))
    assert sharp[0, 0].tolist() == [0, 0, 0]
    assert sharp[0, -1].tolist() == [100, 100, 100]
    bright = render(photograph, View((256, 256), 240, 0, 1.5, 0), (320, 240))
    assert bright[0, -1].tolist() == [150, 150, 150]
    soft = render(photograph, View((256, 256), 240, 0, 1, 4), (320, 240))
    assert np.ptp(np.diff(soft[120, :, 0].astype(int))) < np.ptp(np.diff(sharp[120, :, 0].astype(int)))


def test_a_closed_source_has_ended(photograph):
    source = SyntheticSource(CameraOptions(), photograph)
    source.close()
    assert source.read() is None


def test_a_photograph_that_cannot_be_read_is_one_clear_line(tmp_path):
    path = tmp_path / "photograph.png"
    path.write_bytes(b"no image")
    with pytest.raises(ModelFileError, match=r"photograph\.png: not an image"):
        SyntheticSource(CameraOptions(), path)


def test_the_real_photograph_shows_a_face_in_every_frame():
    try:
        resolve_model_file("astronaut")
        detector = create_detector(DetectorOptions())
    except ModelFileError as error:
        pytest.skip(str(error))
    with open_source(CameraOptions(video_device="synthetic", framerate=2.0)) as source:
        images = [source.read().image_bgr for _ in range(24)]  # the whole movement
    assert [len(select_faces(detector.detect(image), DetectorOptions())) for image in images] == [1] * 24
