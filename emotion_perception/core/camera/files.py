# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sources that read files: a video, or a folder of single images."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.camera.options import CameraOptions
from emotion_perception.core.camera.source import FrameSource, fit_within, nominal_rate_or_default_hz
from emotion_perception.core.errors import SourceError
from emotion_perception.core.types import Frame

_LOG = logging.getLogger(__name__)


class VideoFileSource(FrameSource):
    """A video file, restarted at its end if `loop` is set.

    Raises:
        SourceError: OpenCV finds no image in the file.
    """

    is_live = False

    def __init__(self, path: Path, options: CameraOptions) -> None:
        self._path, self._options = path, options
        self._capture: cv2.VideoCapture | None = None
        self._ahead: NDArray[np.uint8] | None = self._open()

    def read(self) -> Frame | None:
        """Returns the next image at once, or None at the end.

        Raises:
            SourceError: a file that is to be restarted no longer exists.
        """
        if self._options.loop and self._capture is not None and not self._path.exists():
            raise SourceError(f"{self._path}: no such file or folder")
        image = self._next()
        if image is None and self._options.loop and self._capture is not None:
            self.close()
            image = self._open()
        if image is None:
            return None
        return Frame(fit_within(image, self._options.image_width, self._options.image_height), time.monotonic())

    def close(self) -> None:
        """Closes the file."""
        if self._capture is not None:
            self._capture.release()
        self._capture = self._ahead = None

    def _open(self) -> NDArray[np.uint8]:
        """Opens the file and returns its first image, which shows that it is a video."""
        if _is_text(self._path):  # FFmpeg would render its letters
            raise SourceError(f"{self._path}: a text file, not a video")
        self._capture = cv2.VideoCapture(str(self._path), _backend())
        self.rate_hz = nominal_rate_or_default_hz(self._options.framerate, self._capture.get(cv2.CAP_PROP_FPS))
        image = self._read_image()
        if image is None:
            self.close()
            raise SourceError(f"{self._path}: not a video or image file that OpenCV can read")
        return image

    def _next(self) -> NDArray[np.uint8] | None:
        image, self._ahead = self._ahead, None
        return self._read_image() if image is None else image

    def _read_image(self) -> NDArray[np.uint8] | None:
        if self._capture is None:
            return None
        succeeded, image = self._capture.read()
        return np.asarray(image, np.uint8) if succeeded else None


class FolderSource(FrameSource):
    """Images in the order of their names, restarted after the last if `loop` is set.

    An image that cannot be read is skipped with a warning, one that was removed without.

    Raises:
        SourceError: none of the images can be read.
    """

    is_live = False

    def __init__(self, paths: Sequence[Path], options: CameraOptions) -> None:
        self._paths, self._options = list(paths), options
        self._place = paths[0] if len(paths) == 1 else paths[0].parent
        self._next = 0
        self._unreadable: set[Path] = set()
        self.rate_hz = nominal_rate_or_default_hz(options.framerate, 0)
        if self.read() is None:
            raise SourceError(self._unreadable_line())
        self._next = 0

    @classmethod
    def of_folder(cls, folder: Path, options: CameraOptions) -> "FolderSource":
        """Opens the images of a folder, of any format that OpenCV reads; subfolders and hidden files are ignored.

        Raises:
            SourceError: the folder cannot be listed or has no image.
        """
        try:
            files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
        except OSError as error:
            raise SourceError(f"{folder}: {error.strerror}") from error
        paths = [path for path in files if cv2.haveImageReader(str(path))]
        if others := [path.name for path in files if path not in paths]:
            _LOG.warning("%s: ignored %d files that are not images, the first is %s", folder, len(others), others[0])
        if not paths:
            raise SourceError(f"{folder}: no image in this folder")
        return cls(paths, options)

    def read(self) -> Frame | None:
        """Returns the next image at once, or None after the last.

        Raises:
            SourceError: the folder no longer exists, or none of its images can be read again.
        """
        if self._paths and not self._place.exists():
            raise SourceError(f"{self._place}: no such file or folder")
        for _ in self._paths:  # at most one round of images that cannot be read
            if self._next == len(self._paths) and not self._options.loop:
                return None
            self._next %= len(self._paths)
            path = self._paths[self._next]
            self._next += 1
            if (image := self._image(path)) is not None:
                return Frame(fit_within(image, self._options.image_width, self._options.image_height), time.monotonic())
        if self._paths and self._options.loop:
            raise SourceError(self._unreadable_line())
        return None

    def close(self) -> None:
        """Ends the source."""
        self._paths, self._next = [], 0

    def _image(self, path: Path) -> NDArray[np.uint8] | None:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None and path not in self._unreadable and path.exists():
            self._unreadable.add(path)  # one warning for each file, not for each round
            _LOG.warning("%s: OpenCV cannot read it; skipped", path)
        return None if image is None else np.asarray(image, np.uint8)

    def _unreadable_line(self) -> str:
        if not self._place.exists():  # it was removed while it was read
            return f"{self._place}: no such file or folder"
        count = len(self._paths)
        words = "OpenCV cannot read it" if count == 1 else f"OpenCV can read none of its {count} images"
        return f"{self._place}: {words}"


def _backend() -> int:
    """Returns FFmpeg if OpenCV has it: other backends write to stderr what they cannot read."""
    available = cv2.videoio_registry.getBackends()
    return cv2.CAP_FFMPEG if cv2.CAP_FFMPEG in available else cv2.CAP_ANY


def _is_text(path: Path) -> bool:
    """Returns whether a file starts as text and is not a playlist; every video format has control characters there."""
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    text_bytes = set(range(0x20, 0x100)) | set(b"\t\n\r\f\x1b")
    return bool(head) and text_bytes.issuperset(head) and not head.startswith(b"#EXTM3U")
