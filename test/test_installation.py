# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The package as others get it: a wheel by pip, a tree by colcon, a shell by scripts/env.sh."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from bag_files import write_bag

ROOT = Path(__file__).parents[1]
NODES = [
    "camera_node",
    "emotion_classifier_node",
    "emotion_perception_composed",
    "face_detection_node",
    "overlay_node",
]
MESSAGES = sorted(path.name for path in ROOT.glob("msg/*.msg"))
FROM_ANYWHERE = [pytest.param(ROOT, id="root"), pytest.param("/", id="elsewhere")]


def run(*command, cwd="/", env=None):
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A folder with this package installed from its wheel; what it needs comes from the Python that runs this."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"  # setuptools writes build/ into the tree that it builds
    run("mkdir", source)
    run("cp", "-r", *(ROOT / name for name in ("emotion_perception", "msg", "README.md", "pyproject.toml")), source)
    run("cp", ROOT / "setup.py", source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    options = ["--no-deps", "--no-build-isolation", "--no-index"]
    built = run(*pip, "wheel", *options, f"--wheel-dir={folder}", source)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("emotion_perception-*.whl")
    installed = run(*pip, "install", *options, f"--target={folder / 'site'}", wheel)
    assert installed.returncode == 0, installed.stderr
    return folder / "site"


@pytest.fixture
def without_ros(environment):
    """Variables with which Python finds the installed wheel and nothing that colcon built."""
    hidden = ("AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return kept | {"PYTHONPATH": str(environment)}


def test_the_wheel_carries_all_message_texts(environment):
    carried = {path.name: path.read_text() for path in (environment / "emotion_perception/bags/msg").iterdir()}
    assert carried == {name: (ROOT / "msg" / name).read_text() for name in MESSAGES}


def test_the_wheel_carries_every_file_of_the_package(environment):
    paths = [path for path in (ROOT / "emotion_perception").rglob("*") if path.is_file()]
    shipped = {path.relative_to(ROOT) for path in paths if "__pycache__" not in path.parts}
    assert Path("emotion_perception/models/manifest.json") in shipped
    assert [path for path in sorted(shipped) if not (environment / path).is_file()] == []


def test_the_wheels_modules_import_from_elsewhere(without_ros, environment):
    done = run(sys.executable, "-c", "import emotion_perception.fetch as f; print(f.__file__)", env=without_ros)
    assert done.stdout.strip() == str(environment / "emotion_perception/fetch.py"), done.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["--help"], 0), (["fetch", "--print-path", "yunet"], 0), (["models"], 0), ([], 2), (["no-such"], 2)],
)
def test_the_wheels_command_runs_from_elsewhere(without_ros, environment, arguments, status):
    done = run(sys.executable, environment / "bin/emotion-perception", *arguments, env=without_ros)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


def test_the_wheel_evaluates_a_recording_without_ros(without_ros, environment, tmp_path):
    bag = write_bag(
        tmp_path / "bag", [np.full((120, 160, 3), 90, np.uint8)] * 3, [10**18 + k * 10**8 for k in range(3)]
    )
    command = [sys.executable, environment / "bin/emotion-perception", "evaluate-bag", bag, "--out", tmp_path / "out"]
    done = run(*command, env=without_ros)
    if "emotion-perception fetch yunet" in done.stderr:
        pytest.skip(f"the real detector is needed: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert "3 frames in 0.2 s, 3 processed, 3 without face" in done.stdout
    assert (tmp_path / "out" / "report.html").is_file()


def test_package_xml_and_pyproject_agree():
    package = ElementTree.parse(ROOT / "package.xml").getroot()
    project = (ROOT / "pyproject.toml").read_text()
    assert re.search(r'^version = "(.*?)"', project, re.MULTILINE)[1] == package.findtext("version")
    assert re.search(r'^name = "(.*?)"', project, re.MULTILINE)[1] == package.findtext("name")


def test_cmake_knows_every_message():
    build = (ROOT / "CMakeLists.txt").read_text()
    assert sorted(re.findall(r"msg/(\w+\.msg)", build)) == MESSAGES
    assert sorted(re.findall(r"srv/(\w+\.srv)", build)) == sorted(path.name for path in ROOT.glob("srv/*.srv"))


@pytest.fixture
def built():
    """The prefix that colcon has installed this package to."""
    index = pytest.importorskip("ament_index_python.packages", reason="no ROS here: make test brings one")
    try:
        return Path(index.get_package_prefix("emotion_perception"))
    except index.PackageNotFoundError:
        pytest.skip("colcon has not built the package here: make test does")


def test_colcon_installs_the_message_texts_too(built):
    (folder,) = built.glob("l*/python3*/*-packages/emotion_perception/bags/msg")
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        name: (ROOT / "msg" / name).read_text() for name in MESSAGES
    }


@pytest.mark.parametrize("cwd", FROM_ANYWHERE)
def test_messages_import_beside_our_own_modules(built, cwd):
    code = (
        "from emotion_perception.msg import EmotionArray; import emotion_perception.core.types; print(EmotionArray.OK)"
    )
    done = run(sys.executable, "-c", code, cwd=cwd)
    assert done.stdout.strip() == "0", done.stderr


@pytest.mark.parametrize("name", [*NODES, "emotion-perception"])
def test_every_program_is_where_ros2_run_looks(built, name):
    assert os.access(built / "lib/emotion_perception" / name, os.X_OK)


@pytest.mark.parametrize("name", ["launch", "config"])
def test_what_launch_needs_is_in_share(built, name):
    assert any((built / "share/emotion_perception" / name).iterdir())


@pytest.mark.parametrize("name", ["foxglove_layout.json", "plotjuggler_layout.xml", "rqt.perspective"])
def test_the_layouts_of_viewers_are_in_share(built, name):
    installed = built / "share/emotion_perception/config" / name
    assert installed.read_bytes() == (ROOT / "config" / name).read_bytes()


@pytest.mark.parametrize("cwd", FROM_ANYWHERE)
def test_a_shell_that_sources_env_sh_has_everything(built, cwd):
    script = f"""
        source "{ROOT}/scripts/env.sh" || exit
        case "$-" in *u*) ;; *) exit 3 ;; esac
        python -c 'from emotion_perception.msg import EmotionArray' || exit
        emotion-perception fetch --print-path yunet
    """
    hidden = ("AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
    bare = {name: value for name, value in os.environ.items() if name not in hidden}
    done = run("bash", "-eu", "-c", script, cwd=cwd, env=bare)
    assert done.returncode == 0, done.stderr
    assert "yunet" in done.stdout


@pytest.mark.guarantee(
    "After `source scripts/env.sh` no program loads libraries or modules from the current folder.",
    section="Programs",
)
@pytest.mark.parametrize(("before", "kept"), [("", []), (":", []), ("/a::/b:", ["/a", "/b"])])
def test_a_shell_that_sources_env_sh_searches_no_current_folder(built, before, kept):
    names = ("LD_LIBRARY_PATH", "PYTHONPATH")
    script = f'source "{ROOT}/scripts/env.sh" && printf "%s\\n" "$LD_LIBRARY_PATH" "$PYTHONPATH"'
    bare = {name: value for name, value in os.environ.items() if name not in ("AMENT_PREFIX_PATH", "VIRTUAL_ENV")}
    done = run("bash", "-c", script, env=bare | dict.fromkeys(names, before))
    assert done.returncode == 0, done.stderr
    for entries in (line.split(":") for line in done.stdout.splitlines()):
        assert all(entries), "an empty entry stands for the current folder"
        assert [entry for entry in entries if entry in ("/a", "/b")] == kept


def test_env_sh_says_what_to_do_where_nothing_is_built(tmp_path):
    run("mkdir", tmp_path / "scripts")
    run("cp", ROOT / "scripts/env.sh", tmp_path / "scripts")
    bare = {name: value for name, value in os.environ.items() if not name.startswith("EMOTION_PERCEPTION_")}
    done = run("bash", "-c", f"source '{tmp_path}/scripts/env.sh'", env=bare)
    assert done.returncode == 1
    assert "run 'make env DISTRO=" in done.stderr
    assert done.stderr.count("\n") == 1
