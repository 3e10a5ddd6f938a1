# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The seven emotions, their order, and the spellings that data sets use for them.

The order is FER-2013's. It is a default only: every checkpoint carries the order of its own outputs, and nothing in
this package reads a class number without the label order beside it.
"""

from enum import Enum

from emotion_perception.core.errors import DatasetError


class Emotion(str, Enum):
    """A label as it stands in messages, files and reports."""

    ANGER = "anger"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPINESS = "happiness"
    SADNESS = "sadness"
    SURPRISE = "surprise"
    NEUTRAL = "neutral"

    def __str__(self) -> str:
        return self.value


LABELS: tuple[str, ...] = tuple(emotion.value for emotion in Emotion)

_SPELLINGS = {
    "anger": ("angry", "an"),
    "disgust": ("disgusted", "di"),
    "fear": ("afraid", "scared", "fearful", "fe"),
    "happiness": ("happy", "joy", "ha"),
    "sadness": ("sad", "sa"),
    "surprise": ("surprised", "su"),
    "neutral": ("calm", "ne"),
    "contempt": ("contemptuous", "co"),
    # what other networks of this package tell: whether it is a face, and whose
    "face": ("faces", "human_face", "human face", "human"),
    "other": ("others", "no_face", "non_face", "not_face", "nonface"),
    "woman": ("women", "female"),
    "man": ("men", "male"),
}
_CANONICAL = {name: label for label, names in _SPELLINGS.items() for name in (label, *names)}


def canonical_label(name: str) -> str:
    """Returns this package's spelling of a data set's class name, e.g. `Happy` -> `happiness`.

    `contempt` is known too, although it is none of the seven `LABELS`; so are `face`, `other`, `woman` and `man`.

    Raises:
        DatasetError: the name is no spelling of a label that this package knows.
    """
    try:
        return _CANONICAL[name.strip().lower()]
    except KeyError:
        raise DatasetError(f"'{name}' is not an emotion or another label; known: {', '.join(_SPELLINGS)}") from None
