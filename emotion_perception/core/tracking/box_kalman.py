# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A Kalman filter of constant velocity for the box of one face, in stamp time."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.types import Box

# A detector's box jitters by a twentieth of its side, a new face moves at up to about one side per second
# and grows at up to a third of that, and speeds change slowly: so faces that cross keep their tracks.
_JITTER = 0.05  # sides, standard deviation of the measurement
_FIRST_SPEED = np.array((1.0, 1.0, 0.3, 0.3))  # sides/s: of x and y of the center, of width and height
_ACCELERATION = np.array((0.5, 0.5, 0.2, 0.2))  # sides/s^1.5, root of the spectral density of the acceleration
_OF_POSITION, _OF_BOTH, _OF_VELOCITY = (  # (8, 8) each, parts of the process noise for a side of 1
    np.kron(part, np.diag(_ACCELERATION**2)) for part in ([[1, 0], [0, 0]], [[0, 1], [1, 0]], [[0, 0], [0, 1]])
)
_MAX_GROWTH = 2.0  # maximum ratio of a predicted side and the last measured one, and of its inverse


class BoxKalmanFilter:
    """Predicts the next box of a track; created from the first one.

    The state is the center, width and height in pixels and their velocities in pixels per second. The acceleration is
    white noise (Bar-Shalom, Li and Kirubarajan 2001, "Estimation with Applications to Tracking and Navigation", 6.2),
    so that a step of any length can be divided into shorter ones: the filter behaves the same at 10 and at 30 Hz. All
    noise is relative to the size of the box, because a near face moves by more pixels than a far one.
    """

    def __init__(self, box: Box) -> None:
        self._last = box
        self._filter = cv2.KalmanFilter(8, 4, 0, cv2.CV_64F)
        self._filter.measurementMatrix = np.eye(4, 8)
        self._filter.statePost = np.vstack((_measurement(box), np.zeros((4, 1))))
        deviations = np.concatenate((np.full(4, _JITTER), _FIRST_SPEED)) * _side(box)
        self._filter.errorCovPost = np.diag(deviations**2)

    @property
    def xyxy(self) -> NDArray[np.float64]:
        """The current estimate: float64 (4), x_min, y_min, x_max, y_max in pixels."""
        x, y, width, height = self._filter.statePost[:4, 0].tolist()
        half_width, half_height = _limited(width, self._last.width) / 2, _limited(height, self._last.height) / 2
        return np.array((x - half_width, y - half_height, x + half_width, y + half_height))

    def advance(self, step_s: float) -> None:
        """Predicts the box `step_s` seconds later, 0 or more."""
        if step_s <= 0:
            return
        self._filter.transitionMatrix = np.eye(8) + step_s * np.eye(8, k=4)
        noise = step_s**3 / 3 * _OF_POSITION + step_s**2 / 2 * _OF_BOTH + step_s * _OF_VELOCITY
        self._filter.processNoiseCov = noise * self._last.area
        self._filter.predict()

    def correct(self, box: Box) -> None:
        """Updates the estimate with a detection."""
        self._last = box
        self._filter.measurementNoiseCov = np.eye(4) * (_JITTER * _side(box)) ** 2
        self._filter.correct(_measurement(box))


def _measurement(box: Box) -> NDArray[np.float64]:
    return np.array((*box.center_xy, box.width, box.height), np.float64)[:, np.newaxis]


def _limited(length: float, last: float) -> float:
    """Returns a predicted width or height, within `_MAX_GROWTH` of the last measured one."""
    return min(max(length, last / _MAX_GROWTH), last * _MAX_GROWTH)


def _side(box: Box) -> float:
    """Returns the side of the square with the area of the box, in pixels."""
    return math.sqrt(box.area)
