# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The inputs of one camera of the page: its overlay while somebody looks, and its emotions."""

import struct
import threading
import time
from collections.abc import Callable
from functools import partial

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from emotion_perception.core.camera import RateMeter
from emotion_perception.core.errors import ImageError, RegionError, one_line
from emotion_perception.core.images import bgr_to_jpeg
from emotion_perception.core.images.image_codec import MAX_COMPRESSED_BYTES
from emotion_perception.core.message_adapters import MAX_RESULT_BYTES
from emotion_perception.core.rendering import FaceAnonymizer, OverlayOptions, draw_overlay
from emotion_perception.core.sync import ImageResultSync
from emotion_perception.ros.conversions import EmotionArray, emotions_from_msg
from emotion_perception.ros.transport.image_messages import image_to_bgr
from emotion_perception.web.state import CameraState

_PERIOD_S = 0.1  # between two messages of emotions that are read, which is more often than a page changes
_WAIT_S, _WAITING = 0.5, 8  # how long an image waits for its emotions, and how many images
_RATE_WINDOW_S = 5.0
_MAX_IMAGE_BYTES = 256 * 2**20
_JPEG = b"\xff\xd8\xff"
_NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_RESULTS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Best effort: no publisher waits for a viewer, however slow it is."""


class CameraInputs:
    """Subscribes to the emotions of a camera, and to its images while a page shows them.

    Nothing is converted here but what a page has asked for: an image that nobody asks for stays bytes.

    Args:
        node: the subscriber.
        camera: gets what has arrived.
        images: full name of the topic of the overlay, or where faces are hidden of the raw images.
        emotions: full name of the topic of the emotions.
        transport: `raw` or `compressed`.
        quality: JPEG quality of the images.
        anonymize: `none` shows the overlay as it comes; otherwise it is drawn here, on images whose faces are hidden.
        record: gets each message of emotions, serialized.

    Attributes:
        rate: of the emotions.
        age_ms: of the newest emotions when they were published.
        dropped: frames that the detection has dropped, as the newest emotions say.
    """

    def __init__(
        self,
        node: Node,
        camera: CameraState,
        images: str,
        emotions: str,
        *,
        transport: str,
        quality: int,
        anonymize: str,
        record: Callable[[bytes], None],
    ) -> None:
        self._node, self._camera, self._quality, self._record = node, camera, quality, record
        self._compressed = transport == "compressed"
        self._images_topic = f"{images}/compressed" if self._compressed else images
        self._hidden = HiddenFaces(anonymize, quality) if anonymize != "none" else None
        self._sync: ImageResultSync[bytes, bytes] = ImageResultSync(_WAITING, size_of=len)
        self._images: Subscription | None = None
        self._read_s = float("-inf")
        self.rate, self.age_ms, self.dropped = RateMeter(_RATE_WINDOW_S), float("nan"), 0
        node.create_subscription(EmotionArray, emotions, self._on_emotions, _RESULTS, raw=True)

    def check(self) -> None:
        """Subscribes to the images if a page shows them, else ends that; to be called several times a second."""
        if self._camera.image.is_wanted and self._images is None:
            kind = CompressedImage if self._compressed else Image
            self._images = self._node.create_subscription(kind, self._images_topic, self._on_image, _NEWEST, raw=True)
        elif not self._camera.image.is_wanted:
            if self._images is not None:
                self._node.destroy_subscription(self._images)
                self._images = None
                self._sync.clear()
            self._camera.image.clear()
        if self._hidden is not None:
            self._offer_hidden(self._sync.expire(time.monotonic(), _WAIT_S))

    def _on_image(self, raw: bytes) -> None:
        if len(raw) > (MAX_COMPRESSED_BYTES if self._compressed else _MAX_IMAGE_BYTES):
            return
        stamp_ns = stamp_of(raw)
        if self._hidden is None:
            self._camera.image.offer(partial(jpeg_of, raw, self._compressed, self._quality), stamp_ns)
        else:
            self._offer_hidden(self._sync.add_image(stamp_ns, raw, time.monotonic()))

    def _on_emotions(self, raw: bytes) -> None:
        if len(raw) > MAX_RESULT_BYTES:
            return
        now_s = time.monotonic()
        self.rate.add(now_s)
        self._record(raw)
        if self._hidden is not None and self._images is not None:
            self._offer_hidden(self._sync.add_result(stamp_of(raw), raw, now_s))
        if now_s - self._read_s < _PERIOD_S:
            return
        self._read_s = now_s
        message = deserialize_message(raw, EmotionArray)
        self.age_ms, self.dropped = float(message.age_ms), int(message.frames_dropped)
        if message.status == EmotionArray.OK:
            stamp_s = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
            self._camera.tracks.update(emotions_from_msg(message), list(message.labels), stamp_s)

    def _offer_hidden(self, pairs: list[tuple[bytes, bytes | None]]) -> None:
        for image, emotions in pairs[-1:]:
            hidden = self._hidden
            assert hidden is not None
            self._camera.image.offer(partial(hidden.jpeg, image, self._compressed, emotions), stamp_of(image))


class HiddenFaces:
    """Draws the overlay on images whose faces are hidden.

    Args:
        mode: how they are hidden.
        quality: JPEG quality.
    """

    def __init__(self, mode: str, quality: int) -> None:
        self._mode, self._quality = mode, quality
        self._anonymizer = FaceAnonymizer()
        self._lock = threading.Lock()

    def jpeg(self, image: bytes, compressed: bool, emotions: bytes | None) -> bytes:
        """Returns the overlay as JPEG; an image whose faces are not all known is hidden as a whole.

        Args:
            image: serialized message.
            compressed: whether it is a CompressedImage.
            emotions: serialized EmotionArray of that image, or None.

        Raises:
            ImageError: the image cannot be converted.
        """
        image_bgr = image_to_bgr(_image_message(image, compressed))
        found, labels, is_complete = _read_emotions(emotions)
        faces = [emotion.face for emotion in found] if is_complete else None
        with self._lock:
            hidden = self._anonymizer.hide(image_bgr, faces, stamp_of(image) * 1e-9, self._mode)
        return bgr_to_jpeg(draw_overlay(hidden, found, labels, OverlayOptions()), self._quality)


def _read_emotions(raw: bytes | None) -> tuple[list, tuple[str, ...], bool]:  # type: ignore[type-arg]
    """Returns emotions, labels, and whether these are all faces of the image."""
    if raw is None:
        return [], (), False
    try:
        message = deserialize_message(raw, EmotionArray)
        emotions = emotions_from_msg(message)
    except (RegionError, RuntimeError, ValueError):
        return [], (), False
    is_complete = message.status == EmotionArray.OK and not message.faces_omitted
    return emotions, tuple(message.labels), is_complete


def jpeg_of(raw: bytes, compressed: bool, quality: int) -> bytes:
    """Returns the image of a serialized message as JPEG; one that is a JPEG stays as it is.

    Raises:
        ImageError: it cannot be converted.
    """
    message = _image_message(raw, compressed)
    if compressed and bytes(message.data[:3]) == _JPEG:
        return bytes(message.data)
    return bgr_to_jpeg(image_to_bgr(message), quality)


def stamp_of(raw: bytes) -> int:
    """Returns the stamp in nanoseconds of a serialized message that begins with a header; 0 if it is too short."""
    if len(raw) < 12:
        return 0
    seconds, nanoseconds = struct.unpack_from("<iI" if raw[1] else ">iI", raw, 4)
    return int(seconds * 1_000_000_000 + nanoseconds)


def _image_message(raw: bytes, compressed: bool) -> Image | CompressedImage:
    """Returns a message of its bytes; raises ImageError for bytes that are none."""
    try:
        return deserialize_message(raw, CompressedImage if compressed else Image)
    except Exception as e:
        raise ImageError(f"an image message cannot be read: {one_line(e)}") from e
