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

from emotion_perception.core.camera.image_files import HEAD_BYTES, image_count, read_image_file
from emotion_perception.core.camera.options import CameraOptions
from emotion_perception.core.camera.source import FrameSource, fit_within, nominal_rate_or_default_hz
from emotion_perception.core.errors import ConfigurationError, ImageError, SourceError
from emotion_perception.core.folder_walk import FolderWalk
from emotion_perception.core.regular_files import open_regular, opencv_name
from emotion_perception.core.types import Frame

_LOG = logging.getLogger(__name__)
_COMPLETE = 0.9  # of what a video's header tells; some headers only estimate
_LONGEST_INTERVAL_S = 60.0
_MOST_FRAMES = 1e9  # some files claim more
_MOST_BOXES = 1000  # of an MP4 file that are looked at
_OTHER_RATE = 0.1  # deviation from the rate that is mentioned
_WARNINGS = 5  # about single images; all are counted


class VideoFileSource(FrameSource):
    """A video file, restarted at its end if `loop` is set.

    With `framerate` 0 each frame has the interval of its time stamps, at most a minute; otherwise a file of another or
    a variable rate is mentioned once. OpenCV scales frames of another size to that of the first one, and does not tell.

    Raises:
        SourceError: OpenCV finds no image in the file.
    """

    is_live = False

    def __init__(self, path: Path, options: CameraOptions) -> None:
        self._path, self._options = path, options
        self._capture: cv2.VideoCapture | None = None
        self._last_s: float | None = None  # time stamp of the frame before, since the first one
        self._start_s = 0.0  # presentation time of the first frame
        self._count = 0  # frames since the file was opened
        self._warned = False
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
            self.is_cut = self._ended_early()
            return None
        self._count += 1
        image_bgr = fit_within(image, self._options.image_width, self._options.image_height)
        return Frame(image_bgr, time.monotonic(), self._interval_s())

    def close(self) -> None:
        """Closes the file."""
        if self._capture is not None:
            self._capture.release()
        self._capture = self._ahead = None

    def _open(self) -> NDArray[np.uint8]:
        """Opens the file and returns its first image, which shows that it is a video."""
        if _is_text(self._path):  # FFmpeg would render its letters
            raise SourceError(f"{self._path}: a text file, not a video")
        self._last_s, self._start_s, self._count = None, 0.0, 0
        self._capture = cv2.VideoCapture(opencv_name(self._path), _backend())
        count, own_hz = self._capture.get(cv2.CAP_PROP_FRAME_COUNT), self._capture.get(cv2.CAP_PROP_FPS)
        self.rate_hz = nominal_rate_or_default_hz(self._options.framerate, own_hz)
        self.frame_count = int(count) if 0 < count < _MOST_FRAMES else 0
        self._duration_s = self.frame_count / own_hz if own_hz > 0 else 0.0
        image = self._read_image()
        if image is None:
            self.close()
            known = "an MP4 video without its index: cut short, or never finished"
            unknown = "not a video or image file that OpenCV can read"
            raise SourceError(f"{self._path}: {known if _lacks_index(self._path) else unknown}")
        if own_hz > 0 and hasattr(cv2, "CAP_PROP_PTS"):  # since OpenCV 4.11
            self._start_s = self._capture.get(cv2.CAP_PROP_PTS) / own_hz
        return image

    def _ended_early(self) -> bool:
        """Returns whether fewer frames came than the header tells.

        Of some formats OpenCV computes their number from duration and rate, which is wrong where the rate varies, so
        the last time stamp has to be early as well. Time stamps are since the first frame; the duration of a Matroska
        file is not, and has the time before it.
        """
        few = self._count < _COMPLETE * self.frame_count
        expected_s = _COMPLETE * (self._duration_s - self._start_s)
        return few and (not self._duration_s or (self._last_s or 0.0) < expected_s)

    def _interval_s(self) -> float:
        """Returns the time since the frame before, by their time stamps; 0 if `framerate` decides."""
        if self._capture is None:
            return 0.0
        now_s, last_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3, self._last_s
        self._last_s = now_s
        interval_s = 0.0 if last_s is None else min(max(0.0, now_s - last_s), _LONGEST_INTERVAL_S)
        if self._options.framerate == 0:
            return interval_s
        if interval_s and abs(interval_s * self.rate_hz - 1) > _OTHER_RATE and not self._warned:
            self._warned = True
            own_hz = self._capture.get(cv2.CAP_PROP_FPS)
            _LOG.warning(
                "%s: has %.4g frames per second on average and is played at %g; framerate 0 keeps its own times",
                self._path,
                own_hz,
                self.rate_hz,
            )
        return 0.0

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

    An image that cannot be read, is truncated or too large is skipped, counted and, for the first five, named in a
    warning; one that was removed is skipped without. Of a file with several images the first is shown, with a warning.

    Raises:
        SourceError: none of the images can be read.
    """

    is_live = False

    def __init__(self, paths: Sequence[Path], options: CameraOptions) -> None:
        self._paths, self._options = list(paths), options
        self._place = paths[0] if len(paths) == 1 else paths[0].parent
        self._next = 0
        self._unreadable: dict[Path, str] = {}
        self._checked: set[Path] = set()  # for further images in the file
        self._several = 0
        self.rate_hz = nominal_rate_or_default_hz(options.framerate, 0)
        self.frame_count = len(paths)
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
            entries = FolderWalk().entries(folder, 0)
            files = sorted(path for path in entries if not path.is_dir() and not path.name.startswith("."))
            readable = [path for path in files if path.is_file()]  # a device or a pipe is none: reading would not end
        except OSError as error:
            raise SourceError(f"{folder}: {error.strerror}") from error
        except ConfigurationError as error:
            raise SourceError(str(error)) from error
        paths = [path for path in readable if cv2.haveImageReader(opencv_name(path))]
        others = [path.name for path in files if path not in paths]
        ignored = f"ignored {len(others)} files that are not images, the first is {others[0]}" if others else ""
        if not paths:
            raise SourceError(f"{folder}: no image in this folder{ignored and f' ({ignored})'}")
        if ignored:
            _LOG.warning("%s: %s", folder, ignored)
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
                self.path = path
                return Frame(fit_within(image, self._options.image_width, self._options.image_height), time.monotonic())
        if self._paths and self._options.loop:
            raise SourceError(self._unreadable_line())
        return None

    def close(self) -> None:
        """Ends the source."""
        self._paths, self._next = [], 0

    @property
    def skipped(self) -> int:  # type: ignore[override]  # read only here
        """Number of files that cannot be read, each counted once."""
        return len(self._unreadable)

    def _image(self, path: Path) -> NDArray[np.uint8] | None:
        try:
            image = read_image_file(path)
        except FileNotFoundError:
            return None
        except ImageError as e:
            if path not in self._unreadable:  # once for each file, not for each round
                self._unreadable[path] = str(e)
                self._warn(len(self._unreadable), f"{path}: {e}; skipped", "images that cannot be read")
            return None
        self._unreadable.pop(path, None)  # it was complete by now
        self._mention_further_images(path)
        return image

    def _mention_further_images(self, path: Path) -> None:
        if path in self._checked:
            return
        self._checked.add(path)
        with open_regular(path) as file:
            count = image_count(path, file.read(HEAD_BYTES))
        if count > 1:
            self._several += 1
            self._warn(
                self._several, f"{path}: has {count} images, of which the first is shown", "files of several images"
            )

    @staticmethod
    def _warn(count: int, line: str, what: str) -> None:
        if count <= _WARNINGS:
            _LOG.warning("%s%s", line, f" (further {what} are not named)" if count == _WARNINGS else "")

    def _unreadable_line(self) -> str:
        if not self._place.exists():  # it was removed while it was read
            return f"{self._place}: no such file or folder"
        reason = next(iter(self._unreadable.values()), "they no longer exist")
        count = len(self._paths)
        return (
            f"{self._place}: {reason}"
            if count == 1
            else f"{self._place}: none of its {count} images can be read ({reason})"
        )


def _backend() -> int:
    """Returns FFmpeg if OpenCV has it: other backends write to stderr what they cannot read."""
    available = cv2.videoio_registry.getBackends()
    return cv2.CAP_FFMPEG if cv2.CAP_FFMPEG in available else cv2.CAP_ANY


def _is_text(path: Path) -> bool:
    """Returns whether a file starts as text and is not a playlist; every video format has control characters there."""
    try:
        with open_regular(path) as file:
            head = file.read(1024)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    text_bytes = set(range(0x20, 0x100)) | set(b"\t\n\r\f\x1b")
    return bool(head) and text_bytes.issuperset(head) and not head.startswith(b"#EXTM3U")


def _lacks_index(path: Path) -> bool:
    """Returns whether a file is an MP4 or QuickTime video without the box `moov`, which most programs write last."""
    names: list[bytes] = []
    try:
        at, size = 0, path.stat().st_size
        with open_regular(path) as file:
            while len(head := file.read(16)) >= 8 and len(names) < _MOST_BOXES:
                length, name = int.from_bytes(head[:4], "big"), head[4:8]
                length = int.from_bytes(head[8:], "big") if length == 1 else length
                names.append(name)
                if length < 8:  # 0: to the end of the file
                    break
                at += length
                file.seek(min(at, size))
    except OSError:  # as of a file that was removed meanwhile
        return False
    return names[:1] == [b"ftyp"] and b"mdat" in names and not {b"moov", b"moof", b"meta"} & {*names}
