# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from emotion_perception.core.people.camera_model import CameraModel, is_rectified

K = [500.0, 0.0, 320.0, 0.0, 400.0, 240.0, 0.0, 0.0, 1.0]
P = [450.0, 0.0, 310.0, -45.0, 0.0, 440.0, 230.0, 0.0, 0.0, 0.0, 1.0, 0.0]
PLUMB_BOB = (-0.3, 0.1, 0.001, -0.001, 0.0)
RATIONAL = (0.5, -2.0, 0.0005, -0.0002, 1.2, 0.4, -1.8, 1.1)
FISHEYE = (-0.01, 0.02, -0.01, 0.002)


def info(*, k=K, p=P, d=PLUMB_BOB, model="plumb_bob", size=(640, 480), binning=(0, 0), roi=(0, 0, 0, 0)):
    x, y, width, height = roi
    region = SimpleNamespace(x_offset=x, y_offset=y, width=width, height=height)
    return SimpleNamespace(
        **{"width": size[0], "height": size[1], "k": k, "p": p, "d": d, "distortion_model": model, "roi": region},
        **{"binning_x": binning[0], "binning_y": binning[1]},
    )


@pytest.mark.guarantee(
    "A pixel of a distorted image (plumb_bob, rational_polynomial, equidistant) is undistorted before it is a ray.",
    section="Positions and head poses",
)
@pytest.mark.parametrize(
    ("model", "d", "project"),
    [
        ("plumb_bob", PLUMB_BOB, cv2.projectPoints),
        ("plumb_bob", PLUMB_BOB[:4], cv2.projectPoints),
        ("rational_polynomial", RATIONAL, cv2.projectPoints),
        ("equidistant", FISHEYE, cv2.fisheye.projectPoints),
        ("fisheye", FISHEYE, cv2.fisheye.projectPoints),
    ],
)
def test_what_a_distorted_camera_projects_comes_back_as_its_ray(model, d, project):
    rays = np.array([[0.0, 0.0], [0.3, -0.2], [-0.5, 0.4], [0.6, 0.45]])
    there = np.insert(rays, 2, 1.0, axis=1).reshape(-1, 1, 3)
    zero = np.zeros(3)
    pixels, _ = project(there, zero, zero, np.array(K).reshape(3, 3), np.array(d))
    camera = CameraModel.from_info(info(d=d, model=model), rectified=False)
    assert camera.rays(pixels.reshape(-1, 2)) == pytest.approx(rays, abs=2e-3)
    assert camera.rays(np.empty((0, 2))).shape == (0, 2)


def test_a_rectified_image_has_p_and_no_distortion():
    camera = CameraModel.from_info(info(), rectified=True)
    assert camera == CameraModel(450.0, 440.0, 310.0, 230.0, (640, 480))
    assert camera.rays(np.array([[310.0, 230.0], [760.0, 450.0]])) == pytest.approx(np.array([[0, 0], [1, 0.5]]))


def test_binning_and_region_of_interest_move_and_scale_k():
    camera = CameraModel.from_info(info(d=(), binning=(2, 2), roi=(100, 40, 400, 200)), rectified=False)
    assert camera == CameraModel(250.0, 200.0, 110.0, 100.0, (200, 100))
    assert camera.fits((200, 100))
    assert not camera.fits((640, 480))
    assert CameraModel.from_info(info(d=[0.0] * 5, size=(0, 0)), rectified=False).fits((1, 2))


@pytest.mark.parametrize("rectified", [False, True])
def test_a_camera_that_is_not_calibrated_is_none(rectified):
    assert CameraModel.from_info(info(k=[0.0] * 9, p=[0.0] * 12), rectified=rectified) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"k": [-1.0, *K[1:]]}, "focal length"),
        ({"k": [math.nan, *K[1:]]}, "focal length"),
        ({"k": [1e-3, *K[1:]]}, "focal length"),
        ({"k": [*K[:4], math.inf, *K[5:]]}, "focal length"),
        ({"k": [*K[:2], 1e300, *K[3:]]}, "principal point"),
        ({"k": [*K[:5], math.nan, *K[6:]]}, "principal point"),
        ({"d": (math.nan, 0, 0, 0, 0)}, "D has a value that is not finite"),
        ({"d": (0.1, 0, 0)}, "plumb_bob with 3 coefficients"),
        ({"d": (0.1,) * 100}, "plumb_bob with 100 coefficients"),
        ({"d": (1e300,) * 14, "model": "rational_polynomial"}, "no pixel has a ray with this D"),
        ({"model": "double_sphere"}, "distortion_model 'double_sphere' is none of plumb_bob"),
        ({"model": "ä" * 5000}, "distortion_model 'ä"),
    ],
)
def test_an_impossible_calibration_is_refused_in_one_line(changes, reason):
    with pytest.raises(ValueError, match=reason) as refusal:
        CameraModel.from_info(info(**changes), rectified=False)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    "d", [(1e6, 1e6, 0, 0, 0), (-5.0, 0, 0, 0, 0), (1e300, 0, 0, 0, 0)], ids=["huge", "folded", "overflow"]
)
def test_where_a_distortion_has_no_inverse_there_is_no_ray(d):
    with pytest.raises(ValueError, match="no pixel has a ray with this D"):
        CameraModel.from_info(info(d=d), rectified=False)
    camera = CameraModel.from_info(info(d=d, size=(0, 0)), rectified=False)  # of an unknown size nothing is refused
    center, corner = camera.rays(np.array([[320.0, 240.0], [639.0, 479.0]]))
    assert center == pytest.approx((0, 0), abs=1e-6)
    assert np.isnan(corner).all()


@pytest.mark.parametrize("d", [(), PLUMB_BOB, FISHEYE], ids=["none", "plumb_bob", "fisheye"])
def test_an_unknown_or_far_off_pixel_has_no_ray(d):
    camera = CameraModel(500.0, 500.0, 320.0, 240.0, d=d, distortion_model="fisheye" if len(d) == 4 else "plumb_bob")
    rays = camera.rays(np.array([[math.nan, 1.0], [1e30, 1.0], [math.inf, 1.0], [320.0, 240.0]]))
    assert np.isnan(rays).all(axis=1).tolist() == [True, True, True, False]


def test_an_unknown_camera_is_assumed_to_see_60_degrees():
    camera = CameraModel.assumed_for((640, 480))
    ((left, _), (right, _)) = camera.rays(np.array([[0.0, 240.0], [640.0, 240.0]]))
    assert math.degrees(math.atan(right) - math.atan(left)) == pytest.approx(60.0)
    assert CameraModel.assumed_for((1, 1)).fx >= 0.8


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("/camera/image_raw", False),
        ("/camera/image_rect", True),
        ("/camera/image_rect_color/compressed", True),
        ("/rectangle/image_raw", False),
        ("image_raw", False),
        ("/camera/rect", True),
        ("/camera/image_rectified", True),
        ("/camera/image_unrectified", False),
        ("/camera/image_unrect", False),
        ("/camera/image_direct", False),
        ("/camera/image_corrected", False),
    ],
)
def test_the_name_of_the_topic_says_whether_images_are_rectified(topic, expected):
    assert is_rectified(topic) == expected
