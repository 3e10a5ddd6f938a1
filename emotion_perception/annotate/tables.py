# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The results of an input as CSV and JSON, written image by image, so that memory does not grow with its length."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from emotion_perception.annotate.recognition import ImageResult
from emotion_perception.core.printable import printable
from emotion_perception.core.types import FaceEmotion
from emotion_perception.reporting.face_columns import derived_values, face_cells, face_columns

JSON_FORMAT = 1
_DIGITS = 6


class _NamedFile:
    """A text file, UTF-8, whose errors name it: that of a full disk has no file name otherwise."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = open(path, "w", newline="", encoding="utf-8")  # noqa: SIM115 - closed by `close`

    def write(self, text: str) -> int:
        with self._named():
            return self._file.write(text)

    def close(self) -> None:
        with self._named():
            self._file.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            raise OSError(e.errno, e.strerror, str(self._path)) from None


class CsvTable:
    """A row for each face; columns as in emotions.csv of evaluate-bag, and the name of the image's file.

    Args:
        path: the file to write, in an existing folder.
        labels: label of each probability.
    """

    def __init__(self, path: Path, labels: tuple[str, ...]) -> None:
        self._file = _NamedFile(path)
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._number_of_labels = len(labels)
        self._writer.writerow((*face_columns(labels), "file"))

    def __enter__(self) -> "CsvTable":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, result: ImageResult) -> None:
        """Writes the faces of an image."""
        source = result.source
        for emotion in result.emotions:
            cells = face_cells(source.number, source.stamp_ns, emotion, self._number_of_labels)
            self._writer.writerow((*cells, _name(result)))


class JsonDocument:
    """An object with what the results were made with, and the list `frames`.

    Args:
        path: the file to write, in an existing folder.
        head: the entries before `frames`.
        labels: label of each probability.
    """

    def __init__(self, path: Path, head: Mapping[str, Any], labels: tuple[str, ...]) -> None:
        self._file = _NamedFile(path)
        self._labels, self._separator = labels, "\n"
        self._file.write(json.dumps({"format": JSON_FORMAT, **head}, indent=2)[:-2] + ',\n  "frames": [')

    def __enter__(self) -> "JsonDocument":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, result: ImageResult) -> None:
        """Writes an image with its faces."""
        source = result.source
        entry = {
            "frame": source.number,
            "stamp_ns": source.stamp_ns,
            "status": result.status,
            "width": source.image_bgr.shape[1],
            "height": source.image_bgr.shape[0],
            "problem": result.problem,
            **({"file": _name(result)} if source.path is not None else {}),
            "faces": [self._face(emotion) for emotion in result.emotions],
        }
        self._file.write(f"{self._separator}    {json.dumps(entry)}")
        self._separator = ",\n"

    def finish(self, tail: Mapping[str, Any]) -> None:
        """Writes the entries after `frames` and the end of the object."""
        self._file.write("\n  ],\n" + json.dumps(tail, indent=2)[2:] + "\n")

    def _face(self, emotion: FaceEmotion) -> dict[str, Any]:
        face, box = emotion.face, emotion.face.box
        age_s = emotion.prediction_age_s
        return {
            "track_id": face.track_id,
            **{"x": box.x_min, "y": box.y_min, "w": box.width, "h": box.height},
            "detection_score": round(face.score, _DIGITS),
            "label": emotion.label,
            "score": round(emotion.score, _DIGITS),
            "uncertain": bool(emotion.uncertain),
            "prediction_age_s": None if math.isnan(age_s) else round(age_s, _DIGITS),
            **derived_values(emotion),
            "probabilities": self._by_label(emotion.probabilities.tolist()),
            "smoothed_probabilities": self._by_label(emotion.smoothed_probabilities.tolist()),
        }

    def _by_label(self, values: list[float]) -> dict[str, float]:
        """Returns the probabilities by label; none where they are unknown."""
        return {label: round(value, _DIGITS) for label, value in zip(self._labels, values, strict=False)}


def _name(result: ImageResult) -> str:
    return "" if result.source.path is None else printable(result.source.path.name)
