# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A source without hardware: a photograph of a face, filmed by a moving camera in changing light."""

import math
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.camera.options import CameraOptions
from emotion_perception.core.camera.source import FrameSource, nominal_rate_or_default_hz
from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.regular_files import opencv_name
from emotion_perception.core.types import Frame

_DEFAULT_WH = (640, 480)
_FACE_XY = (224.0, 118.0)  # middle of the face in the photograph, pixels
_PERIOD_S = 12.0  # the whole movement; its parts divide it, so it has no seam
_NOISE_SEED, _NOISE_DEVIATION = 20, 3.0


@dataclass(frozen=True)
class View:
    """Pose of the simulated camera and the light at one moment.

    Attributes:
        center_xy: middle of the view, in pixels of the photograph.
        height: of the view, in pixels of the photograph.
        angle_deg: rotation of the camera, counterclockwise.
        gain: brightness relative to the photograph.
        blur_px: standard deviation of the blur, in pixels of a frame that is 480 pixels high.
    """

    center_xy: tuple[float, float]
    height: float
    angle_deg: float
    gain: float
    blur_px: float


class SyntheticSource(FrameSource):
    """scikit-image's `astronaut` (NASA, public domain) moved, scaled, lit and blurred; the same frames every time.

    Raises:
        ModelFileError: the photograph is missing; the message names the command that fetches it.
    """

    is_live = False

    def __init__(self, options: CameraOptions, photograph: Path | None = None) -> None:
        path = resolve_model_file("astronaut") if photograph is None else photograph
        image = cv2.imread(opencv_name(path), cv2.IMREAD_COLOR)
        if image is None:
            raise ModelFileError(f"{path}: not an image that OpenCV can read")
        self._photograph = np.asarray(image, np.uint8)
        self.rate_hz = nominal_rate_or_default_hz(options.framerate, 0)
        self._wh = options.image_width or _DEFAULT_WH[0], options.image_height or _DEFAULT_WH[1]
        self._noise = _noise(self._wh)
        self._index = 0
        self._closed = False

    def read(self) -> Frame | None:
        """Returns the next image at once; the source has no end."""
        if self._closed:
            return None
        image_bgr = render(self._photograph, view_at(self._index / self.rate_hz), self._wh)
        noise = np.roll(self._noise, (self._index * 37) % self._noise.shape[0], axis=0)
        self._index += 1
        return Frame(cv2.add(image_bgr, noise, dtype=cv2.CV_8U), time.monotonic())  # type: ignore[arg-type]

    def close(self) -> None:
        """Ends the source."""
        self._closed = True


def view_at(time_s: float) -> View:
    """Returns the view at a moment of the movement, which repeats every 12 s."""
    turn = 2 * math.pi * time_s / _PERIOD_S
    center_xy = _FACE_XY[0] + 55 * math.sin(2 * turn), _FACE_XY[1] + 30 + 28 * math.sin(3 * turn + 1)
    return View(
        center_xy=center_xy,
        height=300 + 75 * math.sin(turn),
        angle_deg=5 * math.sin(3 * turn),
        gain=0.95 + 0.25 * math.sin(2 * turn + 0.5),
        blur_px=max(0.0, 1.4 * math.sin(5 * turn)),
    )


def render(photograph: NDArray[np.uint8], view: View, wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Renders the image of a view.

    The view is kept inside the photograph as far as it fits; beyond it, its border pixels repeat.

    Args:
        photograph: uint8 (H, W, 3), BGR.
        view: pose of the camera and the light.
        wh: width and height of the image in pixels.

    Returns:
        uint8 (height, width, 3), BGR.
    """
    width, height = wh
    scale = height / view.height
    center = [
        _kept_inside(middle, size / scale / 2, limit)
        for middle, size, limit in zip(view.center_xy, wh, (photograph.shape[1], photograph.shape[0]), strict=True)
    ]
    matrix = cv2.getRotationMatrix2D((center[0], center[1]), view.angle_deg, scale)
    matrix[0, 2] += width / 2 - center[0]
    matrix[1, 2] += height / 2 - center[1]
    image = cv2.warpAffine(photograph, matrix, wh, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if view.blur_px > 0.3:
        image = cv2.GaussianBlur(image, (0, 0), view.blur_px * height / 480)
    return cv2.convertScaleAbs(image, alpha=view.gain)  # type: ignore[return-value]


def _kept_inside(middle: float, half: float, limit: int) -> float:
    return limit / 2 if 2 * half >= limit else min(max(middle, half), limit - half)


def _noise(wh: tuple[int, int]) -> NDArray[np.int16]:
    """Returns sensor noise, int16 (H, W, 3); each frame shifts it, which is cheaper than new noise."""
    rng = np.random.default_rng(_NOISE_SEED)
    return rng.normal(0, _NOISE_DEVIATION, (wh[1], wh[0], 3)).astype(np.int16)
