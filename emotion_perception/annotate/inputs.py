# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The images of an input with their times."""

import itertools
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.camera import CameraOptions, FrameSource, open_source, source_path, without_password
from emotion_perception.core.errors import SourceError, StalledSourceError
from emotion_perception.core.paths import local_path
from emotion_perception.core.printable import printable

_LOG = logging.getLogger(__name__)
_NS = 1_000_000_000
_STALL_S = 10.0  # without an image, after which a live source has ended


class Kind(Enum):
    """What an input is.

    Attributes:
        IMAGES: unrelated images: no tracks, no smoothing.
        SEQUENCE: images that are the frames of one sequence.
        VIDEO: a video file.
        LIVE: a camera or stream, which ends when the user ends it; images that there is no time for are dropped.
    """

    IMAGES = "images"
    SEQUENCE = "sequence"
    VIDEO = "video"
    LIVE = "live"


@dataclass(frozen=True, eq=False)
class InputImage:
    """One image of an input.

    Attributes:
        number: position among the images that could be read, from 0.
        stamp_ns: of a live source the time of day, else the time since the first image.
        image_bgr: uint8 (H, W, 3).
        path: its file, where each image has one.
    """

    number: int
    stamp_ns: int
    image_bgr: NDArray[np.uint8]
    path: Path | None = None


def input_path(text: str) -> Path | None:
    """Returns the file or folder that the argument IN names; None for a camera or a stream.

    Raises:
        ConfigurationError: as of `local_path`.
    """
    return None if source_path(text) is None else local_path(text.strip())


def input_name(text: str) -> str:
    """Returns how the argument IN is shown: the name of a file or folder, or an address without its password."""
    path = input_path(text)
    return printable(without_password(text) if path is None else path.resolve().name)


class Input:
    """Opens what the argument IN names and yields its images; a context manager.

    Args:
        text: a video, an image, a folder of images, the index or path of a camera, a URL, or `synthetic`.
        rate_hz: makes a folder one sequence at this rate; 0 leaves its images unrelated.
        stop: ends a live source, also while it waits.

    Attributes:
        kind: what it is.
        frame_count: number of images to expect, 0 if unknown.
        problem: why a live source ended before it was stopped.

    Raises:
        SourceError: it is missing or delivers no image.
        ConfigurationError, ModelFileError: as of `open_source`.
    """

    def __init__(self, text: str, *, rate_hz: float, stop: threading.Event) -> None:
        path = input_path(text)
        self.name = input_name(text)
        self.problem = ""
        device = text if path is None else str(path)
        self._source: FrameSource = open_source(
            CameraOptions(video_device=device, image_width=0, image_height=0, framerate=rate_hz, loop=False),
            stream_timeout_s=_STALL_S,
        )
        self._rate_hz, self._stop = self._source.rate_hz, stop
        self.frame_count = self._source.frame_count
        if path is None:
            self.kind = Kind.LIVE
        elif self._source.path is None:
            self.kind = Kind.VIDEO
        else:
            self.kind = Kind.SEQUENCE if rate_hz else Kind.IMAGES

    def __enter__(self) -> "Input":
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    def interrupt(self) -> None:
        """Ends a live source, also while another thread waits for its next image."""
        if self.kind is Kind.LIVE:
            self._source.close()

    @property
    def skipped(self) -> int:
        """Number of image files that cannot be read."""
        return self._source.skipped

    def images(self) -> Iterator[InputImage]:
        """Yields the images, of a live source until it ends.

        Raises:
            SourceError: a file or folder has disappeared.
        """
        return self._live_images() if self.kind is Kind.LIVE else self._file_images()

    def _file_images(self) -> Iterator[InputImage]:
        stamp_s, number = 0.0, -1
        for number in itertools.count():
            if (frame := self._source.read()) is None:
                number -= 1
                break
            stamp_s = stamp_s + frame.interval_s if self.kind is Kind.VIDEO else number / self._rate_hz
            yield InputImage(number, round(stamp_s * _NS), frame.image_bgr, self._source.path)
        if self._source.is_cut:
            _LOG.warning("%s: ends after %d of about %d frames", self.name, number + 1, self.frame_count)

    def _live_images(self) -> Iterator[InputImage]:
        first_ns, first_s, last_s = 0, 0.0, time.monotonic()
        number = 0
        while not self._stop.is_set():
            try:
                frame = self._source.read()
            except StalledSourceError:
                if time.monotonic() - last_s <= _STALL_S:
                    continue
                self.problem = f"{self.name}: no image for {_STALL_S:g} s"
                return
            except SourceError as e:
                _LOG.warning("%s", e)  # the end of a stream, too, looks like this
                return
            if frame is None:
                return
            last_s = time.monotonic()
            if not number:
                first_ns, first_s = time.time_ns(), frame.grabbed_s
            yield InputImage(number, first_ns + round((frame.grabbed_s - first_s) * _NS), frame.image_bgr)
            number += 1
            if not self._source.is_live:  # `synthetic`, which sets no pace
                self._stop.wait(max(0.0, first_s + number / self._rate_hz - time.monotonic()))
