# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes VP9 video in a thread of its own."""

import errno
import itertools
import queue
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import one_line

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
        dropped: number of images that did not fit into the queue, differ in size from the first one, or came after a
            failure.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.Queue[tuple[NDArray[np.uint8], int] | None] = queue.Queue(_QUEUE)
        self._failure: Exception | None = None
        self.written = 0
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="video-writer", daemon=True)
        self._thread.start()

    def write(self, image_bgr: NDArray[np.uint8], stamp_ns: int) -> None:
        """Queues an image, uint8 (H, W, 3); stamps have to increase."""
        try:
            self._queue.put_nowait((image_bgr, stamp_ns))
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Encodes the queued images and closes the file.

        Raises:
            OSError: the file could not be written.
        """
        self._queue.put(None)
        self._thread.join()
        if self._failure is not None:
            reason = getattr(self._failure, "strerror", None) or one_line(self._failure)
            number = getattr(self._failure, "errno", None) or errno.EIO
            raise OSError(number, f"not written to its end: {reason}", str(self._path)) from self._failure

    def _run(self) -> None:
        """Encodes until the end; after a failure it only empties the queue, so that `close` never blocks."""
        items = iter(self._queue.get, None)
        try:
            self._encode(items)
        except Exception as e:  # noqa: BLE001 - `close` raises it
            self._failure = e
            self.dropped += sum(1 for _ in items)

    def _encode(self, items: Iterator[tuple[NDArray[np.uint8], int]]) -> None:
        first = next(items, None)
        if first is None:
            return
        import av

        with av.open(str(self._path), "w") as container:
            stream = container.add_stream("libvpx-vp9", options=_ENCODER)
            height, width = first[0].shape[:2]
            stream.width, stream.height, stream.pix_fmt = width - width % 2, height - height % 2, "yuv420p"
            stream.codec_context.time_base = _TIME_BASE
            last_ms = -1
            for image_bgr, stamp_ns in itertools.chain([first], items):
                if image_bgr.shape != first[0].shape:
                    self.dropped += 1
                    continue
                last_ms = max(last_ms + 1, (stamp_ns - first[1]) // 1_000_000)
                frame = av.VideoFrame.from_ndarray(
                    np.ascontiguousarray(image_bgr[: stream.height, : stream.width]), format="bgr24"
                )
                frame.pts, frame.time_base = last_ms, _TIME_BASE
                container.mux(stream.encode(frame))
                self.written += 1
            container.mux(stream.encode())
