# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes video in a thread of its own, with the sound of another video beside it."""

import errno
import itertools
import logging
import queue
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import one_line

_LOG = logging.getLogger(__name__)
VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm")
VIDEO_CODECS = ("vp9", "h264")
_TIME_BASE = Fraction(1, 1000)  # presentation times are milliseconds
_QUEUE = 60  # images; two seconds at 30 Hz
_SHORT_QUEUE = 4  # of a writer that waits: large images take much memory
_WAIT_S = 0.2
_LEAST_SIDE = 2  # pixels; those of the colors are two wide
_ENCODERS = {
    # constant quality, beside nodes that work
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "crf": "32", "b": "0"}),
    "h264": ("libx264", {"preset": "veryfast", "crf": "23"}),
}
_SOUND_CODECS = {  # that are copied; others are encoded as Opus
    ".mp4": ("aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"),
    ".mkv": ("aac", "ac3", "alac", "eac3", "flac", "mp2", "mp3", "opus", "pcm_s16le", "vorbis"),
    ".webm": ("opus", "vorbis"),
}
_OPUS_HZ = 48_000


class VideoWriter:
    """Encodes images with their stamps as presentation times.

    The video is VP9 unless H.264 is requested. Browsers play both; the encoder of VP9, libvpx, is under a BSD license,
    the one of H.264 in PyAV's wheel under the GPL. Needs PyAV: OpenCV's encoder of VP9 takes 30 times the processor
    time, gives all images the same duration, and writes no sound.

    Args:
        path: a file in an existing folder; its suffix, one of `VIDEO_SUFFIXES`, selects the container.
        waits: whether `write` waits while the encoder is four images behind; otherwise an image that comes while it is
            two seconds behind is dropped and counted, so that `write` never blocks.
        codec: one of `VIDEO_CODECS`; H.264 is not for WebM.
        sound_of: a video whose first sound track is written, too: copied where the container can hold it, else as
            Opus. Its first image is the first one that is written.

    Attributes:
        written: number of images encoded so far.
        dropped: number of images that did not fit into the queue, differ in size from the first one, or came after a
            failure.
        has_sound: whether a sound track is written; known after the first image.
    """

    def __init__(self, path: Path, *, waits: bool = False, codec: str = "vp9", sound_of: Path | None = None) -> None:
        self._path, self._waits, self._codec, self._sound_of = path, waits, codec, sound_of
        self._queue: queue.Queue[tuple[NDArray[np.uint8], int] | None] = queue.Queue(_SHORT_QUEUE if waits else _QUEUE)
        self._failure: Exception | None = None
        self._cancelled = False
        self.written = 0
        self.dropped = 0
        self.has_sound = False
        self._thread = threading.Thread(target=self._run, name="video-writer", daemon=True)
        self._thread.start()

    def write(self, image_bgr: NDArray[np.uint8], stamp_ns: int) -> None:
        """Queues an image, uint8 (H, W, 3); stamps have to increase.

        Raises:
            OSError: the writer waits and could not write earlier images.
        """
        while True:
            try:
                self._queue.put((image_bgr, stamp_ns), block=self._waits, timeout=_WAIT_S)
                break
            except queue.Full:
                if not self._waits:
                    self.dropped += 1
                    return
        if self._waits:
            self._raise_failure()

    def close(self) -> None:
        """Encodes the queued images and closes the file.

        Raises:
            OSError: the file could not be written.
        """
        self._queue.put(None)
        self._thread.join()
        self._raise_failure()

    def cancel(self) -> None:
        """Ends without the queued images; the file is not complete."""
        self._cancelled = True
        self._queue.put(None)
        self._thread.join()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            reason = getattr(self._failure, "strerror", None) or one_line(self._failure)
            number = getattr(self._failure, "errno", None) or errno.EIO
            raise OSError(number, f"not written to its end: {reason}", str(self._path)) from self._failure

    def _run(self) -> None:
        """Encodes until the end; after a failure it only empties the queue, so that nobody blocks."""
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
            name, options = _ENCODERS[self._codec]
            stream: Any = container.add_stream(name, options=options)
            height, width = first[0].shape[:2]
            if min(height, width) < _LEAST_SIDE:
                raise ValueError(f"images of {width}x{height} pixels are too small for a video")
            stream.width, stream.height, stream.pix_fmt = width - width % 2, height - height % 2, "yuv420p"
            stream.codec_context.time_base = _TIME_BASE
            with _SoundTrack(container, self._path.suffix.lower(), self._sound_of) as sound:
                self.has_sound = sound.found
                last_ms = -1
                for image_bgr, stamp_ns in itertools.chain([first], items):
                    if self._cancelled or image_bgr.shape != first[0].shape:
                        self.dropped += 1
                        continue
                    last_ms = max(last_ms + 1, (stamp_ns - first[1]) // 1_000_000)
                    frame = av.VideoFrame.from_ndarray(
                        np.ascontiguousarray(image_bgr[: stream.height, : stream.width]), format="bgr24"
                    )
                    frame.pts, frame.time_base = last_ms, _TIME_BASE
                    sound.write_until(last_ms / 1e3)
                    container.mux(stream.encode(frame))
                    self.written += 1
                container.mux(stream.encode())
                if not self._cancelled:
                    sound.write_until(None)


class _SoundTrack:
    """The first sound track of a video, written beside images as they come, so that both lie near in the file.

    Args:
        container: the output, to which a stream is added.
        suffix: of the output.
        path: the video; None, or one without sound, writes nothing.
    """

    def __init__(self, container: Any, suffix: str, path: Path | None) -> None:
        self._container = container
        self._input: Any = None
        self._stream: Any = None
        self._resampler: Any = None  # None copies the packets
        self._packets: Iterator[Any] = iter(())
        self._next: Any = None
        if path is None:
            return
        import av

        try:
            self._input = av.open(str(path), metadata_errors="ignore")
        except av.FFmpegError as e:
            _LOG.warning("%s: its sound cannot be read: %s", path.name, one_line(e))
            return
        if not self._input.streams.audio:
            return
        source = self._input.streams.audio[0]
        if source.codec_context.name in _SOUND_CODECS[suffix]:
            self._stream = container.add_stream_from_template(source)
        else:
            layout = "mono" if source.codec_context.layout.nb_channels == 1 else "stereo"
            self._stream = container.add_stream("libopus", rate=_OPUS_HZ, layout=layout)
            self._resampler = av.AudioResampler(format="s16", layout=layout, rate=_OPUS_HZ)
        self._start_s = _start_s(self._input.streams.video[0]) if self._input.streams.video else 0.0
        self._packets = iter(self._input.demux(source))

    def __enter__(self) -> "_SoundTrack":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._input is not None:
            self._input.close()

    @property
    def found(self) -> bool:
        """Whether there is a sound track."""
        return self._stream is not None

    def write_until(self, end_s: float | None) -> None:
        """Writes the sound up to a time after the first image; None writes all that is left."""
        while (packet := self._take(end_s)) is not None:
            self._write(packet)
        if end_s is None and self._resampler is not None:
            self._encode(None)

    def _take(self, end_s: float | None) -> Any:
        """Returns the next packet if it begins before a time, else None."""
        if self._next is None:
            self._next = next((packet for packet in self._packets if packet.dts is not None), None)
        if self._next is None:
            return None
        if end_s is not None and float(self._next.dts * self._next.time_base) - self._start_s > end_s:
            return None
        packet, self._next = self._next, None
        return packet

    def _write(self, packet: Any) -> None:
        shift = round(self._start_s / packet.time_base)
        if self._resampler is None:
            packet.dts -= shift
            if packet.pts is not None:
                packet.pts -= shift
            packet.stream = self._stream
            self._container.mux(packet)
            return
        for frame in _decoded(packet):
            if frame.pts is not None:
                frame.pts -= shift
            self._encode(frame)

    def _encode(self, frame: Any) -> None:
        """Encodes decoded sound; None encodes what is left."""
        for resampled in self._resampler.resample(frame):
            self._container.mux(self._stream.encode(resampled))
        if frame is None:
            self._container.mux(self._stream.encode(None))


def _decoded(packet: Any) -> list[Any]:
    """Returns the sound of a packet; nothing of a damaged one."""
    import av

    try:
        return list(packet.decode())
    except av.FFmpegError:
        return []


def _start_s(stream: Any) -> float:
    """Returns the presentation time of a stream's first image."""
    return 0.0 if stream.start_time is None else float(stream.start_time * stream.time_base)
