# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The last 30 s of what the page has shown, as a recording."""

import contextlib
import tempfile
import threading
import time
import zipfile
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from emotion_perception.bags.io.messages import typestore
from emotion_perception.core.errors import RecordingError
from emotion_perception.core.images import JPEG_FORMAT
from emotion_perception.ros.transport.bag_writer import BagWriter
from emotion_perception.ros.transport.message_types import add_definition
from emotion_perception.web.newest_image import EncodedImage, NewestImage

KEEP_S = 30.0
KEEP_IMAGE_BYTES = 128 * 2**20
_KEEP_MESSAGE_BYTES = 32 * 2**20
_CLOSE_S = 20.0
_IMAGE = "sensor_msgs/msg/CompressedImage"


class LastSeconds:
    """Keeps the messages of the last 30 s, at most 32 MiB, and writes them with the images that pages have shown.

    The images are those images, under `image_overlay/compressed`: a recording has no image that nobody could see.

    Args:
        images: of each camera, with the full name of its overlay topic.
        enabled: whether messages are kept.
    """

    def __init__(self, images: Sequence[tuple[str, NewestImage]], *, enabled: bool) -> None:
        self._images, self._enabled = images, enabled
        self._lock = threading.Lock()
        self._kept: deque[tuple[float, int, str, str, bytes]] = deque()
        self._bytes = 0

    def add(self, topic: str, kind: str, raw: bytes) -> None:
        """Keeps a message.

        Args:
            topic: full name.
            kind: type.
            raw: serialized.
        """
        if not self._enabled:
            return
        with self._lock:
            now_s = time.monotonic()
            self._kept.append((now_s, time.time_ns(), topic, kind, raw))
            self._bytes += len(raw)
            while self._kept[0][0] < now_s - KEEP_S or self._bytes > _KEEP_MESSAGE_BYTES:
                self._bytes -= len(self._kept.popleft()[4])

    def last_seconds(self, camera: int) -> BinaryIO:
        """Returns a ZIP archive with a rosbag2 folder of one camera's images and all messages.

        It is a file without a name, which is gone when the caller closes it.

        Raises:
            RecordingError: there is nothing yet, or it cannot be written.
        """
        topic, images = self._images[camera]
        with self._lock:
            messages = [(at_ns, name, kind, raw) for _, at_ns, name, kind, raw in self._kept]
        messages += [(at_ns, f"{topic}/compressed", _IMAGE, _message(image)) for at_ns, image in images.kept()]
        if not messages:
            raise RecordingError("nothing has come in the last 30 s")
        with tempfile.TemporaryDirectory(prefix="emotion_perception_") as folder:
            path = Path(folder, "last30s")
            _write(path, sorted(messages, key=lambda message: message[0]))
            with contextlib.ExitStack() as stack:
                archive = cast("BinaryIO", stack.enter_context(tempfile.TemporaryFile()))
                with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
                    for part in sorted(path.iterdir()):
                        file.write(part, f"last30s/{part.name}")
                archive.seek(0)
                stack.pop_all()
                return archive


def _write(path: Path, messages: Sequence[tuple[int, str, str, bytes]]) -> None:
    writer = BagWriter(path, "mcap", KEEP_IMAGE_BYTES + 2 * _KEEP_MESSAGE_BYTES)
    for topic, kind in dict.fromkeys((topic, kind) for _, topic, kind, _ in messages):
        if not add_definition(typestore(), kind):
            raise RecordingError(f"the definition of {kind} is not installed")
        writer.announce(topic, kind, [])
    for at_ns, topic, _, raw in messages:
        writer.write(topic, at_ns, raw)
    writer.close(_CLOSE_S)
    if writer.fault:
        raise RecordingError(writer.fault)


def _message(image: EncodedImage) -> bytes:
    message = CompressedImage(header=Header(), format=JPEG_FORMAT)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(image.stamp_ns, 1_000_000_000)
    message.data.frombytes(image.jpeg)
    return bytes(serialize_message(message))
