# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The images of the benchmark: the demonstration clip, scaled and tiled."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.regular_files import opencv_name

Image = NDArray[np.uint8]
VGA, HD = (640, 480), (1280, 720)
FACES = (1, 2, 4, 8, 16, 32)
_GRIDS = {1: (1, 1), 2: (2, 1), 4: (2, 2), 8: (4, 2), 16: (4, 4), 32: (8, 4)}  # columns, rows
_FRAMES = 300  # of the clip, ten seconds
_FACE_X = 0.75  # share of what is cut off that is left of the face, so that the whole face stays in narrow tiles


class Scene:
    """Images with one or more moving faces, made from the demonstration clip.

    Raises:
        ModelFileError: the clip has not been fetched.
    """

    def __init__(self) -> None:
        self._path = resolve_model_file("demo_clip")

    @cached_property
    def frames(self) -> list[Image]:
        """Frames of the clip, uint8 (360, 640, 3) BGR."""
        capture = cv2.VideoCapture(opencv_name(self._path))
        frames: list[Image] = []
        while len(frames) < _FRAMES and (result := capture.read())[0]:
            frames.append(np.asarray(result[1], np.uint8))
        return frames

    def image(self, number: int, size_wh: tuple[int, int], faces: int = 1) -> Image:
        """Returns an image of the stream, uint8 (H, W, 3) BGR; each face is another frame of the clip.

        Args:
            number: index in the stream.
            size_wh: width and height.
            faces: number of faces, one of `FACES`.
        """
        columns, rows = _GRIDS[faces]
        width, height = size_wh
        tile_wh = width // columns, height // rows
        canvas = np.zeros((height, width, 3), np.uint8)
        for tile in range(faces):
            left, top = tile % columns * tile_wh[0], tile // columns * tile_wh[1]
            source = self.frames[(number + 37 * tile) % len(self.frames)]
            canvas[top : top + tile_wh[1], left : left + tile_wh[0]] = _fill(source, tile_wh)
        return canvas

    def images(self, size_wh: tuple[int, int], faces: int = 1, *, count: int) -> Iterator[Image]:
        """Yields the first `count` images of the stream."""
        return (self.image(number, size_wh, faces) for number in range(count))

    def write_video(self, path: Path, size_wh: tuple[int, int], faces: int) -> Path:
        """Writes the stream as Motion JPEG, whose decoding costs about as much as that of a webcam."""
        writer = cv2.VideoWriter(opencv_name(path), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, size_wh)
        for image in self.images(size_wh, faces, count=len(self.frames)):
            writer.write(image)
        writer.release()
        return path


def _fill(source: Image, size_wh: tuple[int, int]) -> Image:
    """Scales an image to cover the given size and crops it around the face."""
    height, width = source.shape[:2]
    scale = max(size_wh[0] / width, size_wh[1] / height)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(source, None, fx=scale, fy=scale, interpolation=interpolation)
    left = round((scaled.shape[1] - size_wh[0]) * _FACE_X)
    top = (scaled.shape[0] - size_wh[1]) // 2
    return np.asarray(scaled[top : top + size_wh[1], left : left + size_wh[0]], np.uint8)
