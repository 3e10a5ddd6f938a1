# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The C++ example in examples/smile_reaction_cpp, and what a C++ package needs of this one."""

import importlib.util
import shutil
import subprocess
import sys

import pytest
from file_loading import load_file
from node_processes import ROOT
from real_face import need_real_face

pytestmark = pytest.mark.slow

EXAMPLE = ROOT / "examples" / "smile_reaction_cpp"
BUILD_S, RUN_S = 300.0, 500.0


def run(*command, seconds):
    ended = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=seconds)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


@pytest.mark.guarantee(
    "A C++ package finds the messages with `find_package(emotion_perception)`; the example's logic has its test.",
    section="Programs",
)
def test_the_messages_are_found_compiled_and_linked_by_cmake(tmp_path):
    for program in ("cmake", "c++"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here")
    run("cmake", "-S", EXAMPLE / "test", "-B", tmp_path, f"-DPython3_EXECUTABLE={sys.executable}", seconds=BUILD_S)
    run("cmake", "--build", tmp_path, seconds=BUILD_S)
    run(tmp_path / "test_smile_tracker", seconds=10.0)


@pytest.mark.guarantee(
    "Where rclcpp is installed, the C++ example builds with colcon, and its program and its component react to the "
    "demonstration.",
    section="Programs",
)
def test_the_example_builds_and_reacts_to_the_demonstration(tmp_path):
    need_real_face()
    script = load_file(ROOT / "scripts" / "try_cpp_example.py")
    if missing := script.missing_packages():
        pytest.skip(f"this ROS lacks {', '.join(missing)}: tried where ROS is from apt")
    if importlib.util.find_spec("colcon_core") is None and shutil.which("colcon") is None:
        pytest.skip("no colcon here")
    output = run(sys.executable, script.__file__, "--out", tmp_path, seconds=RUN_S)
    assert "both have published a smile" in output
