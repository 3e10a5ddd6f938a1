# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Photographs of a ZIP archive and frames of a video file, for the measuring scripts of this folder."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def zipped_photographs(path: Path, step: int = 1) -> Iterator[tuple[str, Image]]:
    """Yields file name and image, uint8 (H, W, 3) BGR, of every `step`-th file of an archive, in the order of names.

    Files that OpenCV cannot decode are left out.
    """
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist())[::step]:
            image = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR)
            if image is not None:
                yield Path(name).name, np.asarray(image, np.uint8)


def video_frames(path: Path, step: int = 1) -> Iterator[Image]:
    """Yields every `step`-th frame of a video file, uint8 (H, W, 3) BGR.

    Raises:
        FileNotFoundError: the file cannot be opened as a video.
    """
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise FileNotFoundError(f"{path}: cannot be opened as a video")
    index = 0
    while (result := capture.read())[0]:
        if index % step == 0:
            yield np.asarray(result[1], np.uint8)
        index += 1
    capture.release()
