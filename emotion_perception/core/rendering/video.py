# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes H.264 video that browsers play, in a thread of its own."""

import queue
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_TIME_BASE = Fraction(1, 1000)  # presentation times are milliseconds
_QUEUE = 60  # images; two seconds at 30 Hz


class VideoWriter:
    """Encodes images at the times they were taken.

    Needs PyAV (`pip install av`): OpenCV's wheels have no H.264 encoder. An image that comes while the encoder is
    two seconds behind is left out and counted, so that whoever writes never waits.

    Args:
        path: an .mp4 file; its folder is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.Queue[tuple[NDArray[np.uint8], int] | None] = queue.Queue(_QUEUE)
        self._thread = threading.Thread(target=self._run, name="video-writer", daemon=True)
        self._thread.start()
        self.written = 0
        self.left_out = 0

    def write(self, image_bgr: NDArray[np.uint8], stamp_ns: int) -> None:
        """Hands in uint8 (H, W, 3), the same size each time, and when it was taken; stamps have to increase."""
        try:
            self._queue.put_nowait((image_bgr, stamp_ns))
        except queue.Full:
            self.left_out += 1

    def close(self) -> None:
        """Encodes what is left and ends the file."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        first = self._queue.get()
        if first is None:
            return
        import av

        with av.open(str(self._path), "w", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", options={"preset": "veryfast", "crf": "23"})
            height, width = first[0].shape[:2]
            stream.width, stream.height, stream.pix_fmt = width - width % 2, height - height % 2, "yuv420p"
            stream.codec_context.time_base = _TIME_BASE
            item: tuple[NDArray[np.uint8], int] | None = first
            last_ms = -1
            while item is not None:
                image_bgr, stamp_ns = item
                last_ms = max(last_ms + 1, (stamp_ns - first[1]) // 1_000_000)
                frame = av.VideoFrame.from_ndarray(
                    np.ascontiguousarray(image_bgr[: stream.height, : stream.width]), format="bgr24"
                )
                frame.pts, frame.time_base = last_ms, _TIME_BASE
                container.mux(stream.encode(frame))
                self.written += 1
                item = self._queue.get()
            container.mux(stream.encode())
