# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recordings that were made before `Face.id` became `track_id` stay readable."""

import csv
import json
from pathlib import Path

import pytest
from real_face import need_real_face

from emotion_perception.cli import main

BAGS = Path(__file__).parents[1] / "data" / "bag_of_first_types"
STORAGES = ("mcap", "sqlite3", "sqlite3_without_definitions")


def rows_of(path):
    with open(path) as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("storage", STORAGES)
def test_the_recorded_predictions_are_scored(storage, tmp_path):
    assert main(["evaluate-bag", str(BAGS / storage), "--out", str(tmp_path), "--score-recorded"]) == 0
    recorded = json.loads((BAGS / "predictions.json").read_text())
    statuses = [frame["status"] for frame in rows_of(tmp_path / "frames.csv")]
    assert statuses == ["processed", "processed", "processed", "skipped", "processed"]
    expected = [(frame["stamp_ns"], face) for frame in recorded for face in frame["faces"]]
    rows = rows_of(tmp_path / "emotions.csv")
    labels = json.loads((tmp_path / "report.json").read_text())["labels"]
    assert len(rows) == len(expected) == 3
    for row, (stamp_ns, face) in zip(rows, expected, strict=True):
        assert (int(row["stamp_ns"]), int(row["track_id"]), row["label"]) == (stamp_ns, face["track_id"], face["label"])
        for kind, field in (("probability", "probabilities"), ("smoothed", "smoothed_probabilities")):
            assert [float(row[f"{kind}_{label}"]) for label in labels] == pytest.approx(face[field], abs=1e-6)


@pytest.mark.parametrize("storage", STORAGES)
def test_its_images_are_evaluated_and_labeled_anew(storage, tmp_path):
    need_real_face()
    labels = tmp_path / "labels.csv"
    assert main(["label-bag", str(BAGS / storage), "--out", str(labels), "--set", "min_confidence=0.0"]) == 0
    assert {row["label"] for row in rows_of(labels)} == {"happiness"}
    out = tmp_path / "out"
    assert main(["evaluate-bag", str(BAGS / storage), "--labels", str(labels), "--out", str(out), "--write-bag"]) == 0
    assert main(["evaluate-bag", str(out / "bag"), "--out", str(tmp_path / "again"), "--score-recorded"]) == 0
    written = rows_of(out / "emotions.csv")
    again = rows_of(tmp_path / "again" / "emotions.csv")
    assert [(row["stamp_ns"], row["track_id"], row["label"]) for row in again] == [
        (row["stamp_ns"], row["track_id"], row["label"]) for row in written
    ]
    assert len(again) == 4
