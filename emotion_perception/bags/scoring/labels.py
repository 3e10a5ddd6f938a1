# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the true labels of a recording, a CSV file with a header in one of two formats.

Intervals, `start_s,end_s,track_or_region,label`: seconds since the stamp of the first image, the end excluded. The
third cell is a track id, a region `x y width height` in pixels that contains the center of the face, or empty for all
faces. Frames, `stamp_ns,x,y,w,h,label`: a region of the image with exactly this stamp.

An empty label marks an unlabeled face. Two more columns are optional: `group` for subgroup metrics, and `person` to
count track id switches; without `person` each interval with a region counts as a person.
"""

import functools
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.io.messages import NS
from emotion_perception.core.classification import canonical_label
from emotion_perception.core.errors import DatasetError
from emotion_perception.core.images import iou_matrix
from emotion_perception.core.printable import printable
from emotion_perception.core.regular_files import MAX_LABELS_BYTES, read_regular
from emotion_perception.core.text_files import parse_number, read_table
from emotion_perception.core.tracking import best_pairs
from emotion_perception.core.types import Box, Face

INTERVALS = ("start_s", "end_s", "track_or_region", "label")
FRAMES = ("stamp_ns", "x", "y", "w", "h", "label")
OPTIONAL = ("group", "person")
MIN_IOU = 0.5  # of a face and the labeled region of a frame
_MAX_STAMP = 2**62  # nanoseconds, about 146 years
_TRACK_ID = re.compile(r"\d{1,19}")


@dataclass(frozen=True)
class LabelRow:
    """One row of a label file.

    Attributes:
        line: line number in the file, from 1.
        start_ns: first stamp it applies to; of an interval, relative to the first image.
        end_ns: end of the stamps it applies to, excluded.
        box: region in pixels, or None.
        track_id: track, or None. Without box and track it applies to every face.
        label: canonical label; empty if the face is unlabeled.
        group: subgroup of the person, or empty.
        person: name of the person; `line N` for an interval with a region but without a name, else empty.
    """

    line: int
    start_ns: int
    end_ns: int
    box: Box | None
    track_id: int | None
    label: str
    group: str
    person: str


@dataclass(frozen=True)
class Labels:
    """A label file.

    Attributes:
        name: file name.
        sha256: SHA-256 of the content.
        of_frames: True for the frame format, False for intervals.
        rows: rows in the order of the file.
    """

    name: str
    sha256: str
    of_frames: bool
    rows: tuple[LabelRow, ...]

    @functools.cached_property
    def _ends(self) -> NDArray[np.int64]:
        """Start and (excluded) end of each row in nanoseconds, int64 (N, 2)."""
        return np.array([(row.start_ns, row.end_ns) for row in self.rows], np.int64).reshape(-1, 2)

    def at(self, stamp_ns: int, first_stamp_ns: int) -> list[LabelRow]:
        """Returns the rows that apply to a frame.

        Args:
            stamp_ns: stamp of the frame.
            first_stamp_ns: stamp of the first image of the recording.
        """
        time = stamp_ns if self.of_frames else stamp_ns - first_stamp_ns
        return [self.rows[k] for k in np.flatnonzero((self._ends[:, 0] <= time) & (time < self._ends[:, 1]))]

    def match(self, rows: Sequence[LabelRow], faces: Sequence[Face]) -> dict[int, LabelRow]:
        """Returns the row of each labeled face, by index of the face.

        Rows with a track id come first, then regions, then rows for all faces. A region is matched to at most one face,
        the one with the largest overlap: in the frame format the IoU is at least `MIN_IOU`, in the interval format the
        center of the face is in the region.

        Args:
            rows: rows that apply to the frame, from `at`.
            faces: faces of the frame.
        """
        by_track = {row.track_id: row for row in rows if row.track_id is not None}
        matched = {k: by_track[face.track_id] for k, face in enumerate(faces) if face.track_id in by_track}
        regions = [row for row in rows if row.box is not None]
        free = [k for k in range(len(faces)) if k not in matched]
        for row, column in self._pairs([faces[k].box for k in free], [row.box for row in regions if row.box]).items():
            matched[free[row]] = regions[column]
        for row_for_all in (row for row in rows if row.box is None and row.track_id is None):
            matched = dict.fromkeys(range(len(faces)), row_for_all) | matched
        return matched

    def _pairs(self, faces: Sequence[Box], regions: Sequence[Box]) -> dict[int, int]:
        overlaps = iou_matrix(_xyxy(faces), _xyxy(regions))
        if self.of_frames:
            return best_pairs(overlaps, MIN_IOU)
        inside = np.array([[_contains(region, face) for region in regions] for face in faces], bool)
        return best_pairs(np.where(inside.reshape(overlaps.shape), overlaps, 0.0), 0.0)


def read_labels(path: Path, known: Sequence[str]) -> Labels:
    """Reads a label file.

    Args:
        path: CSV file, see `core.text_files`.
        known: labels of the model; others are refused.

    Raises:
        DatasetError: the file is missing or has another format; the message names the line.
    """
    try:
        sha256 = labels_sha256(path)
        table = list(read_table(path))
    except OSError as e:
        raise DatasetError(f"{path}: {e.strerror}") from e
    except DatasetError as e:
        raise DatasetError(f"{path}: {e}") from e
    if not table:
        raise DatasetError(f"{path}: is empty, not a table of labels")
    rows = []
    line, names = table[0]
    try:
        header = [name.lower() for name in names]
        form = _form(header)
        for line, cells in table[1:]:
            rows.append(_row(cells, header, form, line, known))
    except DatasetError as e:
        raise DatasetError(f"{path}, line {line}: {e}") from e
    if not rows:
        raise DatasetError(f"{path}: has no labels")
    _check_unambiguous(path, rows)
    return Labels(printable(path.name), sha256, form is FRAMES, tuple(rows))


def labels_sha256(path: Path) -> str:
    """Returns the SHA-256 of the content of a label file, in hexadecimal.

    Raises:
        OSError: it cannot be read, is no regular file, or is larger than `MAX_LABELS_BYTES`.
    """
    return hashlib.sha256(read_regular(path, MAX_LABELS_BYTES)).hexdigest()


def _check_unambiguous(path: Path, rows: Sequence[LabelRow]) -> None:
    """Raises DatasetError if two rows give the same faces different labels at the same time."""
    latest: dict[tuple[Box | None, int | None], LabelRow] = {}  # the row of these faces that ends last
    for row in sorted(rows, key=lambda row: row.start_ns):
        faces = (row.box, row.track_id)
        earlier = latest.get(faces)
        if earlier is not None and row.start_ns < earlier.end_ns and row.label != earlier.label:
            raise DatasetError(
                f"{path}, line {row.line}: label '{row.label}', but line {earlier.line} gives the same faces "
                f"'{earlier.label}' at the same time"
            )
        if earlier is None or row.end_ns > earlier.end_ns:
            latest[faces] = row


def _form(header: Sequence[str]) -> tuple[str, ...]:
    for form in (INTERVALS, FRAMES):
        if set(form) <= set(header) <= {*form, *OPTIONAL} and len(set(header)) == len(header):
            return form
    raise DatasetError(f"the header is {','.join(header)}, not {','.join(INTERVALS)} or {','.join(FRAMES)}")


def _row(
    cells: Sequence[str], header: Sequence[str], form: tuple[str, ...], line: int, known: Sequence[str]
) -> LabelRow:
    if len(cells) != len(header):
        raise DatasetError(f"has {len(cells)} cells, the header has {len(header)}")
    row = dict(zip(header, cells, strict=True))
    label = _label_of_model(row["label"], known) if row["label"] else ""
    times = _interval(row) if form is INTERVALS else _stamp(row)
    if form is INTERVALS:
        box, track_id = _track_or_region(row["track_or_region"])
    else:
        box, track_id = _box([row[name] for name in "xywh"]), None
    default_person = f"line {line}" if form is INTERVALS and box is not None else ""
    return LabelRow(line, *times, box, track_id, label, row.get("group", ""), row.get("person") or default_person)


def _label_of_model(text: str, known: Sequence[str]) -> str:
    """Returns the label of the model that is written so, or in another spelling of the same emotion."""
    if text in known:
        return text
    with suppress(DatasetError):
        label = canonical_label(text)
        for name in known:
            with suppress(DatasetError):  # a label of a model need not be an emotion
                if canonical_label(name) == label:
                    return name
    raise DatasetError(f"label '{text}' is none of the labels of the model: {', '.join(known)}")


def _interval(row: Mapping[str, str]) -> tuple[int, int]:
    start, end = (_number(row[name], name) for name in ("start_s", "end_s"))
    if end <= start:
        raise DatasetError(f"end_s {end:g} is not after start_s {start:g}")
    return round(start * NS), round(end * NS)


def _stamp(row: Mapping[str, str]) -> tuple[int, int]:
    try:
        stamp = int(row["stamp_ns"])
    except ValueError:
        raise DatasetError(f"stamp_ns '{row['stamp_ns']}' is not an integer") from None
    if abs(stamp) >= _MAX_STAMP:
        raise DatasetError(f"stamp_ns '{row['stamp_ns']}' is out of range")
    return stamp, stamp + 1


def _track_or_region(cell: str) -> tuple[Box | None, int | None]:
    """Returns the region or the track id of a cell."""
    words = cell.replace(";", " ").split()
    if len(words) == 4:
        return _box(words), None
    if len(words) > 1 or (words and not _TRACK_ID.fullmatch(words[0])):
        raise DatasetError(f"track_or_region '{cell}' is neither a track id nor a region 'x y width height'")
    return None, int(words[0]) if words else None


def _box(cells: Sequence[str]) -> Box:
    x, y, width, height = (_number(cell, name) for cell, name in zip(cells, "xywh", strict=True))
    try:
        return Box(round(x), round(y), round(x + width), round(y + height))
    except ValueError:
        raise DatasetError(f"the region of {width:g}x{height:g} pixels has no area") from None


def _number(cell: str, name: str) -> float:
    try:
        value = parse_number(cell)
    except ValueError:
        raise DatasetError(f"{name} '{cell}' is not a number") from None
    if not math.isfinite(value) or abs(value) > NS:
        raise DatasetError(f"{name} '{cell}' is out of range")
    return value


def _contains(region: Box, face: Box) -> bool:
    x, y = face.center_xy
    return region.x_min <= x < region.x_max and region.y_min <= y < region.y_max


def _xyxy(boxes: Sequence[Box]) -> NDArray[np.float64]:
    return np.array([box.xyxy for box in boxes], np.float64).reshape(-1, 4)
