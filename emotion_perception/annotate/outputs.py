# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The annotated images as one image file, a folder of them, or a video."""

from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.annotate.inputs import InputImage, Kind
from emotion_perception.core.camera.source import fit_within
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.rendering import VIDEO_SUFFIXES, VideoWriter

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


class Form(Enum):
    """Which of the three an output is."""

    IMAGE = "image"
    FOLDER = "folder"
    VIDEO = "video"


_FORMS = {  # kind of the input -> possible outputs
    Kind.IMAGES: (Form.IMAGE, Form.FOLDER),
    Kind.SEQUENCE: (Form.FOLDER, Form.VIDEO),
    Kind.VIDEO: (Form.VIDEO,),
    Kind.LIVE: (Form.VIDEO,),
}
_WORDS = {Form.IMAGE: "an image (OUT.png)", Form.FOLDER: "a folder (OUT)", Form.VIDEO: "a video (OUT.mp4)"}
_WORDS_OF_INPUTS = {
    Kind.IMAGES: "an image",
    Kind.SEQUENCE: "a sequence",
    Kind.VIDEO: "a video",
    Kind.LIVE: "a camera or stream",
}


def form_of(path: Path) -> Form:
    """Returns what an output is by its name: one without suffix is a folder.

    Raises:
        ConfigurationError: the suffix is not one that can be written.
    """
    suffix = path.suffix.lower()
    if path.is_dir() or not suffix:
        return Form.FOLDER
    if suffix in VIDEO_SUFFIXES:
        return Form.VIDEO
    if suffix in IMAGE_SUFFIXES:
        return Form.IMAGE
    known = ", ".join((*VIDEO_SUFFIXES, *IMAGE_SUFFIXES))
    raise ConfigurationError(f"{path}: cannot be written; known are {known}, and a folder, which has no suffix")


def check_form(path: Path, form: Form, kind: Kind, frame_count: int) -> None:
    """Checks that an input gives such an output.

    Args:
        path: the output.
        form: of the output.
        kind: of the input.
        frame_count: of the input, 0 if unknown.

    Raises:
        ConfigurationError: e.g. a video gives no image.
    """
    if form not in _FORMS[kind]:
        forms = " or ".join(_WORDS[known] for known in _FORMS[kind])
        raise ConfigurationError(f"{path}: no output for {_WORDS_OF_INPUTS[kind]}, which gives {forms}")
    if form is Form.IMAGE and frame_count > 1:
        raise ConfigurationError(f"{path}: one image, but the folder has {frame_count}: give a folder or a video")


class ImageOutput(Protocol):
    """Takes the annotated images in their order; a context manager, which is left with an error to give up."""

    def write(self, image_bgr: NDArray[np.uint8], source: InputImage) -> None:
        """Writes an image, uint8 (H, W, 3)."""

    def __enter__(self) -> "ImageOutput": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ImageFiles:
    """Writes image files.

    Args:
        path: of the only image, or the folder for images that are named like their source.
        form: image or folder.
    """

    def __init__(self, path: Path, form: Form) -> None:
        self._path, self._form = path, form
        self._names: set[str] = set()

    def __enter__(self) -> "ImageFiles":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, image_bgr: NDArray[np.uint8], source: InputImage) -> None:
        """Writes an image, uint8 (H, W, 3).

        Raises:
            ConfigurationError: two images have one name, or the format cannot hold an image of this size.
        """
        path = self._path
        if self._form is Form.FOLDER and source.path is not None:
            name = image_name(source.path)
            if name in self._names:  # a.gif and a.gif.png
                raise ConfigurationError(f"{source.path.parent}: two images would be written to {name}: rename one")
            self._names.add(name)
            path /= name
        succeeded, data = cv2.imencode(path.suffix.lower(), image_bgr)
        if not succeeded:
            raise ConfigurationError(f"{source.path}: OpenCV cannot write an image of this size as {path.suffix}")
        path.write_bytes(data.tobytes())


def image_name(source: Path) -> str:
    """Returns the name of an image's annotated copy: its own, with `.png` behind it if its format is not written."""
    return source.name if source.suffix.lower() in IMAGE_SUFFIXES else f"{source.name}.png"


class VideoOutput:
    """Writes a video of the size of the first image; others are fitted into it, with black bars.

    Args:
        path: the file to write, in an existing folder.
        codec: one of `VIDEO_CODECS`.
        sound_of: the video whose sound is kept, or None.
    """

    def __init__(self, path: Path, *, codec: str, sound_of: Path | None) -> None:
        self._writer = VideoWriter(path, waits=True, codec=codec, sound_of=sound_of)
        self._shape: tuple[int, ...] = ()

    @property
    def has_sound(self) -> bool:
        """Whether the video has a sound track."""
        return self._writer.has_sound

    def __enter__(self) -> "VideoOutput":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._writer.close()
        else:
            self._writer.cancel()

    def write(self, image_bgr: NDArray[np.uint8], source: InputImage) -> None:
        """Writes an image, uint8 (H, W, 3).

        Raises:
            OSError: an earlier image could not be written.
        """
        self._shape = self._shape or image_bgr.shape
        self._writer.write(_fitted(image_bgr, self._shape), source.stamp_ns)


def _fitted(image_bgr: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    if image_bgr.shape == shape:
        return image_bgr
    small = fit_within(image_bgr, shape[1], shape[0])
    canvas = np.zeros(shape, np.uint8)
    top, left = (shape[0] - small.shape[0]) // 2, (shape[1] - small.shape[1]) // 2
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas
