# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Images of a recording for the player of its report: small, evenly spaced, and bounded in number and size."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.inference.frame_result import PROCESSED, FrameResult
from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.report.timeline import Timeline
from emotion_perception.core.images import bgr_to_jpeg, clip_box, largest
from emotion_perception.core.rendering import MAX_LABELED_FACES, FaceAnonymizer, label_color, text_color
from emotion_perception.core.rendering.overlay import captions
from emotion_perception.core.rendering.overlay_layout import Layout, Rectangle
from emotion_perception.core.types import FaceEmotion

MAX_FRAMES = 900
MAX_BYTES = 9 << 20  # of all images; a third more in the page, as Base64
_FIRST_STEP_NS = NS // 10
_SIDE = 320  # pixels of the longer side of an image
_QUALITY = 60
_TAG_ROWS = 26  # height of a tag: so many would fill the longer side
_LETTER = 0.42  # width of a letter in heights of a tag


@dataclass(frozen=True, eq=False)
class PlayerFrame:
    """One image of the player.

    Attributes:
        stamp_ns: stamp of the image.
        jpeg: the image, 320 pixels along its longer side, anonymized if requested.
        size: width and height of the source image, in whose pixels the regions of faces are.
        emotions: of its largest faces, at most 32.
    """

    stamp_ns: int
    jpeg: bytes
    size: tuple[int, int]
    emotions: tuple[FaceEmotion, ...]


class PlayerFrames:
    """Keeps images of the processed frames of a recording, ten a second at most.

    Where they become more than `MAX_FRAMES` or larger than `MAX_BYTES` together, the time between them is doubled, as
    often as necessary.

    Args:
        mode: how faces are hidden, see `FaceAnonymizer`; `none` leaves them visible.
    """

    def __init__(self, mode: str = "none") -> None:
        self._mode, self._anonymizer = mode, FaceAnonymizer()
        self._step_ns = _FIRST_STEP_NS
        self._kept: dict[int, PlayerFrame] = {}
        self._bytes = 0

    @property
    def frames(self) -> list[PlayerFrame]:
        """The kept images in the order of their stamps."""
        return sorted(self._kept.values(), key=lambda frame: frame.stamp_ns)

    def add(self, result: FrameResult) -> None:
        """Keeps the image of a frame if none is kept for its time yet."""
        if result.status != PROCESSED or result.image_bgr is None:
            return
        image = result.image_bgr
        if self._mode != "none":  # every frame, also those that are not kept: a missed face stays hidden for a second
            faces = [emotion.face for emotion in result.emotions]
            image = self._anonymizer.hide(image, faces, result.stamp_ns / NS, self._mode)
        slot = result.stamp_ns // self._step_ns
        if slot in self._kept:
            return
        jpeg = bgr_to_jpeg(_shrunk(image), _QUALITY)
        emotions = tuple(largest(result.emotions, MAX_LABELED_FACES, lambda emotion: emotion.face.box))
        self._kept[slot] = PlayerFrame(result.stamp_ns, jpeg, (image.shape[1], image.shape[0]), emotions)
        self._bytes += len(jpeg)
        while (len(self._kept) > MAX_FRAMES or self._bytes > MAX_BYTES) and len(self._kept) > 1:
            self._double_step()

    def _double_step(self) -> None:
        self._step_ns *= 2
        kept: dict[int, PlayerFrame] = {}
        for frame in self.frames:
            kept.setdefault(frame.stamp_ns // self._step_ns, frame)
        self._kept, self._bytes = kept, sum(len(frame.jpeg) for frame in kept.values())


def player_data(frames: Sequence[PlayerFrame], timeline: Timeline, first_stamp_ns: int) -> Mapping[str, Any]:
    """Returns what the script of the page reads.

    Args:
        frames: in the order of their stamps.
        timeline: begins at time 0 of the data.
        first_stamp_ns: stamp of the first image, at time 0 of what is shown.
    """
    start_ns = timeline.start_ns
    return {
        "seconds": timeline.seconds,
        "offset": round((start_ns - first_stamp_ns) / NS, 3),
        "times": [round((frame.stamp_ns - start_ns) / NS, 3) for frame in frames],
        "sizes": [frame.size for frame in frames],
        "images": [base64.b64encode(frame.jpeg).decode("ascii") for frame in frames],
        "faces": [_faces_data(frame) for frame in frames],
    }


def _faces_data(frame: PlayerFrame) -> list[dict[str, Any]]:
    """Returns box, colors and text of each face in the image, and its tag, if there is room: text and place."""
    clipped = [(emotion, clip_box(emotion.face.box.xyxy, frame.size)) for emotion in frame.emotions]
    visible = [(emotion, box) for emotion, box in clipped if box is not None]
    layout = Layout([Rectangle.of_box(box) for _, box in visible], frame.size)
    height = max(8, round(max(frame.size) / _TAG_ROWS))
    faces = []
    for index, (emotion, box) in enumerate(visible):
        color, texts = label_color(emotion.label, uncertain=emotion.uncertain), captions(emotion)
        placed = layout.place_tag(index, [(round(height * (_LETTER * len(text) + 0.5)), height) for text in texts])
        faces.append(
            {
                "box": [box.x_min, box.y_min, box.width, box.height],
                "color": color,
                "ink": text_color(color),
                "text": texts[0],
                "tag": None if placed is None else _tag_data(texts[placed[0]], placed[1]),
            }
        )
    return faces


def _tag_data(text: str, place: Rectangle) -> dict[str, Any]:
    return {"text": text, "at": [place.left, place.top, place.right - place.left, place.bottom - place.top]}


def _shrunk(image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns an image of at most 320 pixels along its longer side, and at least one along the other."""
    height, width = image_bgr.shape[:2]
    scale = min(1.0, _SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
