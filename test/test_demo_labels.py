# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tests of scripts/write_demo_labels.py and of the committed labels of the demonstration clip."""

import json
from pathlib import Path

import numpy as np
import pytest
from bag_files import write_bag
from file_loading import load_file

from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.scoring.labels import read_labels
from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.errors import DatasetError

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def script():
    return load_file(ROOT / "scripts" / "write_demo_labels.py")


def test_every_frame_of_the_fetched_clip_has_a_label(script):
    clip = script.read_clip_labels(script.LABELS)
    manifest = json.loads((ROOT / "emotion_perception" / "models" / "manifest.json").read_text())
    assert clip.sha256 == manifest["demo_clip"]["sha256"]
    assert len(clip.labels) == 472
    assert set(clip.labels) <= {*LABELS, ""}


@pytest.mark.parametrize(
    ("count", "rows"),
    [
        (2, [("0.000000000", "2.000000000", "", "sadness")]),
        (4, [("0.000000000", "3.000000000", "", "sadness"), ("3.000000000", "4.000000000", "", "")]),
        (
            8,  # the clip restarts after five frames
            [
                ("0.000000000", "3.000000000", "", "sadness"),
                ("3.000000000", "4.000000000", "", ""),
                ("4.000000000", "5.000000000", "", "happiness"),
                ("5.000000000", "8.000000000", "", "sadness"),
            ],
        ),
    ],
)
def test_the_intervals_are_in_seconds_from_the_first_image(script, count, rows):
    labels = ["sadness"] * 3 + ["", "happiness"]
    assert script.intervals([(1000 + k) * NS for k in range(count)], labels) == rows


@pytest.fixture
def recorded(script, tmp_path, monkeypatch):
    """Returns a function that records the given number of three images and returns the written labels file."""
    clip = tmp_path / "clip"
    clip.write_bytes(b"the clip")
    monkeypatch.setattr(script, "resolve_model_file", lambda name: clip)
    summary = tmp_path / "summary.json"
    summary.write_text(json.dumps({"frames_published": 3}))

    def write(count, *, sha256=None):
        known = script.hashlib.sha256(clip.read_bytes()).hexdigest() if sha256 is None else sha256
        monkeypatch.setattr(script, "read_clip_labels", lambda path: script.ClipLabels(known, ["sadness", "happiness"]))
        image = np.zeros((48, 64, 3), np.uint8)
        bag = write_bag(tmp_path / "bag", [image] * count, [(1000 + k) * NS for k in range(count)])
        script.write(bag, summary)
        return bag / "labels.csv"

    return write


def test_the_written_labels_can_be_read(recorded):
    labels = read_labels(recorded(3), LABELS)
    assert [row.label for row in labels.rows] == ["sadness", "happiness", "sadness"]


@pytest.mark.parametrize(
    ("count", "options", "line"),
    [
        (2, {}, "only 2 of 3 published images were recorded"),
        (3, {"sha256": "0" * 64}, "differs from that of the labeled clip"),
    ],
)
def test_labels_that_do_not_fit_the_recording_are_refused(recorded, count, options, line):
    with pytest.raises(DatasetError, match=line):
        recorded(count, **options)
