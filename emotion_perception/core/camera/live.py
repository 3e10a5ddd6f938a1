# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Images that come at their own pace: a V4L2 camera or a network stream, of which only the newest is kept."""

import os
import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import cv2
import numpy as np

from emotion_perception.core.camera.options import CameraOptions
from emotion_perception.core.camera.source import FrameSource, fit_within, known_rate_hz, patience_s
from emotion_perception.core.errors import SourceError
from emotion_perception.core.types import Frame

_DEVICE_OPEN_S, _STREAM_OPEN_S = 5.0, 8.0
_CLOSE_TIMEOUT_S = 1.0
_MOTION_JPEG = cv2.VideoWriter.fourcc(*"MJPG")  # carries no rate: FFmpeg says 25


class Capture(Protocol):
    """What is used of `cv2.VideoCapture`."""

    def isOpened(self) -> bool: ...  # noqa: N802, D102
    def read(self) -> tuple[bool, np.ndarray]: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102
    def get(self, prop: int, /) -> float: ...  # noqa: D102


class LatestFrameReader:
    """Opens a capture and reads it in a daemon thread, so that a stuck driver delays neither frames nor exit.

    The capture is opened, read and released by that one thread; a thread that is stuck in the driver when the reader
    is closed releases it as soon as the driver answers.

    Args:
        open_capture: makes the capture; may return one that is not opened.
    """

    def __init__(self, open_capture: Callable[[], Capture]) -> None:
        self._open_capture = open_capture
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._rate_hz = 0.0
        self._fault = ""
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="frame-grabber", daemon=True)
        self._thread.start()

    @property
    def rate_hz(self) -> float:
        """What the capture says about its rate; 0 where it says nothing or is not open yet."""
        return self._rate_hz

    def take(self, timeout_s: float) -> Frame | None:
        """Returns the newest frame not taken yet, waiting for it if need be; None where the reader is closed.

        Raises:
            SourceError: the capture did not open, has ended, or gave nothing within `timeout_s`.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._frame or self._fault or self._closed, timeout_s)
            frame, self._frame = self._frame, None
            if frame is None and not self._closed:
                raise SourceError(self._fault or f"no image for {timeout_s:g} s")
            return None if self._closed else frame

    def close(self) -> None:
        """Ends the thread; waits for it a second at most."""
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
        """Reads until told to stop; returns why it ended."""
        self._rate_hz = capture.get(cv2.CAP_PROP_FPS)
        while not self._closed:
            succeeded, image = capture.read()
            if not succeeded:
                return "gives no more images"
            with self._changed:
                self._frame = Frame(np.asarray(image, np.uint8), time.monotonic())
                self._changed.notify_all()
        return "closed"

    def _fail(self, fault: str) -> None:
        with self._changed:
            self._fault = fault
            self._changed.notify_all()


class _LiveSource(FrameSource):
    """A source read by `LatestFrameReader`; subclasses say how to open it."""

    is_live = True

    def __init__(self, name: str, options: CameraOptions, *, open_timeout_s: float, read_timeout_s: float) -> None:
        self._name, self._options, self._read_timeout_s = name, options, read_timeout_s
        self._reader = LatestFrameReader(self._open_capture)
        try:
            self._first = self._take(open_timeout_s)
        except SourceError:
            self.close()
            raise
        self.rate_hz = known_rate_hz(options.framerate, self._reader.rate_hz)

    def read(self) -> Frame | None:
        """Waits for the next image; None once the source is closed."""
        first, self._first = self._first, None
        return self._take(self._read_timeout_s) if first is None else first

    def close(self) -> None:
        """Lets the camera or connection go."""
        self._first = None
        self._reader.close()

    def _take(self, timeout_s: float) -> Frame | None:
        try:
            return self._reader.take(timeout_s)
        except SourceError as error:
            raise SourceError(f"{self._name}: {error}") from None

    @abstractmethod
    def _open_capture(self) -> Capture: ...


class DeviceSource(_LiveSource):
    """A V4L2 camera, e.g. `/dev/video0`.

    Raises:
        SourceError: there is no such camera, it is busy, or it gives no image.
    """

    def __init__(self, path: str, options: CameraOptions) -> None:
        if not Path(path).exists():
            raise SourceError(f"no camera at {path}")
        if not os.access(path, os.R_OK | os.W_OK):
            raise SourceError(f"{path}: no permission; add the user to the group video")
        self._path = path
        read_timeout_s = patience_s(options.framerate)
        super().__init__(path, options, open_timeout_s=_DEVICE_OPEN_S, read_timeout_s=read_timeout_s)

    def _open_capture(self) -> Capture:
        capture = cv2.VideoCapture(self._path, cv2.CAP_V4L2)
        for prop, value in device_settings(self._options):
            capture.set(prop, value)
        return capture


class StreamSource(_LiveSource):
    """A network stream, e.g. `rtsp://` or `http://`, scaled to fit.

    Args:
        url: its address.
        options: the camera's parameters.
        open_timeout_s: how long it may take until the first image.
        read_timeout_s: how long until each further one; None takes 1.5 s, or more where `framerate` is low.

    Raises:
        SourceError: it cannot be reached or gives no image in time.
    """

    def __init__(
        self,
        url: str,
        options: CameraOptions,
        *,
        open_timeout_s: float = _STREAM_OPEN_S,
        read_timeout_s: float | None = None,
    ) -> None:
        read_s = patience_s(options.framerate) if read_timeout_s is None else read_timeout_s
        self._url, self._timeouts_ms = url, (int(open_timeout_s * 1000), int(read_s * 1000))
        self._rate_is_a_guess = False
        super().__init__(without_password(url), options, open_timeout_s=open_timeout_s, read_timeout_s=read_s)
        if self._rate_is_a_guess:
            self.rate_hz = options.framerate

    def read(self) -> Frame | None:
        """Waits for the next image; None once the source is closed."""
        if (frame := super().read()) is None:
            return None
        image_bgr = fit_within(frame.image_bgr, self._options.image_width, self._options.image_height)
        return Frame(image_bgr, frame.grabbed_s)

    def _open_capture(self) -> Capture:
        open_ms, read_ms = self._timeouts_ms
        settings = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, open_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, read_ms]
        capture = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, settings)
        self._rate_is_a_guess = int(capture.get(cv2.CAP_PROP_FOURCC)) == _MOTION_JPEG
        return capture


def device_settings(options: CameraOptions) -> list[tuple[int, float]]:
    """Returns the properties to ask of a camera, in the order that drivers need: format, size, rate, buffers."""
    settings: list[tuple[int, float]] = []
    if options.pixel_format:
        settings.append((cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*options.pixel_format)))
    asked = (
        (cv2.CAP_PROP_FRAME_WIDTH, options.image_width),
        (cv2.CAP_PROP_FRAME_HEIGHT, options.image_height),
        (cv2.CAP_PROP_FPS, options.framerate),
    )
    settings += [(prop, value) for prop, value in asked if value]
    return [*settings, (cv2.CAP_PROP_BUFFERSIZE, 1)]


def without_password(url: str) -> str:
    """Returns the address as it may stand in a log."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return url.replace(f":{parts.password}@", ":***@", 1)
