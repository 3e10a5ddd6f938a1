# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from scipy.stats import bootstrap

from emotion_perception.core.errors import DatasetError
from emotion_perception.reporting.metrics import Predictions, summarize
from emotion_perception.training.datasets import FaceDataset, Problem
from emotion_perception.training.evaluate.subgroup_metrics import measure_subgroups, read_subgroups

NAMES = np.array(["a.png", "b/c.png", "d.png"])


def data(count=3, **extra):
    return FaceDataset(np.zeros((count, 2, 2), np.uint8), np.zeros(count, np.int64), ("anger",), **extra)


@pytest.fixture
def write(tmp_path):
    def write_text(text, encoding="utf-8"):
        path = tmp_path / "groups.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write_text


def answers(accuracies, labels=("x", "y", "z"), seed=0):
    """Returns answers of which each group of 100 has the given accuracy, and the groups."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(labels), 100 * len(accuracies))
    groups = np.repeat([f"group {k}" for k in range(len(accuracies))], 100)
    right = np.concatenate([np.arange(100) < round(100 * accuracy) for accuracy in accuracies])
    chosen = np.where(right, truth, (truth + 1) % len(labels))
    return Predictions(np.eye(len(labels), dtype=np.float32)[chosen], truth, labels), {"kind": groups}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("index,gender\n0,woman\n2,man\n", {"gender": ["woman", "", "man"]}),
        ("gender,index,tone\n man ,1,5\n,0,6\n", {"gender": ["", "man", ""], "tone": ["6", "5", ""]}),
        ("filename,gender\nb/c.png,woman\n", {"gender": ["", "woman", ""]}),
        ('\ufeffindex,gender\r\n\r\n0,"a, b"\r\n', {"gender": ["a, b", "", ""]}),
        ("index,gender\n", {"gender": ["", "", ""]}),
        ("index,tone\n0,a\x1b[31m\n", {"tone": [r"a\x1b[31m", "", ""]}),
    ],
)
def test_a_groups_file_names_images_by_number_or_by_file(write, text, expected):
    found = read_subgroups(write(text), data(filenames=NAMES))
    assert {name: column.tolist() for name, column in found.items()} == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the header needs one column 'index' or 'filename', it has nothing"),
        ("gender,tone\n", "line 1: the header needs one column 'index' or 'filename', it has gender, tone"),
        ("index,filename,tone\n", "line 1: the header needs one column"),
        ("index\n0\n", "line 1: beside 'index' the header needs columns"),
        ("index,tone,tone\n", "line 1: beside 'index' the header needs columns with different names"),
        ("index,tone\n0,5\n1\n", "line 3: 1 cells, the header has 2"),
        ("index,tone\n0,5,6\n", "line 2: 3 cells, the header has 2"),
        ("index,tone\nzero,5\n", "line 2: index 'zero' is not a whole number"),
        ("index,tone\n-1,5\n", "line 2: index '-1' is not a whole number"),
        ("index,tone\n3,5\n", "line 2: index 3 is not within 0..2"),
        pytest.param(f"index,tone\n{'9' * 5000},5\n", "line 2: index 999", id="digits"),
        ("index,tone\n1,5\n0,6\n1,5\n", "line 4: names the same image as line 2"),
        ("filename,tone\na.png,5\nc.png,5\n", "line 3: no image 'c.png' in the dataset"),
        ('index,tone\n0,"5\n', "line 2: not a table (unexpected end of data"),
    ],
)
def test_a_wrong_groups_file_is_named_by_its_line(write, text, words):
    path = write(text)
    with pytest.raises(DatasetError) as raised:
        read_subgroups(path, data(filenames=NAMES))
    assert str(raised.value).startswith(f"{path}: {words}")
    assert "\n" not in str(raised.value)


def test_a_groups_file_that_is_missing_or_no_text_is_one_line(write, tmp_path):
    with pytest.raises(DatasetError, match="absent.csv: No such file"):
        read_subgroups(tmp_path / "absent.csv", data())
    with pytest.raises(DatasetError, match="groups.csv: not a text file"):
        read_subgroups(write("index,\0\n"), data())


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_a_groups_file_may_come_from_a_spreadsheet(write, encoding):
    found = read_subgroups(write("sep=;\r\nindex;größe\r\n1;groß\r\n", encoding), data())
    assert {name: column.tolist() for name, column in found.items()} == {"größe": ["", "groß", ""]}


def test_names_need_data_that_has_names(write):
    with pytest.raises(DatasetError, match="line 1: the dataset has no file names: use a column 'index'"):
        read_subgroups(write("filename,tone\na.png,5\n"), data())


def test_names_need_data_in_which_each_is_there_once(write):
    twice = data(filenames=np.array(["a.png", "a.png", "d.png"]))
    with pytest.raises(DatasetError, match="line 1: 3 images of the dataset have 2 file names: use a column 'index'"):
        read_subgroups(write("filename,tone\na.png,5\n"), twice)


def test_numbers_need_data_of_which_nothing_was_left_out(write):
    holed = data(filenames=NAMES, problems=(Problem("corrupt image", 1),))
    with pytest.raises(DatasetError, match="line 1: images of the dataset were left out, which changes the indices"):
        read_subgroups(write("index,tone\n0,5\n"), holed)
    assert read_subgroups(write("filename,tone\na.png,5\n"), holed)["tone"].tolist() == ["5", "", ""]
    whole = data(problems=(Problem("missing split", 1, total=2),))
    assert read_subgroups(write("index,tone\n0,5\n"), whole)["tone"].tolist() == ["5", "", ""]


def test_a_groups_file_may_name_as_many_images_more_as_were_left_out(write):
    holed = data(filenames=NAMES, problems=(Problem("person below 10 years", 1, is_fault=False),))
    assert read_subgroups(write("filename,tone\na.png,5\nyoung.png,5\n"), holed)["tone"].tolist() == ["5", "", ""]
    with pytest.raises(DatasetError, match="line 4: no image 'c.png' in the dataset"):
        read_subgroups(write("filename,tone\na.png,5\nyoung.png,5\nc.png,6\n"), holed)


def test_each_group_has_its_own_figures():
    given, groupings = answers([0.9, 0.6])
    groups = measure_subgroups(given, groupings, seed=0)["kind"]["groups"]
    assert list(groups) == ["group 0", "group 1"]
    assert (groups["group 0"]["n"], groups["group 0"]["accuracy"], groups["group 1"]["accuracy"]) == (100, 0.9, 0.6)
    assert groups["group 1"]["macro_f1"] == summarize(given.select(np.arange(200) >= 100))["macro_f1"]


def test_the_interval_is_that_of_a_bootstrap_over_the_images():
    given, groupings = answers([0.8])
    group = measure_subgroups(given, groupings, seed=0)["kind"]["groups"]["group 0"]

    def f1(rows):
        return summarize(Predictions(given.probabilities[rows], given.truth[rows], given.labels))["macro_f1"]

    for figure, statistic, values in (
        ("accuracy", np.mean, given.correct()),
        ("macro_f1", f1, np.arange(100)),
    ):
        low, high = bootstrap(
            (values,), statistic, vectorized=False, n_resamples=300, method="percentile", rng=np.random.default_rng(0)
        ).confidence_interval
        assert group[f"{figure}_interval"] == pytest.approx([low, high], abs=0.02)


@pytest.mark.parametrize(("count", "claims"), [(29, False), (30, True)])
def test_no_claim_is_made_on_fewer_than_30_images(count, claims):
    given, _ = answers([0.5])
    column = np.array(["few"] * count + ["many"] * (100 - count))
    measured = measure_subgroups(given, {"kind": column}, seed=0)["kind"]
    assert measured["groups"]["few"]["n"] == count
    assert ("accuracy" in measured["groups"]["few"]) == claims
    assert (measured["largest_gap"]["accuracy"] is not None) == claims


def test_the_largest_gap_is_between_the_best_and_the_worst_group():
    given, groupings = answers([0.7, 0.95, 0.5])
    gap = measure_subgroups(given, groupings, seed=0)["kind"]["largest_gap"]["accuracy"]
    assert (gap["lowest"], gap["highest"], gap["gap"]) == ("group 2", "group 1", 0.45)
    low, high = gap["interval"]
    assert 0.3 < low < 0.45 < high < 0.6


def test_images_without_a_group_are_counted_and_nothing_else():
    given, groupings = answers([0.7, 0.7])
    groupings["kind"][:40] = ""
    measured = measure_subgroups(given, groupings, seed=0)["kind"]
    assert measured["without_group"] == 40
    assert {name: row["n"] for name, row in measured["groups"].items()} == {"group 0": 60, "group 1": 100}


def test_the_same_seed_gives_the_same_intervals():
    given, groupings = answers([0.7, 0.8])
    first, second, other = (measure_subgroups(given, groupings, seed=seed) for seed in (0, 0, 1))
    assert first == second != other
