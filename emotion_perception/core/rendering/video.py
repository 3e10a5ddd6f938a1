# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes VP9 video in a thread of its own."""

import queue
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_TIME_BASE = Fraction(1, 1000)  # presentation times are milliseconds
_QUEUE = 60  # images; two seconds at 30 Hz
_ENCODER = {"deadline": "realtime", "cpu-used": "8", "crf": "32", "b": "0"}  # constant quality, beside nodes that work


class VideoWriter:
    """Encodes images with their stamps as presentation times.

    The video is VP9 in WebM. Browsers play it, and its encoder, libvpx, is under a BSD license; the encoders of H.264
    in PyAV's wheel are under the GPL. An image that arrives while the encoder is two seconds behind is dropped and
    counted, so that `write` never blocks. Needs PyAV: OpenCV's encoder of VP9 takes 30 times the processor time, and
    gives all images the same duration.

    Args:
        path: a .webm file in an existing folder.

    Attributes:
        written: number of images encoded so far.
        dropped: number of images that did not fit into the queue.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.Queue[tuple[NDArray[np.uint8], int] | None] = queue.Queue(_QUEUE)
        self._thread = threading.Thread(target=self._run, name="video-writer", daemon=True)
        self._thread.start()
        self.written = 0
        self.dropped = 0

    def write(self, image_bgr: NDArray[np.uint8], stamp_ns: int) -> None:
        """Queues an image, uint8 (H, W, 3), of the same size as all others; stamps have to increase."""
        try:
            self._queue.put_nowait((image_bgr, stamp_ns))
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Encodes the queued images and closes the file."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        first = self._queue.get()
        if first is None:
            return
        import av

        with av.open(str(self._path), "w") as container:
            stream = container.add_stream("libvpx-vp9", options=_ENCODER)
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
