# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tests that the benchmark runs and that its images are as described; the measured values are not tested."""

import importlib.util
import json
import time

import pytest
from real_face import need_real_face

from emotion_perception.benchmark.commands.benchmark import SECTIONS
from emotion_perception.benchmark.machine import describe_machine
from emotion_perception.benchmark.scene import FACES, HD, VGA, Scene
from emotion_perception.benchmark.startup import NODE_MODULES
from emotion_perception.cli import main
from emotion_perception.core.detection.factory import create_detector, select_faces
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.retired_names import BENCHMARK_SECTIONS
from emotion_perception.reporting.timing import time_interleaved


@pytest.fixture(scope="module")
def scene():
    need_real_face()
    try:
        return Scene()
    except ModelFileError as e:
        pytest.skip(f"the clip is needed: {e}")


def test_compared_functions_are_called_alternately():
    calls = []
    times = time_interleaved(
        {"a": lambda: calls.append("a"), "b": lambda: time.sleep(0.002)}, rounds=4, what="test", warm_up=1
    )
    assert calls == ["a"] * 5
    assert times["b"]["p50"] >= 2 > times["a"]["p50"]
    assert list(times["a"]) == ["p50", "p90", "p99"]


def test_the_machine_is_described():
    machine = describe_machine()
    assert machine["cores"] >= 1
    assert machine["packages"]["numpy"]
    assert machine["date"].startswith("20")
    json.dumps(machine)


@pytest.mark.parametrize("faces", FACES)
@pytest.mark.parametrize("size_wh", [VGA, HD])
def test_images_have_the_given_size(scene, size_wh, faces):
    assert scene.image(5, size_wh, faces).shape == (size_wh[1], size_wh[0], 3)


@pytest.mark.parametrize("faces", [1, 8])
def test_images_have_the_given_number_of_faces(scene, faces):
    config = DetectorOptions()
    found = select_faces(create_detector(config).detect(scene.image(0, VGA, faces)), config)
    assert len(found) == faces


@pytest.mark.slow
def test_sections_are_measured_and_written(scene, tmp_path, capsys):
    assert main(["benchmark", "--quick", "--only", "scaling,detection", "--out", str(tmp_path)]) == 0
    assert list(json.loads((tmp_path / "bench.json").read_text())) == ["scaling", "detection"]
    assert "### Image size" in capsys.readouterr().out


def test_an_unknown_section_is_refused_in_one_line(capsys):
    assert main(["benchmark", "--only", "nothing"]) == 1
    assert capsys.readouterr().err == f"emotion-perception: --only nothing: none of {', '.join(SECTIONS)}\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--seconds", "-1"], "--seconds -1.0 is not a number of seconds above 0"),
        (["--seconds", "nan"], "--seconds nan is not a number of seconds above 0"),
        (["--rounds", "0"], "--rounds 0 is below 1"),
        (["--document", "none.md"], "none.md: No such file or directory"),
        (["--document", "mine.md"], "mine.md: the markers <!-- begin of measurement --> and"),
    ],
)
def test_what_cannot_be_measured_or_written_is_refused_before_the_measurement(
    tmp_path, monkeypatch, capsys, arguments, line
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.md").write_text("notes")
    assert main(["benchmark", "--quick", "--only", "scaling", "--out", "out", *arguments]) == 1
    assert capsys.readouterr().err.startswith(f"emotion-perception: {line}")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("old", "new"), BENCHMARK_SECTIONS.items())
def test_a_retired_section_is_refused_with_its_present_name(capsys, old, new):
    assert new in SECTIONS
    assert main(["benchmark", "--only", old]) == 1
    assert capsys.readouterr().err == f"emotion-perception: --only {old} is now called {new}\n"


@pytest.mark.parametrize("module", NODE_MODULES.values())
def test_the_modules_whose_import_is_measured_exist(module):
    assert importlib.util.find_spec(module) is not None
