# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Metrics of small tables, compared with calculations by hand."""

import numpy as np
import pytest
from bag_scene import STEP, T0

from emotion_perception.bags.scoring import metrics
from emotion_perception.bags.scoring.tables import FaceTable, FrameTable, RegionTable

LABELS = ("glad", "sad")
TIMES = ("latency_ms", "age_ms", "detect_ms", "classify_ms")


def frames(*statuses, bag=None, stamps=None, faces=None, latency=None):
    count = len(statuses)
    times = {name: np.full(count, np.nan) for name in TIMES}
    if latency is not None:
        times["latency_ms"] = np.array(latency, float)
    return FrameTable(
        np.array(bag or [0] * count, np.int64),
        np.array(stamps or [T0 + k * STEP for k in range(count)], np.int64),
        np.array(statuses, np.str_),
        np.array(faces or [1] * count, np.int64),
        np.array(["160x120"] * count, np.str_),
        np.array([""] * count, np.str_),
        times,
    )


def faces(*rows):
    """Builds a table of (track, step, raw P(glad), smoothed P(glad), published, uncertain, truth, group)."""
    track, step, raw, smoothed, published, uncertain, truth, group = zip(*rows, strict=True) if rows else [()] * 8
    return FaceTable(
        LABELS,
        np.zeros(len(rows), np.int64),
        np.array([T0 + s * STEP for s in step], np.int64),
        np.array(track, np.int64),
        np.array(published, np.str_),
        np.array([max(s, 1 - s) for s in smoothed], float),
        np.array(uncertain, bool),
        np.array([(p, 1 - p) for p in raw], np.float32).reshape(-1, 2),
        np.array([(p, 1 - p) for p in smoothed], np.float32).reshape(-1, 2),
        np.array(truth, np.str_),
        np.array(group, np.str_),
    )


def regions(*rows):
    """Builds a table of (person, track or 0, group)."""
    person, track, group = zip(*rows, strict=True) if rows else [()] * 3
    return RegionTable(
        np.zeros(len(rows), np.int64),
        np.arange(len(rows), dtype=np.int64),
        np.array(person, np.str_),
        np.array(group, np.str_),
        np.array(track, np.int64),
    )


def test_every_frame_is_accounted_for():
    table = frames("processed", "processed", "dropped", "skipped", "undecodable", "failed", faces=[1, 0, 0, 0, 0, 0])
    result = metrics.frame_counts(table)
    statuses = ("processed", "dropped", "skipped", "undecodable", "failed", "no_image")
    assert [result[name] for name in statuses] == [2, 1, 1, 1, 1, 0]
    assert result["in_bag"] == sum(result[name] for name in statuses) == 6
    assert (result["decoded"], result["without_face"]) == (5, 1)
    assert result["drop_rate"] == pytest.approx(2 / 6, abs=1e-6)
    assert result["sizes"] == {"160x120": 6}


def test_stamps_that_go_backward_are_counted_within_a_recording_only():
    stamps = [T0, T0 + 5, T0 + 3, T0, T0 + 1]
    assert metrics.frame_counts(frames(*["processed"] * 5, stamps=stamps, bag=[0, 0, 0, 1, 1]))["stamps_backward"] == 1
    assert metrics.duration_s(frames(*["processed"] * 5, stamps=stamps, bag=[0, 0, 0, 1, 1])) == pytest.approx(
        6e-9, abs=1e-6
    )


def test_times_have_percentiles_where_they_were_measured():
    result = metrics.timing(frames(*["processed"] * 100, "dropped", latency=[*range(1, 101), np.nan]))
    assert result["age_ms"] is None
    assert result["latency_ms"] == {"n": 100, "mean": 50.5, "p50": 50.5, "p90": 90.1, "p99": 99.01, "max": 100.0}


def test_recognition_is_measured_smoothed_and_raw_on_what_is_labeled():
    table = faces(
        (1, 0, 0.4, 0.9, "glad", False, "glad", ""),
        (1, 1, 0.4, 0.9, "glad", False, "glad", ""),
        (1, 2, 0.9, 0.55, "sad", True, "glad", ""),  # hysteresis keeps the previous label
        (1, 3, 0.1, 0.1, "sad", False, "sad", ""),
        (1, 4, 0.1, 0.1, "sad", False, "", ""),
    )
    result = metrics.recognition(table, 0.6)
    assert (result["smoothed"]["n"], result["smoothed"]["accuracy"], result["raw"]["accuracy"]) == (4, 1.0, 0.5)
    assert result["published_accuracy"] == 0.75
    assert result["confusion"] == [[3, 0], [0, 1]]
    assert result["certain"] == {"min_confidence": 0.6, "coverage": 0.75, "accuracy": 1.0}
    assert result["per_class"]["glad"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "n": 3}
    assert metrics.recognition(faces(), 0.6) is None


def test_subgroups_have_their_own_metrics():
    rows = [
        (1, k, 0.9, 0.9, "glad", False, truth, group)
        for k, (truth, group) in enumerate([("glad", "a"), ("sad", "a"), ("glad", "b"), ("glad", ""), ("", "c")])
    ]
    result = metrics.subgroups(faces(*rows))
    assert {name: (row["n"], row["accuracy"]) for name, row in result.items()} == {"a": (2, 0.5), "b": (1, 1.0)}


def test_flips_are_counted_per_minute_of_track_time():
    published = ["glad", "glad", "sad", "sad", "glad"]
    raw = [0.9, 0.1, 0.9, 0.1, 0.9]
    one = [(1, k, raw[k], 0.5, published[k], False, "", "") for k in range(5)]
    other = [(2, k, 0.9, 0.5, "glad" if k < 50 else "sad", False, "", "") for k in (0, 1, 50)]  # no flip across a gap
    result = metrics.stability(faces(*one, *other), regions())
    assert (result["tracks"], result["track_seconds"]) == (2, 0.5)
    assert result["flips_per_minute_published"] == pytest.approx(2 / (0.5 / 60))
    assert result["flips_per_minute_raw"] == pytest.approx(4 / (0.5 / 60))
    assert result["id_switches"] is None


def test_without_faces_there_is_nothing_to_measure():
    assert metrics.stability(faces(), regions()) == {
        "tracks": 0,
        "track_seconds": 0.0,
        "flips_per_minute_raw": None,
        "flips_per_minute_published": None,
        "id_switches": None,
    }
    assert metrics.prediction_counts(faces()) == {
        "faces": 0,
        "not_classified": 0,
        "uncertain": 0,
        "labels": {"glad": 0, "sad": 0},
    }


def test_recall_and_id_switches_come_from_labeled_regions():
    table = regions(("Ann", 1, "a"), ("Bob", 2, "b"), ("Ann", 0, "a"), ("Ann", 3, "a"), ("Bob", 2, ""), ("", 9, ""))
    result = metrics.detection(table)
    assert (result["regions"], result["detected"], result["recall"]) == (6, 5, pytest.approx(5 / 6, abs=1e-6))
    assert result["subgroups"] == {
        "a": {"regions": 3, "recall": pytest.approx(2 / 3, abs=1e-6)},
        "b": {"regions": 1, "recall": 1.0},
    }
    assert metrics.id_switches(table) == 1
    assert metrics.detection(regions()) is None
