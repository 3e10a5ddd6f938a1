# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The real detectors on real faces. Files that set-up has not fetched are skipped, with the reason."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.detection.factory import create_detector, select_faces
from emotion_perception.core.detection.options import DETECTORS, DetectorOptions
from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.images.geometry import iou
from emotion_perception.core.tracking.face_regions import REGION_PX, region_around
from emotion_perception.core.types import Box

ROOT = Path(__file__).resolve().parents[3]
SHARED = next((path for path in (ROOT / "shared/data", ROOT.parent / "shared/data") if path.is_dir()), None)
WITH_LANDMARKS = ["centerface", "yunet", "mtcnn"]
FACE_OF_ASTRONAUT = Box(172, 60, 276, 190)


def fetched(name):
    try:
        return resolve_model_file(name)
    except ModelFileError as error:
        pytest.skip(str(error))


def astronaut():
    return cv2.imread(str(fetched("astronaut")))


def media(name):
    if SHARED is None:
        pytest.skip("../shared/data is absent")
    return SHARED / "media" / name


def detector_of(name, **parameters):
    """Makes a detector; YuNet's file also comes from the shared data."""
    config = DetectorOptions(detector=name, **parameters)
    shared_yunet = SHARED / "face_detection_yunet_2023mar.onnx" if SHARED else None
    if name == "yunet" and shared_yunet and shared_yunet.is_file():
        config = DetectorOptions(detector=name, detector_model=str(shared_yunet), **parameters)
    if name == "haar" and not hasattr(cv2, "CascadeClassifier"):
        pytest.skip("OpenCV 5 has no cascade")
    try:
        return create_detector(config)
    except ModelFileError as error:
        pytest.skip(str(error))


@pytest.fixture
def found():
    """Returns a function: the selected faces of an image by a detector."""

    def find(name, image, **parameters):
        return select_faces(detector_of(name, **parameters).detect(image), DetectorOptions())

    return find


def frames(name, step):
    capture = cv2.VideoCapture(str(media(name)))
    images = []
    while (answer := capture.read())[0]:
        images.append(answer[1])
    assert images
    return images[::step]


@pytest.mark.parametrize("size", [320, 640, 0])
@pytest.mark.parametrize("name", DETECTORS)
def test_the_face_is_found_in_source_pixels_at_any_working_size(name, size, found):
    best, *others = found(name, astronaut(), detection_size=size)
    assert iou(best.box, FACE_OF_ASTRONAUT) > 0.5
    assert not others or name in ("mtcnn", "haar")  # they also see a face in the helmet or a hand


@pytest.mark.parametrize("wh", [(160, 160), (1500, 1500), (1024, 512), (509, 331)])
@pytest.mark.parametrize("name", DETECTORS)
def test_regions_follow_the_images_size(name, wh, found):
    image = cv2.resize(astronaut()[:400], wh)
    scale_x, scale_y = wh[0] / 512, wh[1] / 400
    expected = Box(round(172 * scale_x), round(60 * scale_y), round(276 * scale_x), round(190 * scale_y))
    faces = found(name, image)
    if name == "haar" and wh[0] == 2 * wh[1]:
        return  # a cascade does not know faces that are stretched so much
    assert faces
    assert iou(faces[0].box, expected) > 0.5


@pytest.mark.parametrize("name", WITH_LANDMARKS)
def test_landmarks_are_named_as_the_person_has_them(name, found):
    (face,) = found(name, astronaut())
    points = face.landmarks
    expected = {"right_eye": (202, 102), "left_eye": (248, 104), "nose": (224, 125)}
    for point, xy in expected.items():
        assert np.hypot(*np.subtract(getattr(points, point), xy)) < 12, point
    assert points.right_mouth.x < points.left_mouth.x
    assert points.right_mouth.y > points.nose.y < points.left_mouth.y


def test_haar_has_no_landmarks(found):
    faces = found("haar", astronaut())
    assert faces
    assert not any(point.known for face in faces for point in face.landmarks)


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("crop", [np.s_[:, 200:], np.s_[:, :250], np.s_[90:, :], np.s_[60:190, 172:276]])
def test_regions_stay_inside_when_the_face_does_not(name, crop):
    image = np.ascontiguousarray(astronaut()[crop])
    height, width = image.shape[:2]
    for face in detector_of(name).detect(image):
        box = face.box
        assert 0 <= box.x_min < box.x_max <= width
        assert 0 <= box.y_min < box.y_max <= height


@pytest.mark.parametrize("name", DETECTORS)
def test_a_image_of_one_pixel_is_no_fault(name):
    assert select_faces(detector_of(name).detect(np.zeros((1, 1, 3), np.uint8)), DetectorOptions()) == []


@pytest.mark.parametrize("name", DETECTORS)
def test_answers_come_best_first(name):
    scores = [face.score for face in detector_of(name).detect(astronaut())]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("name", WITH_LANDMARKS)
def test_five_faces_are_five(name, found):
    assert len(found(name, cv2.imread(str(media("multi_face.jpg"))))) == 5


@pytest.mark.parametrize("name", DETECTORS)
def test_a_clip_of_one_face_has_one_in_every_frame(name):
    detector = detector_of(name)
    images = frames("single_face.mp4", 9)
    assert [len(select_faces(detector.detect(image), DetectorOptions())) for image in images] == [1] * len(images)


@pytest.mark.parametrize("name", WITH_LANDMARKS)
def test_a_clip_without_faces_has_none(name):
    detector = detector_of(name)
    images = frames("no_face.mp4", 7)
    assert [len(select_faces(detector.detect(image), DetectorOptions())) for image in images] == [0] * len(images)


@pytest.mark.parametrize("kept", [0.3, 0.9])
@pytest.mark.parametrize("name", ["centerface", "yunet"])
def test_a_model_file_cut_short_is_one_clear_line(name, kept, tmp_path):
    whole = SHARED / "face_detection_yunet_2023mar.onnx" if name == "yunet" and SHARED else fetched(name)
    content = whole.read_bytes()
    path = tmp_path / "short.onnx"
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(ModelFileError, match=r"short\.onnx") as fault:
        create_detector(DetectorOptions(detector=name, detector_model=str(path)))
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("name", ["centerface", "yunet"])
def test_another_network_is_one_clear_line(name):
    other = fetched("mtcnn_onet")
    with pytest.raises(ModelFileError, match=r"mtcnn_onet\.onnx") as fault:
        create_detector(DetectorOptions(detector=name, detector_model=str(other)))
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("name", DETECTORS)
def test_the_region_around_a_face_shows_it_where_the_whole_image_does(found, name):
    image = cv2.resize(astronaut(), (960, 960))
    face = found(name, image)[0]
    near = region_around(np.array(face.box.xyxy, float), (960, 960))
    again = select_faces(detector_of(name).detect_region(image, near, REGION_PX), DetectorOptions())
    assert max(iou(face.box, other.box) for other in again) > 0.6
