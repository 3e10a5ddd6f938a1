# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The layouts of Foxglove, PlotJuggler and rqt show topics and fields that exist, in the colors of the overlay."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bag_files import write_bag
from bag_scene import HAPPY, make_pipeline, scene, stamps
from file_loading import load_file
from message_paths import NUMBERS, TOPICS, foxglove_paths, plotjuggler_paths, resolve, rqt_settings

from emotion_perception.bags.evaluation import evaluate_bag
from emotion_perception.bags.inference.settings import Settings
from emotion_perception.bags.io.messages import typestore
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.classification.model_bundle import load_model_bundle
from emotion_perception.core.classification.options import ClassifierOptions
from emotion_perception.core.rendering import EMOTION_COLORS

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "config"
FOXGLOVE = (CONFIG / "foxglove_layout.json").read_text(encoding="utf-8")
PLOTJUGGLER = (CONFIG / "plotjuggler_layout.xml").read_text(encoding="utf-8")
RQT = (CONFIG / "rqt.perspective").read_text(encoding="utf-8")
PROBABILITY = re.compile(r"smoothed_probabilities\[(\d+)\]$")


def labels():
    return load_model_bundle(ClassifierOptions.model).spec.labels


@pytest.fixture
def writer():
    return load_file(ROOT / "scripts" / "write_layouts.py")


def test_the_files_are_up_to_date(writer, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["write_layouts.py", "--check"])
    assert writer.main() == 0, capsys.readouterr().err


def test_the_files_for_a_namespace_differ_in_its_name_alone(writer, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["write_layouts.py", "--namespace", "/robot/front", "--out", str(tmp_path)])
    assert writer.main() == 0
    for name in ("foxglove_layout.json", "plotjuggler_layout.xml", "rqt.perspective"):
        written = (tmp_path / name).read_text(encoding="utf-8")
        assert "/robot/front/emotions" in written
        assert written.replace("/robot/front/", "/") == (CONFIG / name).read_text(encoding="utf-8")


class TestPaths:
    @pytest.mark.guarantee(
        "Every topic and field in the layouts of Foxglove, PlotJuggler and rqt exists.", section="Viewers"
    )
    def test_of_foxglove(self):
        topics, paths = foxglove_paths(FOXGLOVE)
        assert topics <= {*TOPICS}
        assert {"/image_raw", "/image_annotations", "/image_overlay/compressed", "/diagnostics"} == topics
        kinds = {kind for kind, _, _ in paths}
        assert kinds == {"StateTransitions", "Plot"}
        for kind, path, _ in paths:
            found = resolve(typestore(), TOPICS, path)
            assert found in (NUMBERS if kind == "Plot" else {"string"}), path

    @pytest.mark.guarantee(
        "Every topic and field in the layouts of Foxglove, PlotJuggler and rqt exists.", section="Viewers"
    )
    def test_of_plotjuggler(self):
        topics, curves = plotjuggler_paths(PLOTJUGGLER)
        assert topics == {"/emotions"}
        assert len(curves) == len(set(curves)) > 10
        assert {resolve(typestore(), TOPICS, curve) for curve in curves} <= NUMBERS

    @pytest.mark.guarantee(
        "Every topic and field in the layouts of Foxglove, PlotJuggler and rqt exists.", section="Viewers"
    )
    def test_of_rqt(self):
        running, settings = rqt_settings(RQT)
        assert {f"plugin__{name.replace('/', '__')}__{k}" for name in running for k in running[name]} == {*settings}
        assert settings["plugin__rqt_image_view__ImageView__1"] == {"topic": "/image_overlay"}
        plotted = [path for values in settings.values() for path in values.get("topics", ())]
        assert len(plotted) > 7
        assert {resolve(typestore(), TOPICS, path) for path in plotted} <= NUMBERS


@pytest.mark.parametrize(
    "path",
    [
        "/emotion.faces[0].label",
        "/emotions.face[0].label",
        "/emotions.faces[0].emotion",
        "/emotions.faces.label",
        "/emotions.faces[0]",
        "/emotions.model[0]",
        "/emotions.faces[:]{track_id==1}.label",
        "/emotions/faces[0]/face/position_covariance[9]",
    ],
)
def test_a_path_that_leads_nowhere_is_found(path):
    with pytest.raises(AssertionError, match=re.escape(path)):
        resolve(typestore(), TOPICS, path)


class TestLabels:
    """A curve of a label has its place in the arrays of the shipped model, and its color in the overlay."""

    def test_in_foxglove(self):
        panels = json.loads(FOXGLOVE)["configById"]
        series = panels["Plot!probabilities"]["paths"]
        assert [entry["label"] for entry in series] == list(labels())
        for index, entry in enumerate(series):
            assert PROBABILITY.search(entry["value"])[1] == str(index)
            assert entry["color"] == EMOTION_COLORS[entry["label"]]
        for row in panels["StateTransitions!labels"]["paths"]:
            states = {state["value"]: state["color"] for state in row["customStates"]["states"]}
            assert states == {label: EMOTION_COLORS[label] for label in labels()}

    def test_in_plotjuggler(self):
        area = next(ElementTree.fromstring(PLOTJUGGLER).iter("DockArea"))
        curves = {int(PROBABILITY.search(curve.get("name"))[1]): curve.get("color") for curve in area.iter("curve")}
        assert curves == {k: EMOTION_COLORS[label].lower() for k, label in enumerate(labels())}
        for k, label in enumerate(labels()):
            assert f"{k} {label}" in area.get("name")


def test_every_panel_of_foxglove_is_shown_once():
    layout = json.loads(FOXGLOVE)
    shown = re.findall(r'"(\w+!\w+)"', json.dumps([layout["layout"], layout["configById"]["Tab!images"]]))
    assert sorted(shown) == sorted(layout["configById"])


@pytest.mark.guarantee("The recording of `evaluate-bag --write-bag` fits the Foxglove layout.", section="Viewers")
def test_written_recordings_have_what_the_foxglove_layout_shows(tmp_path):
    images, times = [scene((40, 30, 40, HAPPY))] * 5, stamps(5)
    bag = write_bag(tmp_path / "bag", images, times)
    settings = Settings(write_bag=True)
    evaluate_bag(bag, tmp_path / "out", settings, progress=False, make_pipeline=make_pipeline)
    topics, paths = foxglove_paths(FOXGLOVE)
    with Recording(tmp_path / "out" / "bag") as recording:
        types = {topic.name: topic.type for topic in recording.topics}
        definitions = {topic.name: topic.definition for topic in recording.topics}
    assert topics <= {*types}
    assert types == {name: TOPICS.get(name, kind) for name, kind in types.items()}
    for _, path, _ in paths:
        assert resolve(typestore(), types, path)
    assert "foxglove_msgs/PointsAnnotation[] points" in definitions["/image_annotations"]
