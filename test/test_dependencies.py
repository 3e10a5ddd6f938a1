# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the source imports and what package.xml, pyproject.toml and requirements/ declare are the same."""

import ast
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from emotion_perception.core import missing_packages

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "emotion_perception"
OWN = {"emotion_perception"}

ROSDEP_KEYS = {  # import -> key of rosdep, where it is another name
    "cv2": "python3-opencv",
    "jinja2": "python3-jinja2",
    "matplotlib": "python3-matplotlib",
    "mcap": "mcap-ros2-support",
    "numpy": "python3-numpy",
    "onnxruntime": "python3-onnxruntime-pip",
    "rosbags": "python3-rosbags-pip",
    "sklearn": "python3-sklearn",
    "tqdm": "python3-tqdm",
    "yaml": "python3-yaml",
}
WITHOUT_ROSDEP_KEY = {"safetensors"}  # in requirements/ros-apt.in
OPTIONAL = {
    "av": "annotate, and the video of the demonstration, which is left out where it is missing",
    "pygame": "annotate --show, with its own message where it is missing",
    "distributed": "evaluate-bag --scheduler, with its own message where it is missing",
    "torch": "the classifier on CUDA, with its own message where it is missing",
}
OF_ROSBAGS = {"backports", "compression", "lz4"}  # its own requirements, by which it reads compressed recordings
NOT_IMPORTED = {
    "ros2launch": "ros2 launch",
    "rosidl_default_runtime": "the messages",
}

DISTRIBUTIONS = {  # import -> distribution on PyPI, where it is another name
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "pygame": "pygame-ce",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
INDIRECT = {  # distributions that are used, but not by an import of ours
    "onnxscript": "torch.onnx",
    "tensorboard": "lightning's TensorBoardLogger",
}
EXTRAS = {  # the folders that work with an extra, beside those of the base
    "bags": ("bags", "reporting"),
    "training": ("training", "benchmark", "reporting"),
    "video": ("annotate", "core/rendering/video.py", "reporting/progress.py"),
    "web": ("web",),
}
GUARDED = {  # imported where they are installed
    "bags": {"distributed"},
    "training": {"openvino"},
    "video": {"pygame"},
    "web": set(),
}
BASE = ("core", "cli.py", "fetch.py")


def files(*names, root=PACKAGE):
    return [path for name in names for path in ([root / name] if name.endswith(".py") else (root / name).rglob("*.py"))]


def imports(*paths):
    """Returns the modules that files import when they run: top-level names."""
    names = {name for path in paths for name in _imports(ast.parse(path.read_text(encoding="utf-8")))}
    return {name for name in names if name not in sys.stdlib_module_names} - OWN - OF_ROSBAGS


def _imports(node):
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, ast.Import):
        yield from (_top(alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield _top(node.module)
    for child in ast.iter_child_nodes(node):
        yield from _imports(child)


def _top(module):
    return module.partition(".")[0]


def test_package_xml_declares_what_is_imported_and_nothing_else():
    package = ElementTree.parse(ROOT / "package.xml").getroot()
    declared = {entry.text for kind in ("depend", "exec_depend") for entry in package.iter(kind)}
    found = imports(*files("annotate", "core", "ros", "bags", "reporting", *BASE[1:]), *(ROOT / "launch").glob("*.py"))
    found -= OPTIONAL.keys()
    needed = {ROSDEP_KEYS.get(name, name) for name in found - WITHOUT_ROSDEP_KEY}
    assert needed - declared == set()
    assert declared - needed == NOT_IMPORTED.keys()
    assert found >= WITHOUT_ROSDEP_KEY


def requirements(text):
    """Returns the names of distributions in a list of requirements."""
    return {re.match(r"[\w.-]+", line)[0] for line in text if re.match(r"\w", line)}


@pytest.fixture(scope="module")
def project():
    """What pyproject.toml declares: extra -> distributions; that of the base is ''."""
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib")
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"": requirements(table["dependencies"])} | {
        extra: requirements(lines) for extra, lines in table["optional-dependencies"].items()
    }


def distributions(names):
    return {DISTRIBUTIONS.get(name, name) for name in names}


def test_the_base_declares_what_core_and_fetch_import(project):
    assert project[""] == distributions(imports(*files(*BASE)) - {"av", "cv_bridge", "torch"})


@pytest.mark.parametrize("extra", list(EXTRAS))
def test_an_extra_declares_what_its_folders_import(project, extra):
    found = distributions(imports(*files(*EXTRAS[extra])) - GUARDED[extra])
    assert found - project[""] - project[extra] == set()
    assert project[extra] - found - INDIRECT.keys() == set()


@pytest.mark.parametrize(("extra", "distribution"), [("cluster", "distributed"), ("window", "pygame-ce")])
def test_an_extra_of_one_distribution(project, extra, distribution):
    assert project[extra] == {distribution}


def test_what_pip_brings_beside_a_ros_from_apt_is_what_apt_lacks():
    package = ElementTree.parse(ROOT / "package.xml").getroot()
    keys = {entry.text for entry in package.iter("exec_depend")}
    by_pip = {key for key in keys if key.endswith("-pip")} | {"mcap-ros2-support"}
    named = requirements((ROOT / "requirements/ros-apt.in").read_text().splitlines())
    wanted = {key.removeprefix("python3-").removesuffix("-pip") for key in by_pip} | WITHOUT_ROSDEP_KEY
    assert named == wanted | {"numpy"}


def test_the_message_about_a_missing_package_knows_what_apt_has():
    of_apt = {name: key for name, key in ROSDEP_KEYS.items() if key.startswith("python3-") and not key.endswith("-pip")}
    assert of_apt == missing_packages._FROM_APT


@pytest.mark.parametrize(
    ("extra", "lists"),
    [
        ("", ["runtime"]),
        ("bags", ["runtime", "bags"]),
        ("cluster", ["test"]),
        ("video", ["video"]),
        ("web", ["web"]),
        ("window", ["window"]),
        ("training", ["runtime", "bags", "test", "torch-cuda"]),
        ("dev", ["test", "bags"]),
    ],
)
def test_the_environment_of_make_has_what_the_extras_declare(project, extra, lists):
    lines = [line for name in lists for line in (ROOT / f"requirements/{name}.in").read_text().splitlines()]
    installed = requirements(lines)
    assert project[extra] - installed == set()
