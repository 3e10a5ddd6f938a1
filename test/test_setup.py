# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The set-up's refusals, each one clear line, and the repair of the ROS wheels' CMake files."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from file_loading import load_file

SCRIPTS = Path(__file__).parents[1] / "scripts"
PROGRAMS = ["bash", "cat", "cc", "c++", "cut", "env", "grep", "head", "sed", "sha256sum", "tail", "tr", "uname"]


def shell(script, **variables):
    """Runs a bash script with only the given variables and PATH."""
    variables = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | variables
    return subprocess.run(
        ["bash", "-c", script], env=variables, capture_output=True, text=True, timeout=60, check=False
    )


def step(call, **variables):
    return shell(f'set -eu; . "{SCRIPTS}/setup_steps.sh"; {call}', **variables)


@pytest.fixture
def bin_folder(tmp_path):
    """A folder for PATH that has all the programs set-up calls; tests take some away or put others in."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        found = subprocess.run(["bash", "-c", f"command -v {name}"], capture_output=True, text=True, check=True)
        (folder / name).symlink_to(found.stdout.strip())
    return folder


def program(folder, name, text):
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def refused(done, *words):
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def test_a_complete_machine_is_accepted(bin_folder):
    assert step("check_machine", PATH=str(bin_folder)).returncode == 0


@pytest.mark.parametrize(("missing", "words"), [("cc", "no C compiler"), ("c++", "no C++ compiler")])
def test_no_compiler_is_one_line(bin_folder, missing, words):
    (bin_folder / missing).unlink()
    refused(step("check_machine", PATH=str(bin_folder)), words, "build-essential")


def test_an_unsupported_processor_is_one_line(bin_folder):
    program(bin_folder, "uname", 'case "$1" in -m) echo aarch64 ;; *) echo Linux ;; esac')
    refused(step("check_machine", PATH=str(bin_folder)), "unsupported processor aarch64")


def test_a_ros_from_apt_runs_on_any_processor(bin_folder):
    program(bin_folder, "uname", 'case "$1" in -m) echo aarch64 ;; *) echo Linux ;; esac')
    assert step("mode=apt; check_machine", PATH=str(bin_folder)).returncode == 0


@pytest.mark.parametrize("distro", ["x/../../home", "jazzy;ls", "a b"])
def test_a_distro_that_is_no_name_is_one_line(tmp_path, distro):
    shutil.copytree(SCRIPTS, tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    refused(shell(f'"{tmp_path}/scripts/setup.sh"', DISTRO=distro), f"DISTRO={distro} is no name of a ROS distribution")
    assert [path.name for path in tmp_path.iterdir()] == ["scripts"]


@pytest.mark.parametrize("level", ["tests", "--help", "''"])
def test_an_unknown_level_is_one_line(tmp_path, level):
    shutil.copytree(SCRIPTS, tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    refused(shell(f'"{tmp_path}/scripts/setup.sh" {level}'), "is none of runtime, demo, annotate, bags, web, test")
    assert [path.name for path in tmp_path.iterdir()] == ["scripts"]


@pytest.mark.parametrize("names", ["''", ","])
def test_no_name_of_a_file_to_fetch_is_one_line(names):
    refused(step(f"fetch_files {names}"), "names no file to fetch")


@pytest.mark.parametrize("minutes", ["nan", "inf", "0", "-1", "x"])
def test_a_duration_of_the_soak_test_that_is_none_is_refused(tmp_path, minutes):
    command = [sys.executable, SCRIPTS / "soak.py", f"--minutes={minutes}", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "--minutes" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("log", ["NewConnectionError('...: [Errno -2] Name or service not known')", "ReadTimeoutError"])
def test_no_network_is_one_line(tmp_path, log):
    call = f'root={tmp_path} logs={tmp_path}; step "installing" pip bash -c "echo \\"{log}\\"; exit 1"'
    done = step(call)
    refused(done, "no network: installing: the package index cannot be reached")
    assert "installing" in done.stdout


def test_an_index_without_a_package_is_one_line(tmp_path):
    log = "ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)"
    call = f'root={tmp_path} logs={tmp_path}; step "installing" pip bash -c "echo \\"{log}\\"; exit 1"'
    refused(step(call), "no network, or the package index lacks x==1 (details: pip.log)")


@pytest.mark.guarantee("A program that has changed is built again by the next `make`.", section="Programs")
def test_a_program_that_has_changed_is_built_again(tmp_path):
    for path in (
        "CMakeLists.txt",
        "package.xml",
        "msg/A.msg",
        "srv/B.srv",
        "scripts/node",
        "emotion_perception/a.py",
        "venv/bin/a",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("before")
    (tmp_path / "venv/.identity").touch()
    (tmp_path / "venv/.runtime").touch()
    build = f"cd {tmp_path}; distro=x venv=venv logs=.; step() {{ echo build >> log; }}; build_package"
    changes = ["true", "echo after > emotion_perception/a.py", "echo after > scripts/node"]
    done = step("; ".join(f"{build}; {change}; {build}; echo end >> log" for change in changes))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "log").read_text().split() == ["build", "end", "end", "build", "end"]


def test_another_failure_shows_the_end_of_its_log(tmp_path):
    done = step(f'root={tmp_path} logs={tmp_path}; step "building" colcon bash -c "echo all is lost; exit 3"')
    assert done.returncode == 1
    assert "all is lost" in done.stderr
    assert "building failed (the whole log: colcon.log)" in done.stderr


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "wheels"),
        ({"ROS_DISTRO": "kilted", "EMOTION_PERCEPTION_ROS": "wheels"}, "wheels"),
        ({"ROS_DISTRO": "jazzy", "PYTHON": "true"}, "apt"),
    ],
)
def test_a_sourced_ros_is_used_and_our_own_is_not_taken_for_one(bin_folder, variables, expected):
    for name in ("true", "colcon"):
        program(bin_folder, name, "exit 0")
    assert step("ros_mode jazzy", PATH=str(bin_folder), **variables).stdout.strip() == expected


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ROS_DISTRO": "kilted", "PYTHON": "true"}, "ROS kilted is sourced in this shell but DISTRO=jazzy"),
        ({"ROS_DISTRO": "jazzy", "PYTHON": "no"}, "no cannot import rclpy"),
        ({"ROS_DISTRO": "jazzy", "PYTHON": "true"}, "no colcon"),
    ],
)
def test_a_sourced_ros_that_does_not_fit_is_one_line(bin_folder, variables, words):
    program(bin_folder, "true", "exit 0")
    refused(step("ros_mode jazzy", PATH=str(bin_folder), **variables), words)


@pytest.mark.parametrize("name", ["b\u00fccher", "my robot", "a:b", "it's", "$HOME", "a;b"])
def test_a_folder_in_which_ros_cannot_be_built_is_one_line_at_once(tmp_path, name):
    shutil.copytree(SCRIPTS, tmp_path / name / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / name / "requirements").mkdir()
    (tmp_path / name / "requirements" / "jazzy.txt").touch()
    done = subprocess.run(
        [tmp_path / name / "scripts" / "setup.sh"],
        env={"PATH": os.environ["PATH"], "DISTRO": "jazzy"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    refused(done, f"ROS cannot be built in the folder {tmp_path / name}: ")
    assert not (tmp_path / name / ".venv-jazzy").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_a_step_has_started_ends_with_it(tmp_path, number):
    call = f"""root={tmp_path} logs={tmp_path}; step waiting log bash -c 'sleep 300 & echo $! > {tmp_path}/pid; wait'"""
    script = f'set -eu; . "{SCRIPTS}/setup_steps.sh"; {call}'
    shell_process = subprocess.Popen(["bash", "-c", script], stdout=subprocess.DEVNULL, start_new_session=True)
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    shell_process.send_signal(number)
    assert shell_process.wait(30) == 130
    sleeper = Path("/proc", (tmp_path / "pid").read_text().strip(), "stat")
    wait_until(lambda: not sleeper.exists() or sleeper.read_text().split()[2] == "Z")


def wait_until(condition):
    end_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.02)


@pytest.fixture
def find_python(bin_folder):
    def find(**variables):
        return shell(f'"{SCRIPTS}/find_python.sh"', PATH=str(bin_folder), **variables)

    return find


def python_that_says(folder, name, answer):
    """A program that answers the probe as a Python would that is not good enough."""
    program(folder, name, f'echo "{answer}" >&2; exit 1')


def test_a_python_that_does_not_run_is_passed_over(find_python, bin_folder):
    python_that_says(bin_folder, "python3.12", "pyenv: python3.12: command not found")
    program(bin_folder, "python3.11", "echo /usr/bin/python3.11")
    assert find_python().stdout.strip() == "/usr/bin/python3.11"


@pytest.mark.parametrize(
    "answer", ["is Python 3.13; supported are 3.11 and 3.12", "has no venv module; on Debian and Ubuntu: apt install x"]
)
def test_no_usable_python_is_one_line_with_the_reason(find_python, bin_folder, answer):
    python_that_says(bin_folder, "python3", answer)
    refused(find_python(), "no usable Python 3.11 or 3.12: python3 ", answer)
    refused(find_python(PYTHON="python3"), "PYTHON=python3 cannot be used", answer)


def test_a_python_that_was_asked_for_and_is_not_there_is_one_line(find_python):
    refused(find_python(PYTHON="/no/python"), "PYTHON=/no/python does not run")


def test_the_path_of_a_python_may_have_a_blank(find_python, tmp_path):
    (tmp_path / "my python").mkdir()
    program(tmp_path / "my python", "python3", "echo /usr/bin/python3.11")
    assert find_python(PYTHON=f"{tmp_path}/my python/python3").stdout.strip() == "/usr/bin/python3.11"


def test_the_python_that_runs_this_is_judged_for_real(find_python):
    version = "{}.{}".format(*sys.version_info[:2])
    refused(find_python(PYTHON=sys.executable, EMOTION_PERCEPTION_PYTHONS="2.7"), f"is Python {version}")


def test_an_active_environment_is_not_taken_for_the_machines_python(find_python, tmp_path):
    subprocess.run([sys._base_executable, "-m", "venv", "--without-pip", tmp_path / "active"], check=True)
    version = "{}.{}".format(*sys.version_info[:2])
    done = find_python(PYTHON=str(tmp_path / "active/bin/python"), EMOTION_PERCEPTION_PYTHONS=version)
    assert done.returncode == 0, done.stderr
    assert not done.stdout.startswith(str(tmp_path))


def load_script(name):
    return load_file(SCRIPTS / f"{name}.py")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"/opt/python/cp311-cp311/include/python3.11"', '"/venv/include"'),
        ("/opt/python/cp312-cp312/lib/python3.12/site-packages/numpy", "/venv/site/numpy"),
        ("a;/opt/python/cp311-cp311/include/python3.11;b", "a;/venv/include;b"),
        ("/opt/ros/jazzy/include/python", "/opt/ros/jazzy/include/python"),
    ],
)
def test_the_builders_paths_become_those_of_this_environment(tmp_path, before, after):
    path = tmp_path / "share/package/cmake/export.cmake"
    path.parent.mkdir(parents=True)
    path.write_text(before)
    fix_folder = load_script("fix_wheel_paths").fix_folder
    assert fix_folder(tmp_path, "/venv/include", "/venv/site") == int(before != after)
    assert path.read_text() == after
    assert fix_folder(tmp_path, "/venv/include", "/venv/site") == 0


VARIABLES = ["DISTRO", "SOURCE", "OUT", "TESTS", "LAN", "COMPOSED", "PYTHON", "DATA", "ONLY", "MINUTES"]
INTERNAL = ["DISTROS", "VARIABLES", "DEMO_FILES"]  # nobody sets them, but a command line could
TARGETS = [
    "help",
    "env",
    "demo",
    "demo-web",
    "demo-bag",
    "annotate",
    "test",
    "test-slow",
    "test-web",
    "test-window",
    "test-python",
    "check-arm",
    "screenshots",
    "coverage",
    "soak",
    "test-kills",
    "bench",
    "bench-peers",
    "check",
    "docs",
    "lock",
]


@pytest.fixture
def make(tmp_path):
    """A function that runs make where every script only writes down its arguments, and returns these."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPTS.parent / "Makefile", tmp_path)
    for name in set(re.findall(r"scripts/(\w+\.sh)", (tmp_path / "Makefile").read_text())):
        program(tmp_path / "scripts", name, 'printf "%s\\0" "$@" >> words')

    def run(*arguments, **variables):
        (tmp_path / "words").unlink(missing_ok=True)
        done = subprocess.run(
            ["make", *arguments], cwd=tmp_path, env={**os.environ, **variables}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return (tmp_path / "words").read_text().split("\0") if (tmp_path / "words").exists() else []

    return run


@pytest.mark.guarantee("`LAN` and `COMPOSED` are 0 or 1; another value is one line.", section="Programs")
@pytest.mark.parametrize(
    ("script", "variables", "line"),
    [
        ("demo.sh", {"COMPOSED": "maybe"}, "demo: COMPOSED=maybe is neither 0 nor 1"),
        ("in_env.sh", {"LAN": "yes"}, "emotion_perception: LAN=yes is neither 0 nor 1"),
    ],
)
def test_a_switch_of_make_that_is_neither_0_nor_1_is_one_line(script, variables, line):
    command = [SCRIPTS / script, "false"]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60)
    assert (done.returncode != 0, done.stderr.strip(), done.stdout) == (True, line, "")


def test_every_target_and_variable_of_the_makefile_is_known_here():
    text = (SCRIPTS.parent / "Makefile").read_text()
    assert re.findall(r"^([a-z-]+): ##", text, re.MULTILINE) == [*TARGETS, "clean"]
    assert re.search("^override VARIABLES := (.*)$", text, re.MULTILINE)[1].split() == VARIABLES


@pytest.mark.guarantee("The shell runs nothing that a variable of make contains.", section="Programs")
@pytest.mark.parametrize(
    "text", ['"; touch mark; "', "'; touch mark; '", "$(shell touch mark)", "$(touch mark)", "`touch mark`"]
)
@pytest.mark.parametrize("target", [*TARGETS, "clean"])
def test_what_a_make_variable_has_is_never_run(make, tmp_path, target, text):
    make(target, *(f"{name}={text}" for name in (*VARIABLES, *INTERNAL)))
    make(target, **dict.fromkeys((*VARIABLES, *INTERNAL), text))
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bench", "DATA=my data.npz", "ONLY=latency,scaling"], ["--data", "my data.npz", "--only", "latency,scaling"]),
        (["soak", "MINUTES=5"], ["--minutes", "5"]),
        (["test", "TESTS=test/core test/bags"], ["test/core", "test/bags"]),
    ],
)
def test_what_a_make_variable_has_reaches_the_program(make, arguments, words):
    given = make(*arguments)
    start = given.index(words[0])
    assert given[start : start + len(words)] == words


@pytest.mark.guarantee("`make clean` removes what make has made, whatever its variables contain.", section="Programs")
@pytest.mark.parametrize("distro", ["kilted", "mine", "jazzy kept", "../kept", "*"])
def test_make_clean_removes_what_make_has_made_and_nothing_else(make, tmp_path, distro):
    made = [
        ".venv-jazzy",
        ".venv-peer-fer",
        ".venv-python3.14",
        ".venv-docs",
        "build-kilted",
        "install-humble",
        "log-lyrical",
        "out",
    ]
    kept = ["kept", "build-notes", ".venv-mine", "mine"]
    for name in made + kept:
        (tmp_path / name).mkdir()
    make("clean", f"DISTRO={distro}", f"DISTROS={distro}")
    assert {path.name for path in tmp_path.iterdir()} == {"Makefile", "scripts", *kept}
