#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes labels.csv into a recording of the demonstration clip.

The labels of scripts/demo_clip_labels.csv are by frame of the clip. The camera plays the clip in a loop, so image k of
the recording is frame k modulo the length of the clip. A recording with missing images is refused.
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
    """Content of scripts/demo_clip_labels.csv.

    Attributes:
        sha256: SHA-256 of the clip.
        labels: label of each frame of the clip; empty where none of the labels fits.
    """

    sha256: str
    labels: list[str]


def read_clip_labels(path: Path) -> ClipLabels:
    """Reads the labels of the frames of the clip."""
    lines = path.read_text(encoding="utf-8").splitlines()
    (sha256,) = re.findall(r"^# sha256: (\w{64})$", "\n".join(lines), re.MULTILINE)
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    labels = [row["label"] for row in rows for _ in range(int(row["first_frame"]), int(row["last_frame"]) + 1)]
    return ClipLabels(sha256, labels)


def intervals(stamps_ns: list[int], labels: list[str]) -> list[tuple[str, str, str, str]]:
    """Returns the rows of labels.csv: one interval for each run of images with the same label.

    Args:
        stamps_ns: stamps of the images of the recording.
        labels: labels of the frames of the clip.
    """
    begun_ns, spacing_ns = stamps_ns[0], (stamps_ns[-1] - stamps_ns[0]) // max(1, len(stamps_ns) - 1)
    image_labels = [labels[number % len(labels)] for number in range(len(stamps_ns))]
    ends_ns = [*stamps_ns, stamps_ns[-1] + spacing_ns]
    rows, number = [], 0
    for label, run in itertools.groupby(image_labels):
        first, number = number, number + len(list(run))
        rows.append((_seconds(ends_ns[first] - begun_ns), _seconds(ends_ns[number] - begun_ns), "", label))
    return rows


def _seconds(duration_ns: int) -> str:
    return f"{duration_ns // NS}.{duration_ns % NS:09d}"


def write(bag: Path, summary: Path) -> int:
    """Writes bag/labels.csv and returns the number of intervals.

    Args:
        bag: the recording.
        summary: summary.json of the demonstration that was recorded.

    Raises:
        EmotionPerceptionError: the recording cannot be read, is of another clip, or has missing images.
    """
    clip = read_clip_labels(LABELS)
    path = resolve_model_file("demo_clip")
    if hashlib.sha256(path.read_bytes()).hexdigest() != clip.sha256:
        raise DatasetError(f"{path}: SHA-256 differs from that of the labeled clip in {LABELS.name}")
    with Recording(bag) as recording:
        stamps_ns = [image.stamp_ns for image in read_bag_images(recording, image_topic(recording, None))]
    published = json.loads(summary.read_text(encoding="utf-8"))["frames_published"]
    if len(stamps_ns) != published:
        raise DatasetError(
            f"{bag}: only {len(stamps_ns)} of {published} published images were recorded, so frames cannot be "
            "assigned to labels; record again"
        )
    with open(bag / "labels.csv", "w", newline="", encoding="utf-8") as file:
        rows = intervals(stamps_ns, clip.labels)
        csv.writer(file).writerows([HEADER, *rows])
    return len(rows)


def main() -> int:
    """Reads the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bag", type=Path, help="rosbag2 folder of the recording")
    parser.add_argument("--published", type=Path, required=True, help="summary.json of the recorded demonstration")
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
