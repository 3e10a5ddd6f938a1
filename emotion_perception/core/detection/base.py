# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The base of all face detectors: working size, mapping to the source image, non-maximum suppression."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ImageError, ModelFileError
from emotion_perception.core.images import clip_box
from emotion_perception.core.inference import run_session
from emotion_perception.core.types import Box, Face, Landmarks, Point

if TYPE_CHECKING:
    import onnxruntime

    from emotion_perception.core.inference.onnx_session import Shape

MAX_DETECTIONS = 1024
"""Maximum number of faces that a detector returns, best scores first."""

_WARM_UPS, _WARM_UP_HW = 2, (480, 640)
_LARGEST_WORKING_SIDE = 4096
_LARGEST_COORDINATE = 1e6  # pixels
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Raw detections in the working image of a detector, in any order.

    Attributes:
        xyxy: float (N, 4), x_min, y_min, x_max, y_max in pixels of the working image; may reach beyond it.
        scores: float (N), 0..1.
        landmarks_xy: float (N, 5, 2) in the order of `Landmarks`; NaN if the detector has none.
    """

    xyxy: NDArray[np.floating]
    scores: NDArray[np.floating]
    landmarks_xy: NDArray[np.floating]

    @classmethod
    def none(cls) -> "Candidates":
        """Returns the candidates of an image without a face."""
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 5, 2), np.float32))


class FaceDetector(ABC):
    """Detects faces in one image. A subclass implements `detect_candidates` on the working image.

    Attributes:
        name: the value of the option `detector` that selects it.
        thread_safe: whether several threads may use an instance at the same time.
    """

    name: ClassVar[str]
    thread_safe: ClassVar[bool] = False

    def __init__(self, options: DetectorOptions) -> None:
        self._detection_size = options.detection_size

    def detect(self, image_bgr: NDArray[np.uint8]) -> list[Face]:
        """Returns the faces above the detector's own minimum score, best first, without track id.

        Args:
            image_bgr: uint8 (H, W, 3).

        Returns:
            Faces with regions in source pixels, inside the image, at most `MAX_DETECTIONS`. `select_faces` applies the
            thresholds.

        Raises:
            ImageError: the image is empty or not uint8 (H, W, 3).
        """
        _check(image_bgr)
        size = self._detection_size or min(max(image_bgr.shape), _LARGEST_WORKING_SIDE)
        working = with_longer_side(image_bgr, size)
        return faces_of(self.detect_candidates(working), _wh(working), _wh(image_bgr))

    def detect_region(self, image_bgr: NDArray[np.uint8], region: Box, size: int) -> list[Face]:
        """Returns the faces in a part of an image, best first; those that reach beyond the part are cut there.

        Args:
            image_bgr: uint8 (H, W, 3).
            region: the part, inside the image.
            size: longer side in pixels to which the part is scaled for the detector, instead of `detection_size`.

        Returns:
            Faces as of `detect`, with regions in pixels of the whole image.

        Raises:
            ImageError: as of `detect`.
        """
        _check(image_bgr)
        part = image_bgr[region.y_min : region.y_max, region.x_min : region.x_max]
        working = with_longer_side(part, size)
        candidates = self.detect_candidates(working)
        return [_shifted(face, region.x_min, region.y_min) for face in faces_of(candidates, _wh(working), _wh(part))]

    def warm_up(self) -> None:
        """Searches gray images: the first ones take twice as long, because a network's memory grows with them."""
        for _ in range(_WARM_UPS):
            self.detect(np.full((*_WARM_UP_HW, 3), 128, np.uint8))

    @abstractmethod
    def detect_candidates(self, image_bgr: NDArray[np.uint8]) -> Candidates:
        """Detects faces in the working image, uint8 (h, w, 3); coordinates are its pixels."""


def with_longer_side(image: NDArray[np.uint8], longer_side: int) -> NDArray[np.uint8]:
    """Scales an image so that its longer side has that many pixels; 0 keeps it.

    It is halved as long as it is large enough for that, and then scaled linearly, which takes a sixth of the time of
    the mean over areas.

    Args:
        image: uint8 (H, W, C).
        longer_side: in pixels.
    """
    width, height = _wh(image)
    scale = longer_side / max(width, height)
    if longer_side == 0 or scale == 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    while 2 * size[0] <= image.shape[1] and 2 * size[1] <= image.shape[0]:  # INTER_AREA is slow but for exact halves
        even = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
        image = cv2.resize(even, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if _wh(image) == size:
        return image
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def padded_blob(image_bgr: NDArray[np.uint8], multiple: int, *, rgb: bool) -> NDArray[np.float32]:
    """Returns float32 (1, 3, H, W), 0..255, padded at the right and bottom with black to a multiple of some pixels.

    Args:
        image_bgr: uint8 (h, w, 3).
        multiple: what H and W are multiples of.
        rgb: the order of the channels, otherwise BGR.
    """
    height, width = image_bgr.shape[:2]
    blob = np.zeros((1, 3, height + -height % multiple, width + -width % multiple), np.float32)
    channels = cv2.split(image_bgr)  # cv2.dnn.blobFromImage takes twenty times as long
    blob[0, :, :height, :width] = channels[::-1] if rgb else channels
    return blob


def faces_of(candidates: Candidates, working_wh: tuple[int, int], source_wh: tuple[int, int]) -> list[Face]:
    """Maps the best candidates to the source image, best score first; those outside the image are dropped.

    Args:
        candidates: in pixels of the working image.
        working_wh: width and height of the working image.
        source_wh: width and height of the source image.
    """
    scale_xy = np.divide(source_wh, working_wh)
    xyxy = candidates.xyxy * np.tile(scale_xy, 2)
    landmarks_xy = candidates.landmarks_xy * scale_xy
    faces = []
    for index in np.argsort(-candidates.scores, kind="stable")[:MAX_DETECTIONS]:
        if (box := clip_box(xyxy[index].tolist(), source_wh)) is not None:
            points = (Point(x, y) for x, y in landmarks_xy[index].tolist())
            score = float(np.clip(candidates.scores[index], 0, 1))
            faces.append(Face(box=box, score=score, landmarks=Landmarks(*points)))
    return faces


def run_network(
    path: Path, session: "onnxruntime.InferenceSession", inputs: Mapping[str, Floats], shapes: "Mapping[str, Shape]"
) -> list[Floats]:
    """Runs a network of a detector; arguments and results as of `run_session`.

    Raises:
        ModelFileError: as of `run_session`, or an output is not finite.
    """
    outputs = run_session(path, session, inputs, shapes)
    if not all(np.isfinite(output).all() for output in outputs):
        raise ModelFileError(f"{path}: the network's outputs are not finite")
    return outputs


def bounded_px(coordinates: NDArray[np.floating]) -> NDArray[np.floating]:
    """Returns coordinates or sizes in pixels, limited to a million: a network's finite output may be decoded to inf."""
    return np.clip(coordinates, -_LARGEST_COORDINATE, _LARGEST_COORDINATE)


def non_maximum_suppression(
    xyxy: NDArray[np.floating], scores: NDArray[np.floating], threshold: float, *, over_smaller: bool = False
) -> NDArray[np.intp]:
    """Selects the box with the highest score among boxes that overlap.

    Args:
        xyxy: float (N, 4), x_min, y_min, x_max, y_max.
        scores: float (N).
        threshold: maximum overlap of two boxes that are kept, 0..1.
        over_smaller: divides the intersection by the area of the smaller box instead of by the union.

    Returns:
        Indices of the kept boxes, best first.
    """
    areas = np.prod(np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0), axis=1)
    order = np.argsort(-scores, kind="stable")
    kept = []
    while order.size:
        best, others = order[0], order[1:]
        kept.append(best)
        low, high = np.maximum(xyxy[best, :2], xyxy[others, :2]), np.minimum(xyxy[best, 2:], xyxy[others, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        base = np.minimum(areas[best], areas[others]) if over_smaller else areas[best] + areas[others] - shared
        order = others[shared <= threshold * base]
    return np.array(kept, np.intp)


def _check(image_bgr: NDArray[np.uint8]) -> None:
    if image_bgr.dtype != np.uint8 or image_bgr.ndim != 3 or image_bgr.shape[2] != 3 or image_bgr.size == 0:
        raise ImageError(f"a detector needs uint8 of shape (H, W, 3), not {image_bgr.dtype} {image_bgr.shape}")


def _shifted(face: Face, x: int, y: int) -> Face:
    box = face.box
    moved = Box(box.x_min + x, box.y_min + y, box.x_max + x, box.y_max + y)
    points = (Point(point.x + x, point.y + y) for point in face.landmarks)
    return replace(face, box=moved, landmarks=Landmarks(*points))


def _wh(image: NDArray[np.uint8]) -> tuple[int, int]:
    return image.shape[1], image.shape[0]
