# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Builders shared by the tests of the data sets: small images in the trees that people have."""

import cv2
import numpy as np
import pytest

from emotion_perception.training.datasets import cache


@pytest.fixture(autouse=True)
def cache_home(tmp_path, monkeypatch):
    """Puts the caches of decoded images into the test's own folder, and returns it."""
    monkeypatch.setattr(cache, "default_folder", lambda: tmp_path / "caches")
    return tmp_path / "caches"


@pytest.fixture
def noise():
    """Returns a function that draws an image of noise, the same for the same seed."""

    def draw(seed, *shape):
        return np.random.default_rng(seed).integers(0, 256, shape or (20, 20), dtype=np.uint8)

    return draw


@pytest.fixture
def write_tree(tmp_path):
    """Returns a function that writes {relative path: image, bytes or text} below a folder."""

    def write(files, folder="tree"):
        for name, content in files.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif isinstance(content, str):
                path.write_text(content)
            else:
                assert cv2.imwrite(str(path), content)
        return tmp_path / folder

    return write
