# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Live sources, V4L2 cameras and network streams, of which only the newest image is kept."""

import os
import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from emotion_perception.core.camera.identity import without_password
from emotion_perception.core.camera.options import CameraOptions
from emotion_perception.core.camera.source import FrameSource, fit_within, frame_timeout_s, nominal_rate_hz
from emotion_perception.core.errors import SourceError, StalledSourceError
from emotion_perception.core.regular_files import opencv_name
from emotion_perception.core.types import Frame

_DEVICE_OPEN_S, _STREAM_OPEN_S = 5.0, 8.0
_CLOSE_TIMEOUT_S = 1.0
_MOTION_JPEG = cv2.VideoWriter.fourcc(*"MJPG")  # carries no rate: FFmpeg reports 25


class Capture(Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def isOpened(self) -> bool: ...  # noqa: N802, D102
    def read(self) -> tuple[bool, np.ndarray]: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102
    def get(self, prop: int, /) -> float: ...  # noqa: D102


class LatestFrameReader:
    """Opens and reads a capture in a daemon thread, so that a driver that blocks delays neither frames nor exit.

    Only that thread opens, reads and releases the capture; if it is blocked in the driver when the reader is closed,
    it releases the capture as soon as the driver returns.

    Args:
        open_capture: creates the capture; may return one that is not opened.
    """

    def __init__(self, open_capture: Callable[[], Capture]) -> None:
        self._open_capture = open_capture
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._rate_hz = 0.0
        self._failure = ""
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="frame-grabber", daemon=True)
        self._thread.start()

    @property
    def rate_hz(self) -> float:
        """The frame rate that the capture reports; 0 if it reports none or is not open yet."""
        return self._rate_hz

    def take(self, timeout_s: float) -> Frame | None:
        """Waits for a frame that was not taken yet and returns the newest one; None if the reader is closed.

        Raises:
            SourceError: the capture did not open, or has ended.
            StalledSourceError: it delivered nothing within `timeout_s`.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._frame or self._failure or self._closed, timeout_s)
            frame, self._frame = self._frame, None
            if frame is None and not self._closed:
                if self._failure:
                    raise SourceError(self._failure)
                raise StalledSourceError(f"no image for {timeout_s:g} s")
            return None if self._closed else frame

    def close(self) -> None:
        """Stops the thread; waits for it for at most one second."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(_CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        capture: Capture | None = None
        try:
            capture = self._open_capture()
            self._fail("cannot be opened" if not capture.isOpened() else self._grab_until_closed(capture))
        except cv2.error as error:
            self._fail(" ".join(str(error).split()))
        finally:
            if capture is not None:
                capture.release()

    def _grab_until_closed(self, capture: Capture) -> str:
        """Reads until the reader is closed or the capture ends; returns the reason."""
        self._rate_hz = capture.get(cv2.CAP_PROP_FPS)
        while not self._closed:
            succeeded, image = capture.read()
            if not succeeded:
                return "delivers no more images"
            with self._changed:
                self._frame = Frame(np.asarray(image, np.uint8), time.monotonic())
                self._changed.notify_all()
        return "closed"

    def _fail(self, reason: str) -> None:
        with self._changed:
            self._failure = reason
            self._changed.notify_all()


class _LiveSource(FrameSource):
    """A source that is read by `LatestFrameReader`; a subclass implements how it is opened."""

    is_live = True

    def __init__(self, name: str, options: CameraOptions, *, open_timeout_s: float, read_timeout_s: float) -> None:
        self._name, self._options, self._read_timeout_s = name, options, read_timeout_s
        self._reader = LatestFrameReader(self._open_capture)
        try:
            self._first = self._take(open_timeout_s)
        except SourceError:
            self.close()
            raise
        self.rate_hz = nominal_rate_hz(options.framerate, self._reader.rate_hz)

    def read(self) -> Frame | None:
        """Waits for the next image; returns None once the source is closed."""
        first, self._first = self._first, None
        return self._take(self._read_timeout_s) if first is None else first

    def close(self) -> None:
        """Releases the camera or connection."""
        self._first = None
        self._reader.close()

    def _take(self, timeout_s: float) -> Frame | None:
        try:
            return self._reader.take(timeout_s)
        except SourceError as error:
            raise type(error)(f"{self._name}: {error}") from None

    @abstractmethod
    def _open_capture(self) -> Capture: ...


class DeviceSource(_LiveSource):
    """A V4L2 camera, e.g. `/dev/video0`.

    Raises:
        SourceError: there is no such camera, it is in use, or it delivers no image.
    """

    def __init__(self, path: str, options: CameraOptions) -> None:
        if not Path(path).exists():
            raise SourceError(f"no camera at {path}")
        if not os.access(path, os.R_OK | os.W_OK):
            raise SourceError(f"{path}: no permission; add the user to the group video")
        self._path = path
        read_timeout_s = frame_timeout_s(options.framerate)
        super().__init__(path, options, open_timeout_s=_DEVICE_OPEN_S, read_timeout_s=read_timeout_s)

    def _open_capture(self) -> Capture:
        capture = cv2.VideoCapture(opencv_name(self._path), cv2.CAP_V4L2)
        for prop, value in device_settings(self._options):
            capture.set(prop, value)
        return capture


class StreamSource(_LiveSource):
    """A network stream, e.g. `rtsp://` or `http://`, scaled to fit.

    OpenCV scales frames of another size to that of the first one, and does not tell.

    Args:
        url: its address.
        options: requested size and rate.
        open_timeout_s: timeout of the first image, in seconds.
        read_timeout_s: timeout of each further image, in seconds; None takes `frame_timeout_s` of `framerate`.

    Raises:
        SourceError: it cannot be reached or delivers no image in time.
    """

    def __init__(
        self,
        url: str,
        options: CameraOptions,
        *,
        open_timeout_s: float = _STREAM_OPEN_S,
        read_timeout_s: float | None = None,
    ) -> None:
        read_s = frame_timeout_s(options.framerate) if read_timeout_s is None else read_timeout_s
        self._url, self._timeouts_ms = url, (int(open_timeout_s * 1000), int(read_s * 1000))
        self._rate_is_default = False
        super().__init__(without_password(url), options, open_timeout_s=open_timeout_s, read_timeout_s=read_s)
        if self._rate_is_default:
            self.rate_hz = options.framerate

    def read(self) -> Frame | None:
        """Waits for the next image; returns None once the source is closed."""
        if (frame := super().read()) is None:
            return None
        image_bgr = fit_within(frame.image_bgr, self._options.image_width, self._options.image_height)
        return Frame(image_bgr, frame.grabbed_s)

    def _open_capture(self) -> Capture:
        open_ms, read_ms = self._timeouts_ms
        settings = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, open_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, read_ms]
        capture = cv2.VideoCapture(opencv_name(self._url), cv2.CAP_FFMPEG, settings)
        self._rate_is_default = int(capture.get(cv2.CAP_PROP_FOURCC)) == _MOTION_JPEG
        return capture


def device_settings(options: CameraOptions) -> list[tuple[int, float]]:
    """Returns the properties to request from a camera, in the order that drivers need: format, size, rate, buffers."""
    settings: list[tuple[int, float]] = []
    if options.pixel_format:
        settings.append((cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*options.pixel_format)))
    requested = (
        (cv2.CAP_PROP_FRAME_WIDTH, options.image_width),
        (cv2.CAP_PROP_FRAME_HEIGHT, options.image_height),
        (cv2.CAP_PROP_FPS, options.framerate),
    )
    settings += [(prop, value) for prop, value in requested if value]
    return [*settings, (cv2.CAP_PROP_BUFFERSIZE, 1)]
