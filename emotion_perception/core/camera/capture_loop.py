# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads a camera source in a thread of its own, at its frame rate, and reopens it after a loss."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from emotion_perception.core.camera.frame_rate import FrameRateMonitor
from emotion_perception.core.camera.source import FrameSource, frame_timeout_s
from emotion_perception.core.errors import EmotionPerceptionError, one_line
from emotion_perception.core.types import Frame

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 4.0  # between attempts to open the source; doubled after each
_STEADY_S = 2.0  # a source that delivered images for a shorter time does not reset that wait
_FIRST_IMAGE_TIMEOUT_S = 8.5  # streams give up by themselves after 8 s, with a better message
_SLACK_S = 0.2  # so that the source's own timeout, with its message, comes first
_STEADY = 0.1  # largest deviation of an interval from that of the frame rate
_LATE_CHECK_S = 1.0  # a later check means that the process was suspended, and a missing image is no loss


class CaptureLoop:
    """Passes every frame of a source on once, and reopens the source when it is missing or fails.

    A live source sets the pace itself; a file, folder or synthetic source is read at its frame rate, or at the times of
    its frames if it has them, and a late frame is not followed by a burst. Opening and reading may block: no other
    thread waits for them.

    Args:
        open_source: opens the source, at the start and after each loss; may raise or block.
        name: of the source, for messages about one that does not respond.
        on_frame: gets each frame, in the thread of the loop.
        on_loss: gets one line when the source is missing or stops, and for each failed attempt to open it.
        on_recovery: called before the first frame after a loss.
        on_error: gets one line when `on_frame` raises; the loop goes on with the next frame.

    Attributes:
        rate: measures the frame rate and compares it with the expected one.
        ended: whether the source has reached its end.
    """

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        *,
        name: str,
        on_frame: Callable[[Frame], None],
        on_loss: Callable[[str], None],
        on_recovery: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        self._open, self._name, self._on_frame = open_source, name, on_frame
        self._on_loss, self._on_recovery, self._on_error = on_loss, on_recovery, on_error
        self._source: FrameSource | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture-loop", daemon=True)
        self._lost = False
        self._opened_s = self._last_frame_s = self._last_check_s = 0.0
        self._timeout_s = _FIRST_IMAGE_TIMEOUT_S
        self.rate = FrameRateMonitor()
        self.ended = False

    @property
    def skipped(self) -> int:
        """Number of images that the source has left out since it was opened."""
        source = self._source
        return 0 if source is None else source.skipped

    def start(self) -> None:
        """Starts the thread."""
        self._last_frame_s = time.monotonic()
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Stops the thread and closes the source; returns False if the thread did not end within `timeout_s`.

        A thread that is blocked by its source passes no more frames on, and closes the source when it is released.
        """
        self._stop.set()
        source = self._source
        if source is not None and source.is_live:
            source.close()  # wakes a read that waits for the next image
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def check(self) -> None:
        """Reports a loss if the source does not respond; to be called a few times per second by another thread."""
        now_s, last_check_s = time.monotonic(), self._last_check_s
        self._last_check_s, silent_s = now_s, now_s - self._last_frame_s
        if now_s - last_check_s < _LATE_CHECK_S and silent_s > self._timeout_s and not (self._lost or self.ended):
            self._report_loss(f"{self._name}: no image for {silent_s:.1f} s")

    def _run(self) -> None:
        wait_s = 0.0
        while not self._stop.wait(wait_s):
            self._opened_s = time.monotonic()
            try:
                self._read_frames()
                return
            except EmotionPerceptionError as e:
                self._report_loss(str(e))
            except Exception as e:  # noqa: BLE001 - whatever a driver raises, the camera may come back
                self._report_loss(f"{self._name}: {type(e).__name__}: {one_line(e)}")
            finally:
                self._close()
            steady = self._last_frame_s - self._opened_s > _STEADY_S
            wait_s = _FIRST_WAIT_S if steady or not wait_s else min(2 * wait_s, _LONGEST_WAIT_S)

    def _read_frames(self) -> None:
        """Opens the source and reads it until its end or `stop`."""
        source = self._source = self._open()
        self.rate.expect(source.rate_hz)
        self._opened_s = due_s = time.monotonic()
        varies = False
        while not self._stop.is_set():
            frame = source.read()
            if frame is None:
                self.ended = not self._stop.is_set()
                return
            self._timeout_s = frame_timeout_s(source.rate_hz) + _SLACK_S
            if not source.is_live:
                step_s = frame.interval_s or 1 / source.rate_hz
                if abs(step_s * source.rate_hz - 1) > _STEADY and not varies:
                    varies = True
                    self.rate.expect(0.0)
                self._timeout_s += step_s
                due_s = max(due_s + step_s, time.monotonic() - 1 / source.rate_hz)
                if self._stop.wait(min(max(0.0, due_s - time.monotonic()), threading.TIMEOUT_MAX)):
                    return
                frame = replace(frame, grabbed_s=time.monotonic())
            self._pass_on(frame)

    def _pass_on(self, frame: Frame) -> None:
        if self._stop.is_set():
            return
        self._last_frame_s = time.monotonic()
        self.rate.add(frame.grabbed_s)
        if self._lost:
            self._lost = False
            self._on_recovery()
        try:
            self._on_frame(frame)
        except Exception as e:  # noqa: BLE001 - costs this frame only
            self._on_error(f"{type(e).__name__}: {one_line(e)}")

    def _report_loss(self, line: str) -> None:
        if self._stop.is_set():
            return
        self._lost = True
        self.rate.expect(0.0)
        self._on_loss(line)

    def _close(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()
