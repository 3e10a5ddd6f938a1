# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The newest image of a camera: made once for all viewers, and only when one of them asks for it."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from emotion_perception.core.errors import EmotionPerceptionError

_WANTED_S = 2.0


@dataclass(frozen=True)
class EncodedImage:
    """One image.

    Attributes:
        sequence: number of the image, increasing.
        stamp_ns: stamp of its image.
        jpeg: JPEG.
    """

    sequence: int
    stamp_ns: int
    jpeg: bytes


@dataclass(frozen=True, eq=False)
class _Making:
    sequence: int
    image: "asyncio.Future[EncodedImage | None]"


class NewestImage:
    """Holds the newest image; one that a newer one replaces before a viewer asks is never made.

    Every viewer asks for an image that is newer than its last one, so each has its own pace and none has a queue.

    Args:
        rate_hz: further images are ignored.
        executor: makes the images.
        keep_s: for how long images that were made are kept for `kept`.
        keep_bytes: how many bytes of them at most.
        clock_s: steady time in seconds.
    """

    def __init__(
        self,
        rate_hz: float,
        executor: Executor,
        *,
        keep_s: float = 0.0,
        keep_bytes: int = 0,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._period_s, self._executor, self._clock_s = 1 / rate_hz, executor, clock_s
        self._keep_s, self._keep_bytes = keep_s, keep_bytes
        self._lock = threading.Lock()  # the ROS thread offers and clears, a thread of the executor reads what is kept
        self._sequence, self._stamp_ns = 0, 0
        self._make: Callable[[], bytes] | None = None
        self._offered_s = self._asked_s = float("-inf")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._newer = asyncio.Event()
        self._making: _Making | None = None
        self._kept: deque[tuple[float, int, EncodedImage]] = deque()
        self._kept_bytes = 0
        self.made = 0
        self.problem = ""

    @property
    def is_wanted(self) -> bool:
        """Whether a viewer has asked in the last two seconds."""
        return self._clock_s() - self._asked_s < _WANTED_S

    def offer(self, make: Callable[[], bytes], stamp_ns: int) -> bool:
        """Replaces the newest image; may be called from any thread.

        Args:
            make: returns the JPEG; called in a thread of the executor, or never.
            stamp_ns: stamp of the image.

        Returns:
            Whether it was taken: more than `rate_hz` are not.
        """
        now_s = self._clock_s()
        with self._lock:
            if now_s - self._offered_s < 0.9 * self._period_s:
                return False
            self._sequence, self._make, self._stamp_ns, self._offered_s = self._sequence + 1, make, stamp_ns, now_s
            loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._newer.set)
        return True

    async def newer_than(self, sequence: int, timeout_s: float) -> EncodedImage | None:
        """Returns the newest image as soon as it is newer than `sequence`; None after the timeout."""
        self._loop = asyncio.get_running_loop()
        deadline_s = self._clock_s() + timeout_s
        while True:
            self._asked_s = self._clock_s()
            if self._sequence != sequence and self._make is not None and (image := await self._made()):
                return image
            left_s = deadline_s - self._clock_s()
            if left_s <= 0:
                return None
            self._newer.clear()
            try:
                await asyncio.wait_for(self._newer.wait(), min(left_s, _WANTED_S / 2))
            except asyncio.TimeoutError:  # in Python 3.10 not the built-in one
                continue

    def clear(self) -> None:
        """Forgets the newest image, so that nobody takes an old one for the present one.

        To be called several times a second while no image is wanted: what is kept for `kept` ends then too.
        """
        with self._lock:
            self._make, self._making = None, None
            self._forget()

    def kept(self) -> list[tuple[int, EncodedImage]]:
        """Returns the images of the last `keep_s` seconds with the wall time in ns at which each was made."""
        with self._lock:
            self._forget()
            return [(wall_ns, image) for _, wall_ns, image in self._kept]

    async def _made(self) -> EncodedImage | None:
        """Returns the newest image; the first caller has it made, the others wait for that.

        One image is made at a time: where that is slower than images come, those between are never made.
        """
        before = self._making
        if before is not None and before.sequence != self._sequence and not before.image.done():
            await asyncio.wait([before.image])
        with self._lock:
            making, sequence, make, stamp_ns = self._making, self._sequence, self._make, self._stamp_ns
            if make is None:
                return None
            if making is None or (making is before and making.sequence != sequence):
                image = asyncio.ensure_future(self._run(sequence, make, stamp_ns))
                making = self._making = _Making(sequence, image)
        return await asyncio.shield(making.image)

    async def _run(self, sequence: int, make: Callable[[], bytes], stamp_ns: int) -> EncodedImage | None:
        try:
            jpeg = await asyncio.get_running_loop().run_in_executor(self._executor, make)
        except EmotionPerceptionError as e:
            self.problem = str(e)
            return None
        self.problem = ""
        self.made += 1
        image = EncodedImage(sequence, stamp_ns, jpeg)
        if self._keep_s:
            with self._lock:
                self._kept.append((self._clock_s(), time.time_ns(), image))
                self._kept_bytes += len(jpeg)
                self._forget()
        return image

    def _forget(self) -> None:
        """Forgets what is too old or too much; the caller holds the lock."""
        oldest_s = self._clock_s() - self._keep_s
        while self._kept and (self._kept[0][0] < oldest_s or self._kept_bytes > self._keep_bytes):
            self._kept_bytes -= len(self._kept.popleft()[2].jpeg)
