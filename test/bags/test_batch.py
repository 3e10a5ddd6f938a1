# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import dataclasses
import json
import os
import shutil
from pathlib import Path

import pytest
from bag_files import write_bag
from bag_scene import HAPPY, PLAIN, SAD, make_deadly_pipeline, make_pipeline, scene, stamps

from emotion_perception.bags.batch import evaluate_many, find_recordings, labels_of
from emotion_perception.bags.inference.settings import Settings
from emotion_perception.core.classification.options import RecognizerOptions
from emotion_perception.core.errors import ConfigurationError, RecordingError
from emotion_perception.core.pipeline import PipelineOptions

SQUARE = (40, 30, 40)
EXACT = Settings(pipeline=PipelineOptions(recognizer=RecognizerOptions(smoothing_s=0.0, label_hysteresis=0.0)))


def evaluate(folder, out, settings=EXACT, **options):
    return evaluate_many(folder, out, settings, progress=False, make_pipeline=make_pipeline, **options)


@pytest.fixture
def folder(tmp_path):
    """Three recordings, one of them in a subfolder and one a single file, with labels beside two of them."""
    folder = tmp_path / "bags"
    (folder / "monday").mkdir(parents=True)
    happy = write_bag(folder / "monday" / "one", [scene((*SQUARE, HAPPY))] * 4, stamps(4))
    (happy / "labels.csv").write_text("start_s,end_s,track_or_region,label,group\n0,1,,happy,day\n")
    sad = write_bag(folder / "two", [scene((*SQUARE, SAD)), scene()] * 3, stamps(6))
    (sad / "labels.csv").write_text("start_s,end_s,track_or_region,label,group\n0,1,,happy,night\n")
    lone = write_bag(tmp_path / "lone", [scene()] * 2, stamps(2), storage="sqlite3")
    shutil.move(lone / "lone.db3", folder / "three.db3")
    return folder


def test_recordings_are_found_in_subfolders_and_files(folder, tmp_path):
    assert list(find_recordings(folder, exclude=tmp_path / "out")) == ["monday/one", "three", "two"]
    assert list(find_recordings(folder, exclude=folder / "monday")) == ["three", "two"]


def test_labels_come_from_the_bag_the_file_or_the_folder(folder, tmp_path):
    assert labels_of(folder / "two", None) == folder / "two" / "labels.csv"
    assert labels_of(folder / "three.db3", None) is None
    (tmp_path / "labels" / "monday").mkdir(parents=True)
    file = tmp_path / "labels" / "monday" / "one.csv"
    file.write_text("")
    assert labels_of(folder / "monday" / "one", tmp_path / "labels", "monday/one") == file
    assert labels_of(folder / "two", tmp_path / "labels", "two") is None
    assert labels_of(folder / "two", file) == file


def test_labels_of_one_recording_have_the_name_that_it_has_among_several(folder, tmp_path, monkeypatch):
    (folder / "two").rename(folder / "two.v1.2")
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "two.v1.csv").touch()
    assert labels_of(folder / "two.v1.2", labels) is None
    names = list(find_recordings(folder, exclude=tmp_path / "out"))
    assert names[1:] == ["three", "two.v1.2"]
    for name, bag in (("two.v1.2", folder / "two.v1.2"), ("three", folder / "three.db3")):
        (labels / f"{name}.csv").touch()
        assert labels_of(bag, labels) == labels / f"{name}.csv"
    monkeypatch.chdir(folder / "two.v1.2")
    assert labels_of(Path(), labels) == labels / "two.v1.2.csv"


@pytest.mark.guarantee(
    "Names and paths that are not UTF-8, and file:// URLs, can be given, printed and written to reports.",
    section="Programs",
)
def test_a_recording_whose_name_is_not_utf_8_is_named_and_linked(folder, tmp_path):
    (folder / "two").rename(folder / os.fsdecode(b"caf\xe9"))
    report = evaluate(folder, tmp_path / "out")
    assert report["failed"] == {}
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert '<a href="caf%E9/report.html">caf\u00e9</a>' in page


@pytest.mark.slow
def test_many_recordings_give_one_aggregated_report(folder, tmp_path):
    report = evaluate(folder, tmp_path / "out", workers=2)
    assert list(report["bags"]) == ["monday/one", "three", "two"]
    assert report["failed"] == {}
    assert (report["frames"]["in_bag"], report["frames"]["processed"], report["frames"]["without_face"]) == (12, 12, 5)
    assert report["recognition"]["smoothed"]["n"] == 7
    assert report["recognition"]["smoothed"]["accuracy"] == pytest.approx(4 / 7, abs=1e-6)
    assert {name: row["accuracy"] for name, row in report["subgroups"].items()} == {"day": 1.0, "night": 0.0}
    assert report["stability"]["tracks"] == 2  # track 1 of one recording is not track 1 of another
    assert report["duration_s"] == pytest.approx(0.3 + 0.5 + 0.1)
    parts = [json.loads((tmp_path / "out" / name / "report.json").read_text()) for name in report["bags"]]
    assert sum(part["frames"]["in_bag"] for part in parts) == 12
    assert "monday/one/report.html" in (tmp_path / "out" / "report.html").read_text()
    again = evaluate(folder, tmp_path / "again")
    for one in (report, again):
        del one["timing"]
    assert again == report


def test_a_damaged_recording_is_listed_as_failed(folder, tmp_path):
    (folder / "power_cut.mcap").write_bytes(b"\x89MCAP0\r\n")
    (folder / "two" / "labels.csv").write_text("start_s,end_s,track_or_region,label\n0,1,,merry\n")
    report = evaluate(folder, tmp_path / "out")
    assert list(report["bags"]) == ["monday/one", "three"]
    assert list(report["failed"]) == ["power_cut", "two"]
    assert "nothing of this recording can be read" in report["failed"]["power_cut"]
    assert "line 2: label 'merry' is none of the labels of the model" in report["failed"]["two"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Not evaluated" in page
    assert "power_cut" in page


def times(out):
    return {path.parent.name: path.stat().st_mtime_ns for path in out.glob("**/emotions.csv")}


@pytest.mark.slow
def test_what_is_done_is_not_done_again(folder, tmp_path):
    out = tmp_path / "out"
    evaluate(folder, out)
    before = times(out)
    (out / "two" / "report.json").unlink()  # as if the run had been interrupted
    write_bag(folder / "four", [scene()], stamps(1))
    report = evaluate(folder, out)
    after = times(out)
    assert list(report["bags"]) == ["four", "monday/one", "three", "two"]
    assert {name for name in before if after[name] == before[name]} == {"one", "three"}


def as_a_spreadsheet_saves_it(table):
    table.write_text(table.read_text().replace(",", ";"))


def without_its_last_row(table):
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))


def without_its_problems(report):
    report.write_text(
        json.dumps({key: value for key, value in json.loads(report.read_text()).items() if key != "problems"})
    )


@pytest.mark.guarantee(
    "`evaluate-bag` of many recordings takes earlier results only where their tables and report are as it wrote them.",
    section="Recording and replay",
)
def test_results_that_were_changed_are_done_again(folder, tmp_path):
    out = tmp_path / "out"
    first = evaluate(folder, out)
    before = times(out)
    as_a_spreadsheet_saves_it(out / "two" / "emotions.csv")
    without_its_last_row(out / "monday" / "one" / "frames.csv")
    without_its_problems(out / "three" / "report.json")
    report = evaluate(folder, out)
    assert {name for name, time in times(out).items() if time != before[name]} == {"one", "two", "three"}
    assert {**report, "timing": None} == {**first, "timing": None}


@pytest.mark.parametrize(
    "missing",
    [
        "a table",
        pytest.param("the written bag", marks=pytest.mark.slow),
        pytest.param("the content of report.json", marks=pytest.mark.slow),
    ],
)
def test_what_has_lost_a_file_is_done_again(folder, tmp_path, missing):
    out, settings = tmp_path / "out", EXACT
    evaluate(folder, out)
    before = times(out)
    if missing == "a table":
        (out / "two" / "regions.csv").unlink()
    elif missing == "the written bag":
        settings = dataclasses.replace(EXACT, write_bag=True)
    else:
        (out / "two" / "report.json").write_text("[]")
    assert evaluate(folder, out, settings)["failed"] == {}
    changed = {name for name, time in times(out).items() if time != before[name]}
    assert changed == ({"one", "two", "three"} if missing == "the written bag" else {"two"})
    assert (out / "two" / "bag").is_dir() is (missing == "the written bag")


@pytest.mark.slow
@pytest.mark.parametrize("change", ["labels", "bags", "settings"])
def test_what_has_changed_is_done_again(folder, tmp_path, change):
    out = tmp_path / "out"
    evaluate(folder, out)
    before, settings = times(out), EXACT
    if change == "labels":
        (folder / "two" / "labels.csv").unlink()
    elif change == "bags":
        shutil.rmtree(folder / "two")
        write_bag(folder / "two", [scene()], stamps(1))
        (folder / "monday" / "one" / "forgotten.mcap").touch()  # a problem: metadata.yaml does not name it
    else:
        settings = PLAIN
    evaluate(folder, out, settings)
    changed = {name for name, time in times(out).items() if time != before[name]}
    assert changed == {"labels": {"two"}, "bags": {"one", "two"}, "settings": {"one", "two", "three"}}[change]


@pytest.mark.slow
def test_dask_does_what_the_processes_do(folder, tmp_path):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install distributed")
    here = evaluate(folder, tmp_path / "here")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, protocol="tcp"
    ) as cluster:
        there = evaluate(folder, tmp_path / "there", scheduler=cluster.scheduler_address)
    for one in (here, there):
        del one["timing"]
    assert there == here


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"workers": 0}, "--workers 0 is below 1"),
        ({"labels": "a.csv"}, "not a folder; for several recordings give a folder"),
        ({"labels": "."}, "has a CSV file for none of 3 recordings, e.g. "),
        ({"scheduler": "nonsense"}, "--scheduler nonsense"),
    ],
)
def test_what_cannot_work_is_one_clear_line(folder, tmp_path, options, line):
    if "labels" in options:
        options = {"labels": tmp_path / options["labels"]}
    if "scheduler" in options:
        pytest.importorskip("distributed", reason="Dask is not installed: pip install distributed")
    with pytest.raises(ConfigurationError, match=line):
        evaluate(folder, tmp_path / "out", **options)


def test_a_recording_with_the_name_of_a_result_is_refused(folder, tmp_path):
    (folder / "two").rename(folder / "report.json")
    with pytest.raises(ConfigurationError, match="report.json: has the name of a file of the results"):
        evaluate(folder, tmp_path / "out")


def test_a_folder_without_recordings_is_one_clear_line(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordingError, match="no rosbag2 recording in this folder or its subfolders"):
        evaluate(tmp_path / "empty", tmp_path / "out")
    (tmp_path / "empty" / "bad.mcap").write_bytes(b"")
    with pytest.raises(RecordingError, match="none of 1 recordings can be evaluated"):
        evaluate(tmp_path / "empty", tmp_path / "out")


@pytest.mark.guarantee(
    "A worker process of `evaluate-bag` that is killed, e.g. because memory is short, costs its own recording only.",
    section="Recording and replay",
)
def test_a_killed_worker_costs_its_own_recording_only(folder, tmp_path, caplog):
    write_bag(folder / "deadly", [scene(width=200)] * 2, stamps(2))
    report = evaluate_many(
        folder, tmp_path / "out", EXACT, progress=False, make_pipeline=make_deadly_pipeline, workers=2
    )
    assert list(report["failed"]) == ["deadly"]
    assert "the worker process ended" in report["failed"]["deadly"]
    assert "a worker process was killed" in caplog.text
    assert (tmp_path / "out" / "two" / "report.json").is_file()


def test_what_an_earlier_evaluation_wrote_is_not_evaluated(folder, tmp_path):
    out = folder / "results"
    first = evaluate(folder, out, dataclasses.replace(EXACT, write_bag=True))
    assert (out / "two" / "bag").is_dir()
    second = evaluate(folder, tmp_path / "out")
    assert second["frames"] == first["frames"]
    assert list(find_recordings(out / "two", exclude=tmp_path)) == ["bag"]  # if it is asked for


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("nowhere"), os.mkfifo, os.mkdir])
def test_labels_that_cannot_be_read_are_not_left_out(folder, tmp_path, make):
    labels = folder / "two" / "labels.csv"
    labels.unlink()
    make(labels)
    report = evaluate(folder, tmp_path / "out")
    assert list(report["failed"]) == ["two"]
    assert "labels.csv" in report["failed"]["two"]


def test_a_label_file_that_fits_no_recording_is_named(folder, tmp_path, caplog):
    labels = tmp_path / "labels"
    labels.mkdir()
    for name in ("two", "tow"):
        (labels / f"{name}.csv").write_text("start_s,end_s,track_or_region,label\n0,1,,happy\n")
    evaluate(folder, tmp_path / "out", labels=labels)
    assert "labels that are for no recording: tow.csv; expected are names as monday/one.csv" in caplog.text
