# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import base64
import json
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from emotion_perception.training.evaluate import report as report_module
from emotion_perception.training.evaluate.plots import draw_examples
from emotion_perception.training.evaluate.report import as_markdown, write_report
from emotion_perception.training.evaluate.robustness import CHANGES

SECTIONS = [
    "Summary",
    "Per class",
    "Confusion",
    "Calibration",
    "Coverage",
    "Robustness",
    "Subgroups",
    "Limitations",
    "Provenance",
]
STEPS = [{"severity": k, "accuracy": 0.61 - k / 10, "abstention": 0.21 + k / 10} for k in (1, 2)]
ROBUSTNESS = {
    "min_confidence": 0.5,
    "unchanged": {"accuracy": 0.71, "abstention": 0.12},
    "changes": {change.name: {"severity": change.severity, "steps": STEPS} for change in CHANGES},
}
ROW = {"accuracy": 0.712, "accuracy_interval": [0.661, 0.763], "macro_f1": 0.654, "macro_f1_interval": [0.6, 0.7]}
GAP = {"lowest": "b|c", "highest": "<a>", "gap": 0.087, "interval": [-0.012, 0.186]}
GROUPS = {
    "file": "groups.csv",
    "sha256": "e" * 64,
    "columns": {
        "tone": {
            "groups": {"<a>": {"n": 90, **ROW}, "b|c": {"n": 80, **ROW}, "few": {"n": 29}},
            "without_group": 7,
            "largest_gap": {"accuracy": GAP, "macro_f1": None},
        },
        "age": {
            "groups": {"old": {"n": 3}},
            "without_group": 0,
            "largest_gap": {"accuracy": None, "macro_f1": None},
        },
    },
}


class Page(HTMLParser):
    """Collects the tags that are open, the headings, all text, and everything that a page would load."""

    def __init__(self, text):
        super().__init__()
        self.open, self.headings, self.text, self.loaded, self.problems = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
        self.loaded += [value for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(tag)

    def handle_data(self, data):
        if self.open[-1:] == ["h2"]:
            self.headings.append(data)
        self.text.append(data)


def write(report, out, **options):
    out.mkdir(exist_ok=True)
    write_report(report, out, **options)
    return Page((out / "report.html").read_text())


@pytest.fixture
def quick_plots(monkeypatch):
    """Replaces the plots, which take their time, by one blank figure each."""
    names = ("confusion", "reliability", "coverage", "robustness")
    monkeypatch.setattr(report_module, "draw_all", lambda report: {name: Figure((0.1, 0.1)) for name in names})


@pytest.fixture
def full(make_report):
    return make_report(robustness=ROBUSTNESS, subgroups=GROUPS, data_options={"votes": "none"})


GAIN = {"accuracy": 0.9, "accuracy_interval": [0.8, 1], "balanced_accuracy": 0.7, "balanced_accuracy_interval": [0, 1]}
BASELINE = {
    **{"by": "subject", "class": "neutral", "files": "*_normal", "num_subjects": 15, "without_rest": 3},
    **{"relative": GAIN, "alone": GAIN, "gain": GAIN},
}


def test_a_report_relative_to_rest_says_so(make_report, tmp_path, quick_plots):
    page = write(make_report(baseline=BASELINE), tmp_path / "out")
    assert "Relative to rest" in page.headings
    markdown = (tmp_path / "out" / "report.md").read_text()
    assert "one resting image (neutral, *_normal) of each of 15 subjects" in markdown
    assert "| relative | 90.0% (80.0% to 100.0%) | 70.0% (0.0% to 100.0%) |" in markdown


@pytest.mark.parametrize("parts", [{}, {"robustness": ROBUSTNESS}, {"subgroups": GROUPS}])
def test_the_page_is_whole_and_loads_nothing(make_report, tmp_path, parts, quick_plots):
    page = write(make_report(**parts), tmp_path / "out")
    assert page.headings == SECTIONS
    assert (page.open, page.problems) == ([], [])
    assert page.loaded
    assert all(address.startswith("data:image/png;base64,") for address in page.loaded)
    text = (tmp_path / "out" / "report.html").read_text()
    assert not re.search(r"https?://|@import|<script|<link|url\(", text)
    assert 'name="viewport"' in text


def test_every_plot_is_an_image_in_the_page_and_a_file_beside_it(full, tmp_path):
    page = write(full, tmp_path)
    embedded = {base64.b64decode(address.partition(",")[2]) for address in page.loaded}
    files = {path.stem: path.read_bytes() for path in tmp_path.glob("*.png")}
    assert files.keys() == {"confusion", "reliability", "coverage", "robustness"}
    assert embedded == {files[name] for name in ("reliability", "coverage", "robustness")}, "confusion is a table there"
    for png in files.values():
        assert cv2.imdecode(np.frombuffer(png, np.uint8), 0).std() > 5


def test_markdown_and_page_show_the_figures_of_the_json(full, tmp_path, quick_plots):
    page = write(full, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text()) == json.loads(json.dumps(full))
    html, markdown = " ".join(" ".join(page.text).split()), (tmp_path / "report.md").read_text()
    shown = [f"{row[key]:.1%}" for row in full["subsets"].values() for key in ("accuracy", "balanced_accuracy", "ece")]
    shown += [f"{row[key]:.1%}" for row in full["per_class"].values() for key in ("precision", "recall", "f1")]
    shown += [f"{row['brier']:.3f}" for row in full["subsets"].values()]
    shown += [f"{step[key]:.1%}" for step in STEPS for key in ("accuracy", "abstention")]
    shown += [f"{full['coverage']['rule'][key]:.1%}" for key in ("coverage", "accuracy")]
    shown += ["71.2% (66.1% to 76.3%)", "8.7%", "(-1.2% to 18.6%)", "too few", "7 images have no group", "votes=none"]
    shown += [full["model_sha256"], full["data_sha256"], full["timing"]["command"], full["timing"]["date"], "512.5 MiB"]
    shown += full["limitations"]
    assert [text for text in shown if text not in html] == []
    assert [text for text in shown if text not in markdown] == []


def test_names_of_groups_cannot_break_the_page(full, tmp_path, quick_plots):
    write(full, tmp_path)
    assert "&lt;a&gt;" in (tmp_path / "report.html").read_text()
    rows = [line for line in (tmp_path / "report.md").read_text().splitlines() if line.startswith("| b\\|c")]
    assert len(re.split(r"(?<!\\)\|", rows[0])) == 6, "four cells"


def test_tables_of_markdown_have_as_many_cells_as_their_heads(full):
    head = None
    for line in as_markdown(full).splitlines():
        cells = len(re.split(r"(?<!\\)\|", line)) if line.startswith("|") else None
        assert cells is None or head is None or cells == head, line
        head = cells


def test_what_was_not_measured_is_said(make_report, tmp_path):
    page = write(make_report(), tmp_path)
    for text in (" ".join(page.text), (tmp_path / "report.md").read_text()):
        assert text.count("Not measured") == 2
    assert not (tmp_path / "robustness.png").exists()


@pytest.mark.parametrize("shape", [(48, 48), (30, 20, 3)])
def test_a_face_is_in_the_page_when_it_was_asked_for(full, tmp_path, shape, quick_plots):
    face = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    page = write(full, tmp_path, example=face)
    shown = f"data:image/png;base64,{base64.b64encode((tmp_path / 'examples.png').read_bytes()).decode()}"
    assert shown in page.loaded
    assert "examples.png" in (tmp_path / "report.md").read_text()


def test_the_strip_shows_the_face_and_each_change_of_it():
    figure = draw_examples(np.full((48, 48), 100, np.uint8), seed=0)
    (axes,) = figure.axes
    titles = [text.get_text() for text in axes.texts]
    assert len(titles) == sum(1 + len(change.severities) for change in CHANGES)
    assert titles[:4] == ["mouth covered", "0.15", "0.25", "0.35"]
    strip = axes.images[0].get_array()
    places = [(int(text.get_position()[1]) + 80, int(text.get_position()[0]) + 50) for text in axes.texts]
    assert [int(strip[place][0]) for place in places[:4]] == [100, 0, 0, 0], "the mouth is black"
    plt.close(figure)
