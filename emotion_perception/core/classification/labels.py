# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The seven emotions, their default order, and the spellings that datasets use for them.

The order is FER-2013's. It is only a default: every model bundle has the order of its own outputs, and no class index
is used without its label order.
"""

from collections.abc import Sequence
from enum import Enum

from emotion_perception.core.errors import DatasetError


class Emotion(str, Enum):
    """A label as it is written in messages, files and reports."""

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
    # labels of other networks of this package: face or not, woman or man
    "face": ("faces", "human_face", "human face", "human"),
    "other": ("others", "no_face", "non_face", "not_face", "nonface"),
    "woman": ("women", "female"),
    "man": ("men", "male"),
}
_CANONICAL = {name: label for label, names in _SPELLINGS.items() for name in (label, *names)}


def canonical_label(name: str) -> str:
    """Returns this package's spelling of a dataset's class name, e.g. `Happy` -> `happiness`.

    `contempt`, `face`, `other`, `woman` and `man` are known too, although they are not among the seven `LABELS`.

    Raises:
        DatasetError: the name is not a known spelling of a label.
    """
    try:
        return _CANONICAL[name.strip().lower()]
    except KeyError:
        raise DatasetError(f"'{name}' is not an emotion or another label; known: {', '.join(_SPELLINGS)}") from None


def label_index(text: str, names: Sequence[str] = LABELS) -> int:
    """Returns the index of a label that is written as a word in any spelling (`Happy`) or as its number (`3`, `3.0`).

    Args:
        text: the label.
        names: canonical labels; a number is an index into them.

    Raises:
        DatasetError: it is neither, or is not among `names`.
    """
    try:
        number = float(text)
    except ValueError:
        label = canonical_label(text)
        if label not in names:
            raise DatasetError(f"'{text}' is none of {', '.join(names)}") from None
        return names.index(label)
    if number not in range(len(names)):
        raise DatasetError(f"'{text.strip()}' is not within 0..{len(names) - 1}")
    return int(number)
