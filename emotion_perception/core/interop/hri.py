# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Builds the messages of ROS4HRI (REP-155) that describe a face: region, landmarks, expression."""

from collections.abc import Sequence
from typing import Any

from emotion_perception.core.message_adapters import TypeLookup
from emotion_perception.core.types import Face, FaceEmotion, Point

_TYPES = "hri_msgs/msg/"
_LANDMARKS = 70

# Right eye, left eye, nose, right and left corner of the mouth, as FacialLandmarks numbers them: RIGHT_PUPIL,
# LEFT_PUPIL, NOSE, MOUTH_OUTER_RIGHT, MOUTH_OUTER_LEFT.
_INDICES = (68, 69, 30, 48, 54)

EXPRESSIONS = {
    "anger": "angry",
    "disgust": "disgusted",
    "fear": "scared",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprised",
    "neutral": "neutral",
}
"""Label -> the constant of `hri_msgs/Expression`."""


class HriMessageBuilder:
    """Builds messages of hri_msgs with the classes of any library.

    Coordinates are shares of the width and height of the image, 0..1.

    Args:
        types: finds the message types of the library.
    """

    def __init__(self, types: TypeLookup) -> None:
        self._ids_list, self._region = types(f"{_TYPES}IdsList"), types(f"{_TYPES}NormalizedRegionOfInterest2D")
        self._landmarks, self._point = types(f"{_TYPES}FacialLandmarks"), types(f"{_TYPES}NormalizedPointOfInterest2D")
        self._expression = types(f"{_TYPES}Expression")
        self._unknown_point = self._point(x=0.0, y=0.0, c=0.0)

    def ids_list(self, header: Any, ids: Sequence[str]) -> Any:
        """Builds an `IdsList`.

        Args:
            header: of the source image.
            ids: of the faces.
        """
        return self._ids_list(header=header, ids=list(ids))

    def region(self, header: Any, face: Face, image_wh: tuple[int, int]) -> Any:
        """Builds a `NormalizedRegionOfInterest2D`; its confidence is the detector's.

        Args:
            header: of the source image.
            face: the face.
            image_wh: width and height of the image in pixels.
        """
        (width, height), box = image_wh, face.box
        return self._region(
            header=header,
            xmin=_share(box.x_min, width),
            ymin=_share(box.y_min, height),
            xmax=_share(box.x_max, width),
            ymax=_share(box.y_max, height),
            c=float(face.score),
        )

    def landmarks(self, header: Any, face: Face, image_wh: tuple[int, int]) -> Any:
        """Builds `FacialLandmarks` with the five known points; the others have the confidence 0.

        Args:
            header: of the source image.
            face: the face.
            image_wh: width and height of the image in pixels.
        """
        points = [self._unknown_point] * _LANDMARKS
        for index, point in zip(_INDICES, face.landmarks, strict=True):
            if point.known:
                points[index] = self._build_point(point, face.score, image_wh)
        return self._landmarks(header=header, landmarks=points, width=image_wh[0], height=image_wh[1])

    def expression(self, header: Any, emotion: FaceEmotion) -> Any:
        """Builds an `Expression`: word, valence, arousal (NaN where they are not computed) and score.

        Args:
            header: of the source image.
            emotion: of the face. The word is empty for a label that the message has no constant for.
        """
        return self._expression(
            header=header,
            expression=EXPRESSIONS.get(emotion.label, ""),
            valence=float(emotion.valence),
            arousal=float(emotion.arousal),
            confidence=float(emotion.score),
        )

    def _build_point(self, point: Point, confidence: float, image_wh: tuple[int, int]) -> Any:
        x, y = (_share(value, side) for value, side in zip(point, image_wh, strict=True))
        return self._point(x=x, y=y, c=float(confidence))


def _share(value: float, side: int) -> float:
    return min(max(float(value) / side, 0.0), 1.0)
