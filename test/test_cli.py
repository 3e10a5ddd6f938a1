# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import argparse
import importlib
import io
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from emotion_perception import cli
from emotion_perception.core.errors import DatasetError
from emotion_perception.core.retired_names import CLI_COMMANDS, CLI_OPTIONS

ROOT = Path(cli.__file__).parents[1]


@pytest.fixture
def call(monkeypatch):
    """Returns a function that runs one invented sub-command whose `run` is given."""

    def run_with(run, *arguments):
        module = types.ModuleType("invented")
        module.add_arguments = add_arguments
        module.run = run
        monkeypatch.setitem(sys.modules, "invented", module)
        return cli.main(["invent", *arguments], commands={"invent": ("invented", "invent something")})

    return run_with


def add_arguments(parser):
    parser.add_argument("--number", type=int, default=1)
    parser.add_argument("--out")


def raising(error):
    def run(arguments):
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (DatasetError("x.npz: lacks labels"), 1, "emotion-perception: x.npz: lacks labels\n"),
        (DatasetError("two\nlines"), 1, "emotion-perception: two\\nlines\n"),
        (PermissionError(13, "Permission denied", "/out"), 1, "emotion-perception: /out: Permission denied\n"),
        (KeyboardInterrupt(), 130, "emotion-perception: stopped\n"),
        (KeyboardInterrupt("stopped; say it again"), 130, "emotion-perception: stopped; say it again\n"),
    ],
)
def test_what_goes_wrong_is_one_line_and_an_exit_code(call, capsys, error, code, line):
    assert call(raising(error)) == code
    assert capsys.readouterr().err == line


def test_a_working_folder_that_was_removed_is_one_line(call, capsys, monkeypatch, tmp_path):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert call(lambda arguments: 0) == 1
    expected = "emotion-perception: the current folder cannot be used: No such file or directory; change to another one"
    assert capsys.readouterr().err.strip() == expected


def test_the_exit_code_of_a_sub_command_is_the_programs(call):
    assert call(lambda arguments: arguments.number - 3, "--number", "3") == 0
    assert call(lambda arguments: arguments.number, "--number", "1") == 1


@pytest.mark.guarantee(
    "An unexpected error of a program is one line with its place in the code; a variable prints the traceback.",
    section="Programs",
)
@pytest.mark.parametrize("variable", ["", "1"])
def test_a_mistake_in_the_program_is_one_line_and_a_traceback_where_requested(call, capsys, monkeypatch, variable):
    monkeypatch.setenv("EMOTION_PERCEPTION_TRACEBACK", variable)
    assert call(lambda arguments: 1 // 0) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("emotion-perception: unexpected error at test_cli.py:")
    assert "ZeroDivisionError: integer" in lines[-1]
    assert (lines[0] == "Traceback (most recent call last):") == bool(variable)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "results: No space left on device"),
        (OSError(28, "No space left on device", "a.png"), "a.png: No space left on device"),
        (FileExistsError(17, "File exists", __file__), "test_cli.py: is a file, but a folder is needed"),
        (MemoryError(), "out of memory"),
    ],
)
def test_an_error_of_the_system_names_the_file_or_the_output(call, capsys, error, words):
    assert call(raising(error), "--out", "results") == 1
    assert words in capsys.readouterr().err


def test_a_file_name_that_is_not_utf8_is_shown_with_its_letters(call, capsys):
    assert call(lambda arguments: print(os.fsdecode(b"caf\xe9")) or 0) == 0
    assert capsys.readouterr().out == "caf\u00e9\n"


def test_a_reader_of_the_output_that_ends_early_is_no_error(call, capsys, monkeypatch):
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setattr(sys, "stdout", open(writer, "w"))  # noqa: SIM115
    assert call(lambda arguments: print("x") or 0) == 1
    assert capsys.readouterr().err == ""
    sys.stdout.close()


@pytest.mark.guarantee(
    "A standard output that takes no more is named in the one line of error of every sub-command, and for `--help`.",
    section="Programs",
)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
@pytest.mark.parametrize("buffered", [False, True])
def test_a_full_standard_output_is_named(call, capsys, monkeypatch, buffered):
    for run, options in [(lambda arguments: print("x") or 0, ["--out", "results"]), (None, ["--help"])]:
        full = open("/dev/full", "wb", buffering=-1 if buffered else 0)  # noqa: SIM115
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(full, write_through=not buffered))
        assert call(run, *options) == 1
        assert capsys.readouterr().err == "emotion-perception: standard output: No space left on device\n"
        sys.stdout.close()  # without an error


STOPPED_AT_AN_IMPORT = """
import os, signal, sys, time, types
from emotion_perception import cli

def run(arguments):
    {}

sys.modules["invented"] = types.ModuleType("invented")
sys.modules["invented"].add_arguments, sys.modules["invented"].run = lambda parser: None, run
cli._AGAIN_S = 0.05
sys.exit(cli.main(["invent"], commands=dict(invent=("invented", "invent something"))))
"""


def stopped_at_an_import(tmp_path, module, run):
    """Runs a sub-command that imports a module, which sends SIGTERM; returns exit code, standard output and error."""
    (tmp_path / "sends_a_signal.py").write_text(module)
    code = STOPPED_AT_AN_IMPORT.format(run.replace("\n", "\n    "))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_signal_at_an_import_does_not_end_the_clean_up(tmp_path):
    run = "try:\n    import sends_a_signal\nfinally:\n    time.sleep(0.5)\n    print('cleaned up')"
    stopped = stopped_at_an_import(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n", run)
    assert stopped == (130, "cleaned up\n", "emotion-perception: stopped\n")


def test_a_signal_at_an_import_that_somebody_catches_ends_the_command_nevertheless(tmp_path):
    module = (
        "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGTERM)\n"
        "except KeyboardInterrupt as e:\n    raise ImportError from e\n"
    )
    run = "try:\n    import sends_a_signal\nexcept ImportError:\n    time.sleep(0.2)\ntime.sleep(50)\nreturn 0"
    assert stopped_at_an_import(tmp_path, module, run) == (130, "", "emotion-perception: stopped\n")


def test_a_name_that_is_not_utf_8_is_printed(call, capsys):
    name = os.fsdecode(b"caf\xe9\n.npz")
    assert call(raising(DatasetError(f"{name}: lacks labels"))) == 1
    assert capsys.readouterr().err == "emotion-perception: caf\u00e9\\n.npz: lacks labels\n"
    assert call(lambda arguments: print(name) or 0) == 0


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["train"], ["models", "--no-such-option"]])
def test_a_wrong_command_line_ends_with_2(capsys, arguments):
    with pytest.raises(SystemExit) as ending:
        cli.main(arguments)
    assert ending.value.code == 2
    assert "usage: emotion-perception" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "search", "evaluate", "calibrate", "export", "models"])
def test_every_sub_command_explains_itself_without_torch(capsys, monkeypatch, command):
    for name in ("torch", "lightning", "onnxruntime", "matplotlib"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SystemExit) as ending:
        cli.main([command, "--help"])
    assert ending.value.code == 0
    assert f"usage: emotion-perception {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["quantise", "--model", "x"], "the command quantise is now called quantize"),
        (["train", "--data", "x.npz", "--choose-split", "z"], "the option --choose-split is now called --val-split"),
        (["search", "--choose-split=z"], "the option --choose-split is now called --val-split"),
        (["evaluate", "--groups", "people.csv"], "the option --groups is now called --subgroups"),
        (["evaluate", "--uncertain-below", "0.5"], "the option --uncertain-below is now called --min-confidence"),
    ],
)
def test_a_retired_command_or_option_is_refused_with_the_present_one(capsys, arguments, line):
    with pytest.raises(SystemExit) as ending:
        cli.main(arguments)
    assert ending.value.code == 2
    assert capsys.readouterr().err == f"emotion-perception: {line}\n"


def test_no_command_has_a_retired_option_and_every_present_name_exists():
    options = set()
    for module, _ in cli._COMMANDS.values():
        parser = argparse.ArgumentParser()
        importlib.import_module(module).add_arguments(parser)
        options |= parser._option_string_actions.keys()
    assert not options & CLI_OPTIONS.keys()
    assert options >= set(CLI_OPTIONS.values())
    assert cli._COMMANDS.keys() >= set(CLI_COMMANDS.values())


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--set", "blend=0.5"], "recipe compact_vgg: the key blend is now called soup_weight"),
        (["--set", "epochs"], "--set epochs: write KEY=VALUE"),
        (["--set", "learning_rate=1e-3x"], "recipe: learning_rate '1e-3x' is not of type float"),
        (["--set", "learning_rate=1e-3", "--set", "weight_decay=5e-4"], "absent.npz: no such file or folder"),
    ],
)
def test_values_of_set_are_yaml_with_exponents(capsys, tmp_path, options, line):
    pytest.importorskip("lightning", reason="the training extra is not installed")
    assert cli.main(["train", "--data", "absent.npz", "--out", str(tmp_path / "run"), *options]) == 1
    assert capsys.readouterr().err == f"emotion-perception: {line}\n"


@pytest.mark.parametrize(
    ("missing", "line"),
    [
        ("torch", "train needs the Python package torch: pip install emotion_perception[training]"),
        ("emotion_perception.x", "this installation is incomplete"),
    ],
)
def test_a_missing_package_is_named_with_what_installs_it(capsys, monkeypatch, missing, line):
    error = ModuleNotFoundError(f"No module named '{missing}'", name=missing)
    monkeypatch.delenv("EMOTION_PERCEPTION_ROS", raising=False)  # not the environment of `make`
    monkeypatch.setattr("emotion_perception.training.commands.train.run", raising(error))
    assert cli.main(["train", "--data", "x.npz", "--out", "out"]) == 1
    assert line in capsys.readouterr().err


def test_the_program_starts_without_the_heavy_packages():
    program = (
        "import sys; from emotion_perception import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'numpy', 'cv2', 'onnxruntime'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "a stopped run is resumed" in done.stdout
