#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes labels.csv into a recording of the demonstration clip: scripts/demo_clip_labels.csv in the recording's time.

The camera plays every frame of the clip in turn, again and again, and none may be missing in the recording: then
image k is frame k of the clip, modulo its length, and its stamp says when that was.
"""

import argparse
import csv
import hashlib
import itertools
import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from emotion_perception.bags.io.images import image_topic, read_bag_images  # noqa: E402
from emotion_perception.bags.io.messages import NS  # noqa: E402 - works in a checkout that is not installed
from emotion_perception.bags.io.recording import Recording  # noqa: E402
from emotion_perception.core.assets import resolve_model_file  # noqa: E402
from emotion_perception.core.errors import DatasetError, EmotionPerceptionError  # noqa: E402

LABELS = ROOT / "scripts" / "demo_clip_labels.csv"
HEADER = ("start_s", "end_s", "track_or_region", "label")


class ClipLabels(NamedTuple):
    """What scripts/demo_clip_labels.csv says.

    Attributes:
        sha256: of the clip.
        labels: of each of its frames; empty where none fits.
    """

    sha256: str
    labels: list[str]


def read_clip_labels(path: Path) -> ClipLabels:
    """Reads the labels of the clip's frames."""
    lines = path.read_text(encoding="utf-8").splitlines()
    (sha256,) = re.findall(r"^# sha256: (\w{64})$", "\n".join(lines), re.MULTILINE)
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    labels = [row["label"] for row in rows for _ in range(int(row["first_frame"]), int(row["last_frame"]) + 1)]
    return ClipLabels(sha256, labels)


def intervals(stamps_ns: list[int], labels: list[str]) -> list[tuple[str, str, str, str]]:
    """Returns the rows of labels.csv: each interval goes from its first image to the first that is another."""
    begun_ns, spacing_ns = stamps_ns[0], (stamps_ns[-1] - stamps_ns[0]) // max(1, len(stamps_ns) - 1)
    shown = [labels[number % len(labels)] for number in range(len(stamps_ns))]
    ends_ns = [*stamps_ns, stamps_ns[-1] + spacing_ns]
    rows, number = [], 0
    for label, run in itertools.groupby(shown):
        first, number = number, number + len(list(run))
        rows.append((_seconds(ends_ns[first] - begun_ns), _seconds(ends_ns[number] - begun_ns), "", label))
    return rows


def _seconds(duration_ns: int) -> str:
    return f"{duration_ns // NS}.{duration_ns % NS:09d}"


def write(bag: Path, summary: Path) -> int:
    """Writes bag/labels.csv; returns how many intervals it has.

    Raises:
        EmotionPerceptionError: the recording cannot be read, is of another clip, or lacks images.
    """
    clip = read_clip_labels(LABELS)
    path = resolve_model_file("demo_clip")
    if hashlib.sha256(path.read_bytes()).hexdigest() != clip.sha256:
        raise DatasetError(f"{path}: not the clip that {LABELS.name} is about")
    with Recording(bag) as recording:
        stamps_ns = [image.stamp_ns for image in read_bag_images(recording, image_topic(recording, None))]
    published = json.loads(summary.read_text(encoding="utf-8"))["frames_published"]
    if len(stamps_ns) != published:
        raise DatasetError(
            f"{bag}: {len(stamps_ns)} of {published} images were recorded, so nobody knows which frames they are; "
            "record again"
        )
    with open(bag / "labels.csv", "w", newline="", encoding="utf-8") as file:
        rows = intervals(stamps_ns, clip.labels)
        csv.writer(file).writerows([HEADER, *rows])
    return len(rows)


def main() -> int:
    """Reads the arguments; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bag", type=Path, help="the recording")
    parser.add_argument("--published", type=Path, required=True, help="summary.json of the run that was recorded")
    options = parser.parse_args()
    try:
        count = write(options.bag, options.published)
    except EmotionPerceptionError as e:
        print(f"write_demo_labels: {e}", file=sys.stderr)
        return 1
    print(f"{options.bag / 'labels.csv'}: {count} intervals")
    return 0


if __name__ == "__main__":
    sys.exit(main())
