# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads an image source in a thread of its own, at its pace, and opens it again when it was lost."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from emotion_perception.core.camera.factory import FrameSource
from emotion_perception.core.camera.frame_rate import FrameRateMonitor
from emotion_perception.core.camera.source import patience_s
from emotion_perception.core.errors import EmotionPerceptionError, one_line
from emotion_perception.core.types import Frame

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 4.0  # between attempts to open the source
_STEADY_S = 2.0  # a source that gave images for less is not tried sooner again than before
_OPENING_S = 8.5  # may pass before the first image without a word; streams give up after 8
_SLACK_S = 0.2  # a source that knows its own fault tells it first
_HELD_UP_S = 1.0  # a check that comes so late was held up itself, with the whole process


class CaptureLoop:
    """Delivers every frame of a source once, and opens the source again when it is missing or fails.

    A live source sets the pace itself; a file, folder or synthetic source is paced by its rate, and a frame that is
    late is not followed by a burst. Opening and reading may take as long as they like: nobody waits for them.

    Args:
        open_source: opens the source, at first and after each loss; may raise or hang.
        name: of the source, for the line that tells of one that hangs.
        deliver: gets each frame, in the pump's thread.
        on_loss: gets one line when the source is not there or stops, and for each vain attempt to open it.
        on_return: called just before the first frame after a loss.
        on_fault: gets one line when `deliver` raises; the next frame is delivered.

    Attributes:
        rate: how many images a second come.
        ended: the source has come to its end.
    """

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        *,
        name: str,
        deliver: Callable[[Frame], None],
        on_loss: Callable[[str], None],
        on_return: Callable[[], None],
        on_fault: Callable[[str], None],
    ) -> None:
        self._open, self._name, self._deliver = open_source, name, deliver
        self._on_loss, self._on_return, self._on_fault = on_loss, on_return, on_fault
        self._source: FrameSource | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="frame-pump", daemon=True)
        self._lost = False
        self._begun_s = self._heard_s = self._checked_s = 0.0  # the source was opened, gave an image, was looked at
        self._patience_s = _OPENING_S
        self.rate = FrameRateMonitor()
        self.ended = False

    def start(self) -> None:
        """Begins to open and to deliver."""
        self._heard_s = time.monotonic()
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ends the thread and closes the source; False where the thread did not end within `timeout_s`.

        A thread that hangs in its source delivers nothing more, and closes the source when it gets free.
        """
        self._stop.set()
        source = self._source
        if source is not None and source.is_live:
            source.close()  # wakes a read that waits for the next image
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def check(self) -> None:
        """Tells a loss where the source hangs; to be called a few times a second from another thread."""
        now_s, last_s = time.monotonic(), self._checked_s
        self._checked_s, silent_s = now_s, now_s - self._heard_s
        if now_s - last_s < _HELD_UP_S and silent_s > self._patience_s and not (self._lost or self.ended):
            self._lose(f"{self._name}: no image for {silent_s:.1f} s")

    def _run(self) -> None:
        wait_s = 0.0
        while not self._stop.wait(wait_s):
            self._begun_s = time.monotonic()
            try:
                self._play()
                return
            except EmotionPerceptionError as e:
                self._lose(str(e))
            except Exception as e:  # noqa: BLE001 - whatever a driver raises, the camera may come back
                self._lose(f"{self._name}: {type(e).__name__}: {one_line(e)}")
            finally:
                self._close()
            steady = self._heard_s - self._begun_s > _STEADY_S
            wait_s = _FIRST_WAIT_S if steady or not wait_s else min(2 * wait_s, _LONGEST_WAIT_S)

    def _play(self) -> None:
        """Delivers until the end of the source, or until told to stop."""
        source = self._source = self._open()
        self.rate.expect(source.rate_hz)
        self._begun_s = due_s = time.monotonic()
        while not self._stop.is_set():
            frame = source.read()
            if frame is None:
                self.ended = not self._stop.is_set()
                return
            if not source.is_live:
                due_s = max(due_s + 1 / source.rate_hz, time.monotonic() - 1 / source.rate_hz)
                if self._stop.wait(max(0.0, due_s - time.monotonic())):
                    return
                frame = replace(frame, grabbed_s=time.monotonic())
            self._patience_s = patience_s(source.rate_hz) + _SLACK_S
            self._hand_on(frame)

    def _hand_on(self, frame: Frame) -> None:
        if self._stop.is_set():
            return
        self._heard_s = time.monotonic()
        self.rate.add(frame.grabbed_s)
        if self._lost:
            self._lost = False
            self._on_return()
        try:
            self._deliver(frame)
        except Exception as e:  # noqa: BLE001 - costs this frame only
            self._on_fault(f"{type(e).__name__}: {one_line(e)}")

    def _lose(self, line: str) -> None:
        if self._stop.is_set():
            return
        self._lost = True
        self.rate.expect(0.0)
        self._on_loss(line)

    def _close(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()
