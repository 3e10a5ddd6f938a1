# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from emotion_perception.training.datasets import FaceDataset, MappedImages, chunks, find_leaks

FACES = np.random.default_rng(0).integers(0, 256, (5, 4, 6), dtype=np.uint8)


@pytest.fixture
def mapped(tmp_path):
    """Returns the five images, mapped from a file."""
    (tmp_path / "images.u8").write_bytes(FACES.tobytes())
    return MappedImages(tmp_path / "images.u8", FACES.shape)


@pytest.mark.parametrize(
    "key",
    [slice(1, 4), slice(None, None, -2), np.array([True, False, True, False, True]), np.array([4, 0, 0]), np.arange(0)],
    ids=["slice", "backwards", "mask", "rows", "nothing"],
)
def test_mapped_images_are_chosen_like_an_arrays(mapped, key):
    chosen = mapped[key]
    assert isinstance(chosen, MappedImages)
    assert (chosen.shape, chosen.ndim, chosen.dtype, len(chosen)) == (FACES[key].shape, 3, np.uint8, len(FACES[key]))
    assert (np.asarray(chosen) == FACES[key]).all()
    assert all((image == face).all() for image, face in zip(chosen, FACES[key], strict=True))


@pytest.mark.parametrize("row", [0, -1, np.int64(3)])
def test_a_mapped_image_is_a_copy_that_can_be_written(mapped, row):
    image = mapped[row]
    assert (image == FACES[row]).all()
    image[:] = 0
    assert (mapped[row] == FACES[row]).all()


def test_a_row_beyond_the_end_is_an_error(mapped):
    with pytest.raises(IndexError):
        mapped[5]


def test_nothing_is_read_before_an_image_is_asked_for(tmp_path):
    images = MappedImages(tmp_path / "absent", (9, 4, 4))
    assert len(images[2:][np.ones(7, bool)]) == 7


def test_mapped_images_travel_to_another_process(mapped):
    mapped[0]
    assert (pickle.loads(pickle.dumps(mapped[1:]))[0] == FACES[1]).all()


def test_a_data_set_works_on_mapped_images(mapped):
    data = FaceDataset(images=mapped, labels=np.array([0, 1, 0, 1, 0]), class_names=("face", "other"))
    assert isinstance(data.select(data.labels == 1).images, MappedImages)
    assert len(data.usable_for_training()) == 5


def test_chunks_give_every_image_in_order_a_few_at_a_time():
    images = np.random.default_rng(0).integers(0, 256, (50, 500, 600), dtype=np.uint8)
    parts = list(chunks(images))
    assert len(parts) > 3
    assert (np.concatenate(parts) == images).all()


def mapped_mb():
    """Returns how much of mapped files this process keeps in memory."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssFile"))
    return int(line.split()[1]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("side", [64, 1024], ids=["small images", "large images"])
def test_a_pass_over_a_large_file_keeps_little_of_it_in_the_process(tmp_path, side):
    with open(tmp_path / "large", "wb") as file:
        for _ in range(120):
            file.write(bytes(1 << 20))
    images = MappedImages(tmp_path / "large", ((120 << 20) // side**2, side, side))
    order = np.random.default_rng(0).permutation(len(images))[:4000]
    before = mapped_mb()
    assert not any(images[row][0, 0] for row in order)
    assert mapped_mb() - before < 80


def test_a_leak_is_a_duplicate_in_a_later_split():
    images = FACES[[0, 0, 1, 1, 2, 2]]
    splits = ["train", "test", "test", "train", "train", "train"]
    assert find_leaks(images, splits, ("train", "test")).tolist() == [True, False, False, True, False, False]
