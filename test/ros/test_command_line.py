# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command line of the installed programs: help, wrong arguments, unknown and retired parameters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from node_processes import COMPOSED, NODES, ROOT, installed, lines_of

from emotion_perception.core.options import option_fields
from emotion_perception.core.retired_names import PARAMETERS
from emotion_perception.ros.config import NODE_CONFIGS
from emotion_perception.ros.demo import runner
from emotion_perception.ros.parameters import read_sections

PROGRAMS = {**{name: (name,) for name in NODE_CONFIGS}, COMPOSED: NODES}
TIMEOUT_S = 30.0


def run(program, *arguments):
    return subprocess.run([installed(program), *arguments], capture_output=True, text=True, cwd="/", timeout=TIMEOUT_S)


def refusal(program, *arguments, code):
    """Returns the one line with which a program ends; the composed process adds one that names the node."""
    ended = run(program, *arguments)
    output = ended.stdout + ended.stderr
    assert ended.returncode == code, output
    line, *others = lines_of(output)
    assert all("so all nodes of its process end" in other for other in others), output
    assert len(others) <= (program == COMPOSED), output
    return line


@pytest.mark.guarantee("Every program explains itself with `--help` and does not start.", section="Every node")
@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_help_has_topics_and_every_parameter_and_starts_nothing(program, option):
    ended = run(program, option, "--ros-args", "-r", "__ns:=/robot1")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == "", "no log line: ROS was not started"
    for node in PROGRAMS[program]:
        for field in option_fields(NODE_CONFIGS[node]):
            assert f"  {field.name} (default " in ended.stdout
    assert "--ros-args -p NAME:=VALUE" in ended.stdout
    assert program == COMPOSED or "Publishes" in ended.stdout or "Subscribes" in ended.stdout
    assert max(len(line) for line in ended.stdout.splitlines()) <= 120


def test_an_argument_that_is_not_utf_8_is_one_line_and_exit_code_2():
    rule = os.fsdecode(b"video_device:=/data/caf\xe9.mp4")
    line = refusal("camera_node", "--ros-args", "-p", rule, code=2)
    assert line == "camera_node: video_device:=/data/caf\u00e9.mp4: not UTF-8, as ROS needs each argument to be"


@pytest.mark.parametrize("arguments", [["--frobnicate"], ["bag"], ["--ros-args", "-p", "x"], ["--ros-args", "--what"]])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_wrong_argument_is_one_line_and_exit_code_2(program, arguments):
    line = refusal(program, *arguments, code=2)
    assert line.startswith(f"{program}: ")
    assert arguments[-1] in line


@pytest.mark.guarantee(
    "A parameter that a node does not have is refused at start; the line names the one that is meant.",
    section="Every node",
)
@pytest.mark.parametrize(
    ("program", "given", "line"),
    [
        ("camera_node", "frame_rate:=3.0", "camera_node has no parameter frame_rate, did you mean framerate?"),
        ("camera_node", "detector:=haar", "camera_node has no parameter detector"),
        ("overlay_node", "zzz:=1", "overlay_node has no parameter zzz; --help lists"),
        ("bag_player", "speed:=1.0", "bag_player has no parameter speed"),
        ("bag_recorder", "topic:=[a]", "bag_recorder has no parameter topic, did you mean topics?"),
        (COMPOSED, "frame_rate:=3.0", "camera_node has no parameter frame_rate, did you mean framerate?"),
        (COMPOSED, "score_treshold:=0.5", "did you mean score_threshold?"),
        *[
            ("face_detection_node", f"{old}:=1", f"parameter {old} is called {new} now")
            for old, new in PARAMETERS.items()
        ],
    ],
)
def test_a_parameter_that_is_not_there_is_one_line_and_exit_code_78(program, given, line):
    assert line in refusal(program, "--ros-args", "-p", given, code=78)


@pytest.mark.guarantee(
    "What ROS itself refuses at start (a type, a name that is too long, topics of two types with one name), and a "
    "parameter for a node that is not there, is one line and an exit code after which no node is restarted.",
    section="Every node",
)
@pytest.mark.parametrize(
    ("program", "words", "code", "line"),
    [
        ("camera_node", ["-p", "autostart:=maybe"], 78, "autostart"),
        ("bag_recorder", ["-p", "use_sim_time:=7"], 78, "use_sim_time"),
        ("camera_node", ["-r", "__ns:=/" + "a" * 300], 2, "is not a namespace (namespace should not exceed"),
        ("camera_node", ["-r", "__ns:=/" + "a" * 230], 78, "too long: Invalid service name"),
        ("overlay_node", ["-r", "markers:=image_overlay"], 78, "incompatible type"),
        ("camera_node", ["-p", f"frame_id:={'a' * 1025}"], 78, "frame_id has 1025 characters, more than 1024"),
        ("camera_node", ["-p", "camra_node:framerate:=5.0"], 2, "did you mean camera_node?"),
        (COMPOSED, ["--param", "overley_node:draw_bars:=true"], 2, "did you mean overlay_node?"),
        (COMPOSED, ["-r", "__node:=one"], 2, "give camera_node:__node:=one"),
        (
            "camera_node",
            ["-p", "qos_overrides./image_rw.publisher.depth:=3"],
            78,
            "did you mean qos_overrides./image_raw.publisher.depth?",
        ),
        (COMPOSED, ["-p", "qos_overrides./image_raw.publsher.depth:=3"], 78, "no parameter qos_overrides./image_raw"),
        ("bag_player", ["-p", "qos_overrides./image_raw.publisher.depth:=3"], 78, "no parameter qos_overrides./image"),
        (
            COMPOSED,
            ["-p", "qos_overrides./frnt/image_raw.subscription.depth:=3"],
            78,
            "no node of this process has the parameter qos_overrides./frnt/image_raw.subscription.depth, did you mean",
        ),
        (
            "camera_node",
            ["-p", "qos_overrides./image_raw.publisher.history:=nonsense"],
            78,
            "qos_overrides./image_raw.publisher.history 'nonsense' is none of system_default, keep_last, keep_all",
        ),
        (
            "face_detection_node",
            ["-p", "qos_overrides./image_raw.subscription.depth:=-1"],
            78,
            "qos_overrides./image_raw.subscription.depth -1 is not a whole number from 0 to 2147483647",
        ),
        (
            "overlay_node",
            ["-p", "qos_overrides./image_raw.subscription.reliability:=7"],
            78,
            "qos_overrides./image_raw.subscription.reliability 7 is none of auto, reliable, best_effort",
        ),
    ],
)
def test_what_ros_refuses_or_would_ignore_at_start_is_one_line(ros_domain, program, words, code, line):
    refused = refusal(program, "--ros-args", *words, code=code)
    assert line in refused
    assert "unexpected" not in refused


def test_two_topics_of_the_camera_with_one_name_are_named(ros_domain):
    ended = run("camera_node", "--ros-args", "-r", "camera_info:=image_raw")
    assert ended.returncode == 78
    assert "existing topic name rt/image_raw with incompatible type" in ended.stderr
    assert "qos_overrides" not in ended.stderr


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "soon"])
def test_a_demonstration_that_would_never_end_by_itself_is_refused(monkeypatch, capsys, seconds):
    monkeypatch.setattr("sys.argv", ["demo", "--seconds", seconds])
    with pytest.raises(SystemExit) as ended:
        runner.main()
    assert ended.value.code == 2
    assert f"argument --seconds: '{seconds}' is not a number of seconds" in capsys.readouterr().err


def test_a_parameter_of_a_renamed_node_or_another_node_of_the_package_is_accepted():
    words = ["-r", "__node:=eye", "-p", "eye:video_device:=''", "-p", "overlay_node:draw_bars:=true"]
    assert "video_device is empty" in refusal("camera_node", "--ros-args", *words, code=78)


def test_a_retired_parameter_in_a_file_is_refused_too(tmp_path):
    path = tmp_path / "parameters.yaml"
    path.write_text(yaml.safe_dump({"/**/overlay_node": {"ros__parameters": {"match_depth": 3}}}))
    line = refusal("overlay_node", "--ros-args", "--params-file", path, code=78)
    assert "parameter match_depth is called sync_queue_size now" in line


def test_a_parameter_file_without_a_section_for_any_node_of_the_package_is_a_warning(tmp_path):
    path = tmp_path / "parameters.yaml"
    for section, warned in (("camra_node", True), ("/front/overlay_node", False), ("/**", False)):
        path.write_text(yaml.safe_dump({section: {"ros__parameters": {"draw_bars": True}}}))
        ended = run("camera_node", "--ros-args", "--params-file", path, "-p", "video_device:=''")
        assert ended.returncode == 78
        assert (f"{path} is for camra_node, not for camera_node" in ended.stderr) is warned, ended.stderr


def test_tags_of_a_parameter_file_are_ignored(tmp_path):
    """As rcl does; launch_ros writes the list of topics of several cameras as `!!python/tuple`."""
    path = tmp_path / "parameters.yaml"
    path.write_text(
        "/**:\n  ros__parameters: !!python/dict\n    image_topics: !!python/tuple\n    - front/image_raw\n"
        "    max_faces: !mine 70000\n"
    )
    line = refusal("emotion_classifier_node", "--ros-args", "--params-file", path, code=78)
    assert "max_faces out of range" in line, "the first fault is this"
    assert read_sections(path) == [("/**", {"image_topics": ["front/image_raw"], "max_faces": "70000"})]


@pytest.mark.parametrize("value", ["2024-02-30", "=", "!cam front"])
def test_a_value_that_only_rcl_understands_is_no_fault(tmp_path, value):
    path = tmp_path / "parameters.yaml"
    path.write_text(f"camera_node:\n  ros__parameters:\n    frame_id: {value}\n")
    line = refusal("camera_node", "--ros-args", "--params-file", path, "-p", "video_device:=''", code=78)
    assert "video_device is empty" in line, "the first fault is this"


def test_a_section_for_all_nodes_may_have_parameters_of_other_nodes_but_no_unknown_ones(tmp_path):
    path = tmp_path / "parameters.yaml"
    shared = {"image_reliability": "best_effort", "sync_queue_size": 8, "video_device": ""}
    path.write_text(yaml.safe_dump({"/**": {"ros__parameters": shared}}))
    line = refusal("camera_node", "--ros-args", "--params-file", path, code=78)
    assert "video_device is empty" in line, "the first fault is this, so that the node does not start"
    path.write_text(yaml.safe_dump({"/robot": {"*": {"ros__parameters": shared}}}))
    line = refusal("camera_node", "--ros-args", "-r", "__ns:=/robot", "--params-file", path, code=78)
    assert "video_device is empty" in line, "names may be nested"
    path.write_text(yaml.safe_dump({"/**": {"ros__parameters": {**shared, "sync_depth": 8}}}))
    line = refusal("camera_node", "--ros-args", "--params-file", path, code=78)
    assert "camera_node has no parameter sync_depth" in line


@pytest.mark.guarantee(
    "Parameters for a node of the same name in another namespace only are a warning that names both.",
    section="Every node",
)
def test_a_section_for_another_namespace_is_a_warning(tmp_path, ros_domain):
    path = tmp_path / "parameters.yaml"
    detector, overlay = {"score_threshold": 0.5}, {"draw_bars": False}
    sections = {"face_detection_node": detector, "/rear/overlay_node": overlay, "/**/camera_node": {"loop": True}}
    path.write_text(yaml.safe_dump({name: {"ros__parameters": given} for name, given in sections.items()}))
    cameras = ["--camera", "front", "--camera", "rear", "--ros-args", "--params-file", path, "-p", "video_device:=''"]
    ended = run(COMPOSED, *cameras)
    assert ended.returncode == 78
    warnings = [line.partition("]: ")[2].partition(";")[0] for line in ended.stderr.splitlines() if "[WARN]" in line]
    assert sorted(line for line in warnings if line.startswith("the parameters of")) == [
        "the parameters of /face_detection_node are not for /front/face_detection_node",
        "the parameters of /face_detection_node are not for /rear/face_detection_node",
        "the parameters of /rear/overlay_node are not for /front/overlay_node",
    ]


def test_parameters_of_rclpy_and_the_packages_own_file_are_accepted():
    from ament_index_python.packages import get_package_share_directory

    path = Path(get_package_share_directory("emotion_perception"), "config", "emotion_perception.yaml")
    given = ["use_sim_time:=false", "autostart:=true", "start_type_description_service:=true"]
    given += ["qos_overrides./image_raw.publisher.depth:=3", "video_device:=''"]
    given += ["qos_overrides./image_raw/compressed.publisher.reliability:=best_effort"]
    words = [word for each in given for word in ("-p", each)]
    for program in ("camera_node", COMPOSED):
        line = refusal(program, "--ros-args", "--params-file", path, *words, code=78)
        assert "video_device is empty" in line, "the first fault is this, so that the node does not start"


@pytest.mark.guarantee(
    "A GPU that is named (cuda, cuda:N) and cannot be used is an error of every command and node; auto takes the CPU.",
    section="Programs",
)
def test_a_gpu_that_is_not_there_is_one_line_and_exit_code_78(ros_domain):
    line = refusal("emotion_classifier_node", "--ros-args", "-p", "device:=cuda:99", code=78)
    assert "device is 'cuda:99', but t" in line


def test_a_folder_for_log_files_that_cannot_be_is_one_line(monkeypatch, ros_domain):
    monkeypatch.setenv("ROS_LOG_DIR", "/dev/null/log")
    line = refusal("camera_node", code=78)
    assert line.startswith("no log file: failed to initialize logging: Failed to create log directory '/dev/null/log'")
    assert line.endswith("; ROS_LOG_DIR can name a folder to write to")


@pytest.mark.guarantee("A program that is started in a shell without the environment says so.", section="Programs")
@pytest.mark.parametrize("program", [*PROGRAMS, "emotion-perception"])
def test_a_program_in_a_shell_that_is_not_set_up_is_one_line(program):
    command = [sys.executable, "-ES", ROOT / "scripts" / program]  # without PYTHONPATH and installed packages
    ended = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=TIMEOUT_S)
    assert ended.returncode == (1 if program == "emotion-perception" else 78)
    missing = "No module named 'emotion_perception'"
    assert ended.stderr == f"{program}: {missing}; first: source scripts/env.sh, or setup.bash of the workspace\n"


@pytest.mark.guarantee("ROS security without keys is one line and exit code 78.", section="Every node")
@pytest.mark.parametrize("keystore", [None, "/nonexistent"])
@pytest.mark.parametrize("program", ["camera_node", "bag_player", COMPOSED])
def test_security_without_a_keystore_is_one_line(monkeypatch, ros_domain, program, keystore):
    monkeypatch.setenv("ROS_SECURITY_ENABLE", "true")
    monkeypatch.setenv("ROS_SECURITY_STRATEGY", "Enforce")
    monkeypatch.delenv("ROS_SECURITY_KEYSTORE", raising=False)
    if keystore:
        monkeypatch.setenv("ROS_SECURITY_KEYSTORE", keystore)
    line = refusal(program, code=78)
    assert line.startswith("ROS_SECURITY_ENABLE=true, but there are no usable keys: ROS_SECURITY_KEYSTORE")
