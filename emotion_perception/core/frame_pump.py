"""Reads a picture source in a thread of its own, at its pace."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from emotion_perception.core.camera import FrameSource
from emotion_perception.core.errors import SourceError
from emotion_perception.core.types import Frame

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 8.0


class FramePump:
    """Delivers every frame of a source, and opens the source again when it fails.

    A live source sets the pace itself; a file, folder or synthetic source is paced by its rate, and a frame that is
    late is not followed by a burst.

    Args:
        source: opened source; the pump closes it.
        reopen: opens the source anew after a fault.
        deliver: gets each frame, in the pump's thread.
        on_fault: gets one line for each fault and each vain attempt to open the source again.
    """

    def __init__(
        self,
        source: FrameSource,
        *,
        reopen: Callable[[], FrameSource],
        deliver: Callable[[Frame], None],
        on_fault: Callable[[str], None],
    ) -> None:
        self._source: FrameSource | None = source
        self._reopen, self._deliver, self._on_fault = reopen, deliver, on_fault
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="frame-pump", daemon=True)
        self.ended = False

    def start(self) -> None:
        """Begins to deliver."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ends the thread and closes the source; False where the thread did not end within `timeout_s`."""
        self._stop.set()
        if self._source is not None and self._source.is_live:
            self._source.close()  # wakes a read that waits for the next picture
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        self._close()
        return True

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._stop.is_set():
            try:
                frame = self._opened().read()
            except SourceError as e:
                self._on_fault(str(e))
                self._close()
                self._open_again()
                continue
            if frame is None:
                self.ended = True
                return
            if not self._opened().is_live:
                due_s = max(due_s + 1 / self._opened().rate_hz, time.monotonic() - 1 / self._opened().rate_hz)
                if self._stop.wait(max(0.0, due_s - time.monotonic())):
                    return
                frame = replace(frame, grabbed_s=time.monotonic())
            self._deliver(frame)

    def _open_again(self) -> None:
        wait_s = _FIRST_WAIT_S
        while self._source is None and not self._stop.wait(wait_s):
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            try:
                self._source = self._reopen()
            except SourceError as e:
                self._on_fault(str(e))

    def _opened(self) -> FrameSource:
        if self._source is None:
            raise SourceError("the source is closed")
        return self._source

    def _close(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None
