# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

from dataclasses import replace

import cv2
import numpy as np
import pytest
from real_face import moving_face

from emotion_perception import cli
from emotion_perception.core.detection.factory import create_detector, select_faces
from emotion_perception.core.errors import DatasetError
from emotion_perception.core.images.geometry import iou
from emotion_perception.training.export import detector_quantization
from emotion_perception.training.export.detector_quantization import OPTIONS, quantize_detector_on, read_images, tiled


@pytest.fixture(scope="module")
def quantized(tmp_path_factory):
    """Returns the images, and the detector that was made int8 with them."""
    images = moving_face(8)
    return images, quantize_detector_on(images, tmp_path_factory.mktemp("detector") / "deep" / "centerface.int8.onnx")


def test_an_int8_detector_finds_the_same_faces(quantized):
    images, found = quantized
    assert (found.faces, found.matched, found.new_faces) == (4, 1.0, 0)
    assert 0.8 < found.overlap < 1
    assert min(found.ms) > 0
    assert b"DequantizeLinear" in found.path.read_bytes()
    assert found.path.stat().st_size < 3e6, "a quarter of the published file, and the layers that stay"
    config = replace(OPTIONS, detector_model=str(found.path))
    full, int8 = create_detector(OPTIONS), create_detector(config)
    for image in images:
        (wanted,), (face,) = (select_faces(one.detect(image), config) for one in (full, int8))
        assert iou(wanted.box, face.box) > 0.7
        assert face.score == pytest.approx(wanted.score, abs=0.1)
        assert face.landmarks.nose.x == pytest.approx(wanted.landmarks.nose.x, abs=0.1 * wanted.box.width)


def test_it_is_made_from_a_folder_on_the_command_line(tmp_path, capsys):
    for number, image in enumerate(moving_face(4)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    out = tmp_path / "small.onnx"
    assert cli.main(["quantize", "--detector", "centerface", "--data", str(tmp_path), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "of 2 faces 100.0% matched" in text
    assert f"detector_model:={out}" in text
    assert out.is_file()


@pytest.mark.parametrize(
    ("images", "complaint"),
    [([np.zeros((240, 320, 3), np.uint8)] * 4, "no face in the images"), (moving_face, "one image is not enough")],
    ids=["nobody", "one image"],
)
def test_images_that_cannot_do_are_told(images, complaint, tmp_path):
    moving_face(1)  # skips where CenterFace is not there
    with pytest.raises(DatasetError, match=complaint):
        quantize_detector_on(images if isinstance(images, list) else images(1), tmp_path / "small.onnx")


def test_an_output_that_is_no_onnx_file_is_refused_in_one_line(tmp_path, capsys):
    command = ["quantize", "--detector", "centerface", "--data", str(tmp_path), "--out", str(tmp_path / "folder")]
    assert cli.main(command) == 1
    assert capsys.readouterr().err.endswith("for a detector, give a file that ends in .onnx\n")


def test_of_many_images_some_are_taken_at_random_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(detector_quantization, "_MAX_IMAGES", 5)
    for number in range(30):
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), np.full((24, 32, 3), number, np.uint8))
    values = [int(image.mean()) for image in read_images(tmp_path)]
    assert len(values) == 5
    assert values == sorted(set(values))
    assert max(values) > 5
    assert values == [int(image.mean()) for image in read_images(tmp_path)]


def test_tiles_have_four_images_of_half_the_size_whatever_sizes_they_have():
    images = [np.full((48 + number, 64, 3), number + 1, np.uint8) for number in range(30)]
    tile = tiled(images, 0)
    assert tile.shape == images[0].shape
    assert set(np.unique(tile)) == {1, 8, 15, 22}
