# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import csv

import pytest
from bag_files import write_bag
from bag_scene import DOUBTFUL, HAPPY, SAD, T0, make_pipeline, scene, stamps

from emotion_perception.bags.evaluation import evaluate_bag
from emotion_perception.bags.inference.settings import Settings
from emotion_perception.bags.labeling import label_bag
from emotion_perception.core.classification.options import RecognizerOptions
from emotion_perception.core.errors import RecordingError
from emotion_perception.core.pipeline import PipelineOptions

EXACT = Settings(pipeline=PipelineOptions(recognizer=RecognizerOptions(smoothing_s=0.0, label_hysteresis=0.0)))


def label(bag, out, **options):
    return label_bag(bag, out, EXACT, progress=False, make_pipeline=make_pipeline, **options)


def rows(path):
    with open(path) as file:
        return list(csv.DictReader(file))


@pytest.fixture
def bag(tmp_path):
    """A face that moves and is happy, doubtful, then sad; and beside it one that is sad all the time."""
    moods = [HAPPY] * 10 + [DOUBTFUL] * 5 + [SAD] * 10
    images = [scene((20 + k, 30, 30, gray), (110, 60, 30, SAD)) for k, gray in enumerate(moods)]
    return write_bag(tmp_path / "bag", images, stamps(len(moods)))


def test_a_row_is_an_interval_in_which_the_label_of_a_face_does_not_change(bag, tmp_path):
    label(bag, tmp_path / "labels.csv")
    found = rows(tmp_path / "labels.csv")
    assert [(row["start_s"], row["end_s"], row["track_or_region"], row["label"], row["person"]) for row in found] == [
        ("0.000", "1.000", "20 30 39 30", "happiness", "face 1"),
        ("0.000", "2.500", "110 60 30 30", "sadness", "face 2"),
        ("1.000", "1.500", "30 30 34 30", "", "face 1"),  # uncertain
        ("1.500", "2.500", "35 30 39 30", "sadness", "face 1"),
    ]


@pytest.mark.parametrize("by_track", [False, True])
def test_evaluate_bag_reads_what_label_bag_writes(bag, tmp_path, by_track):
    label(bag, tmp_path / "labels.csv", by_track=by_track)
    out, labels = tmp_path / "out", tmp_path / "labels.csv"
    report = evaluate_bag(bag, out, EXACT, labels=labels, progress=False, make_pipeline=make_pipeline)
    assert report["recognition"]["published_accuracy"] == 1.0
    assert report["recognition"]["smoothed"]["n"] == 45
    assert report["label_file"]["rows_used"] == 4
    if not by_track:
        assert report["detection"]["recall"] == 1.0
        assert report["stability"]["id_switches"] == 0


@pytest.mark.guarantee(
    "A label of `label-bag` applies to the frames it was taken from.", section="Recording and replay"
)
@pytest.mark.parametrize("by_track", [False, True])
def test_each_frame_is_within_its_own_interval(tmp_path, by_track):
    moods = [HAPPY, HAPPY, *[SAD] * 12, *[HAPPY] * 30]
    irregular = [T0 + round(k * 1e9 / 30) + (k % 5) * 2_000_000 for k in range(len(moods))]
    bag = write_bag(tmp_path / "bag", [scene((20, 30, 30, gray)) for gray in moods], irregular)
    label(bag, tmp_path / "labels.csv", by_track=by_track, min_duration_s=0)
    out, labels = tmp_path / "out", tmp_path / "labels.csv"
    evaluate_bag(bag, out, EXACT, labels=labels, progress=False, make_pipeline=make_pipeline)
    found = rows(out / "emotions.csv")
    assert [row["truth"] for row in found] == [row["label"] for row in found]
    assert len(rows(labels)) == 3


def test_the_page_shows_each_row(bag, tmp_path):
    intervals = label(bag, tmp_path / "labels.csv")
    assert all(1 <= len(interval.crops) <= 6 for interval in intervals)
    page = (tmp_path / "labels.html").read_text()
    assert page.count("data:image/png") == sum(len(interval.crops) for interval in intervals)
    assert "(happiness)" in page


@pytest.mark.guarantee("`label-bag` says what is wrong with a recording.", section="Recording and replay")
def test_what_is_wrong_with_the_recording_is_said(bag, tmp_path, caplog):
    label(bag, tmp_path / "labels.csv")
    assert caplog.messages == []
    images = [scene((20, 30, 30, HAPPY)) for _ in range(10)]
    odd = write_bag(tmp_path / "odd", images, [*stamps(7), *stamps(3)])
    label(odd, tmp_path / "odd.csv")
    assert caplog.messages == [f"{odd}: 3 of 10 stamps are zero, or not above the one before"]
    caplog.clear()
    (file,) = bag.glob("*.mcap")
    file.write_bytes(file.read_bytes()[:-20])
    label(bag, tmp_path / "cut.csv")
    assert [f"{bag}: bag.mcap is damaged or truncated" in message for message in caplog.messages] == [True]


def test_what_is_too_short_is_left_out_and_nothing_at_all_is_an_error(bag, tmp_path):
    label(bag, tmp_path / "labels.csv", min_duration_s=0.6)
    assert [row["label"] for row in rows(tmp_path / "labels.csv")] == ["happiness", "sadness", "sadness"]
    with pytest.raises(RecordingError, match="no face keeps a label for 9 s"):
        label(bag, tmp_path / "labels.csv", min_duration_s=9)
    empty = write_bag(tmp_path / "empty", [scene()], stamps(1))
    with pytest.raises(RecordingError, match="no face keeps a label"):
        label(empty, tmp_path / "labels.csv")
