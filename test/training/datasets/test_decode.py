# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest
from PIL import Image

from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.classification.preprocessing import to_input
from emotion_perception.core.errors import ImageError
from emotion_perception.training.datasets.decode import read_image


@pytest.mark.parametrize("ending", [".png", ".bmp", ".webp", ".jpg"])
@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 3)], ids=["gray", "color"])
def test_every_format_is_read_gray_or_in_color(tmp_path, ending, shape):
    drawn = np.full(shape, 90, np.uint8)
    cv2.imwrite(str(tmp_path / f"a{ending}"), drawn)
    gray = read_image(tmp_path / f"a{ending}")
    color = read_image(tmp_path / f"a{ending}", color=True)
    assert (gray.shape, color.shape) == ((30, 40), (30, 40, 3))
    assert abs(int(gray.mean()) - 90) <= 2


def test_colors_are_in_opencvs_order(tmp_path):
    drawn = np.zeros((4, 4, 3), np.uint8)
    drawn[..., 0] = 200
    cv2.imwrite(str(tmp_path / "blue.png"), drawn)
    assert read_image(tmp_path / "blue.png", color=True)[0, 0].tolist() == [200, 0, 0]


def test_an_image_becomes_what_the_network_would_make_of_it(tmp_path, noise):
    drawn = noise(0, 70, 90, 3)
    cv2.imwrite(str(tmp_path / "a.png"), drawn)
    spec = ModelSpec(architecture="", normalization="minus_one_one")
    assert (to_input(read_image(tmp_path / "a.png", wh=(48, 48)), spec) == to_input(drawn, spec)).all()


def test_transparency_and_palettes_are_read(tmp_path):
    Image.new("RGBA", (5, 5), (10, 10, 10, 255)).save(tmp_path / "a.png")
    Image.new("RGB", (5, 5), (10, 10, 10)).quantize().save(tmp_path / "b.png")
    assert read_image(tmp_path / "a.png")[0, 0] == read_image(tmp_path / "b.png")[0, 0] == 10


def test_a_photograph_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.new("RGB", (8, 4)).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").shape == (8, 4)


def test_a_large_jpeg_image_is_scaled_like_a_small_one(tmp_path):
    ramp = np.tile(np.linspace(0, 255, 1000).astype(np.uint8), (1000, 1))
    cv2.imwrite(str(tmp_path / "a.jpg"), ramp)
    small = read_image(tmp_path / "a.jpg", wh=(50, 50)).astype(int)
    assert np.abs(small - cv2.resize(ramp, (50, 50), interpolation=cv2.INTER_AREA).astype(int)).max() <= 3


@pytest.mark.parametrize("ending", [".png", ".jpg", ".bmp", ".webp"])
@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: b"no image at all", lambda data: data[:20], lambda data: data[: len(data) // 2]],
    ids=["empty", "text", "header", "half"],
)
def test_a_damaged_image_is_told(tmp_path, noise, ending, damage):
    path = tmp_path / f"a{ending}"
    cv2.imwrite(str(path), noise(0, 40, 40))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ImageError, match="corrupt image"):
        read_image(path)


def test_a_changed_byte_of_a_png_is_told(tmp_path, noise):
    cv2.imwrite(str(tmp_path / "a.png"), noise(0, 40, 40))
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ImageError, match="corrupt image"):
        read_image(bytes(data))


def test_a_missing_image_and_one_of_16_bits_are_told(tmp_path):
    with pytest.raises(ImageError, match="missing image"):
        read_image(tmp_path / "absent.png")
    cv2.imwrite(str(tmp_path / "deep.png"), np.zeros((4, 4), np.uint16))
    with pytest.raises(ImageError, match="more than 8 bits"):
        read_image(tmp_path / "deep.png")
