# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.reporting.output_file import check_output_file
from emotion_perception.reporting.output_folder import MARKER, OutputFolder

WRITES = ("report.json", "*.png", "bag")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def results(out, *names, command="evaluate", **options):
    """Writes files as a command does, a folder where the name is `bag`."""
    with OutputFolder(out, command, writes=WRITES, **options) as folder, folder.replaced(last="report.json") as part:
        for name in names:
            if name == "bag":
                (part / name).mkdir()
                (part / name / "data.mcap").write_text("ours")
            else:
                (part / name).write_text("ours")


def files(out):
    return {path.name for path in out.iterdir()} - {MARKER}


def refused(out, *words, **options):
    """Checks that the folder is refused with one line that has the words, and that nothing in it changes."""
    before = {path: path.lstat().st_mtime_ns for path in out.rglob("*")} if out.is_dir() else None
    with pytest.raises(ConfigurationError) as caught, OutputFolder(out, "evaluate", writes=WRITES, **options):
        pass
    line = str(caught.value)
    assert "\n" not in line
    assert all(word in line for word in words), line
    assert before is None or {path: path.lstat().st_mtime_ns for path in out.rglob("*")} == before


def test_the_marker_has_the_command_its_version_and_the_files(out):
    results(out, "report.json", "a.png")
    content = json.loads((out / MARKER).read_text())
    assert content["commands"]["evaluate"]["files"] == ["a.png", "report.json"]
    assert set(content["commands"]["evaluate"]) == {"version", "date", "files"}


def test_a_folder_in_place_of_a_file_of_the_command_is_not_removed(out):
    results(out, "report.json", "a.png")
    (out / "a.png").unlink()
    (out / "a.png").mkdir()
    (out / "a.png" / "mine.txt").write_text("somebody's")
    refused(out, "a.png: a folder, not the file that 'evaluate' wrote")


def test_results_of_the_same_command_are_replaced_and_obsolete_ones_removed(out):
    results(out, "report.json", "a.png", "bag")
    (out / "notes.txt").write_text("somebody's")
    results(out, "report.json", "b.png", "bag")
    assert files(out) == {"report.json", "b.png", "bag", "notes.txt"}


@pytest.mark.parametrize("name", ["notes.txt", "report.json", ".bashrc", "folder/"])
def test_a_folder_with_files_of_others_is_refused(out, name):
    out.mkdir()
    (out / name).mkdir() if name.endswith("/") else (out / name).touch()
    refused(out, name.strip("/"), "'evaluate' did not write", "empty folder")


@pytest.mark.parametrize("name", [".gitkeep", ".gitignore", ".DS_Store", "lost+found"])
def test_a_folder_that_is_empty_to_a_person_is_taken(out, name):
    out.mkdir()
    (out / name).touch()
    results(out, "report.json")
    assert files(out) == {"report.json", name}


@pytest.mark.parametrize("name", ["new.png", "bag"])
def test_a_file_that_somebody_put_among_the_results_is_not_replaced(out, name):
    results(out, "report.json")
    (out / name).write_text("somebody's")
    refused(out, str(out / name), "not written by 'evaluate'", "move it away")


def test_a_name_that_the_command_no_longer_uses_is_not_its_own_any_more(out):
    results(out, "report.json", "a.png")
    results(out, "report.json")
    (out / "a.png").write_text("somebody's")
    refused(out, str(out / "a.png"))


def test_results_of_another_command_are_refused(out):
    results(out, "report.json", command="train")
    refused(out, str(out), "results of 'train'", "another folder")


@pytest.mark.parametrize("path", ["/", os.path.expanduser("~"), os.path.dirname(__file__)])
def test_a_folder_that_is_in_use_for_something_else_is_refused(path):
    with pytest.raises(ConfigurationError, match="did not write"), OutputFolder(Path(path), "x", writes=WRITES):
        pass


def test_a_file_instead_of_a_folder_is_refused(out):
    out.write_text("somebody's")
    refused(out, str(out), "not a folder")
    out.unlink()
    out.symlink_to("nowhere")
    refused(out, str(out), "not a folder")


@pytest.mark.parametrize("name", ["", "bag", "bag/data.mcap", "a.png"])
def test_an_input_that_the_results_would_replace_is_refused(out, tmp_path, name):
    results(out, "report.json", "a.png", "bag")
    refused(out, "is read", "another folder", inputs=[out / name])
    (tmp_path / "link").symlink_to(out / name)
    refused(out, "is read", "another folder", inputs=[tmp_path / "link"])


def test_an_input_beside_the_results_is_taken(out, tmp_path):
    results(out, "report.json", "a.png", "bag")
    (out / "labels.csv").touch()
    with OutputFolder(out, "evaluate", writes=("report.json",), inputs=[out / "bag", out / "labels.csv", tmp_path]):
        pass


def test_after_an_error_the_earlier_results_are_there(out):
    results(out, "report.json", "bag")
    with pytest.raises(IsADirectoryError):
        results(out, "report.json", "a.png", ".")
    assert (out / "report.json").read_text() == (out / "bag/data.mcap").read_text() == "ours"
    assert files(out) == {"report.json", "bag"}


@pytest.mark.parametrize("error", [ConfigurationError, OSError])
def test_an_error_about_a_result_names_it_by_its_later_place(out, error):
    def fail(path):
        raise error(f"{path}: x") if error is ConfigurationError else OSError(28, "full", str(path))

    folder = OutputFolder(out, "evaluate", writes=WRITES)
    with pytest.raises(error) as caught, folder, folder.replaced() as part:
        fail(part / "report.json")
    assert str(out / "report.json") in str(caught.value)


def test_a_new_folder_in_which_nothing_was_written_is_removed(out):
    with pytest.raises(IsADirectoryError):
        results(out, "report.json", ".")
    assert not out.exists()


def test_what_a_killed_process_left_is_removed_and_does_not_count_as_content(out):
    script = (
        "import os, signal, sys, pathlib\n"
        "from emotion_perception.reporting.output_folder import OutputFolder\n"
        "with OutputFolder(pathlib.Path(sys.argv[1]), 'evaluate', writes=['*']) as folder, folder.replaced() as part:\n"
        "    (part / 'report.json').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(out)], check=False)
    assert len(files(out)) == 1
    results(out, "report.json")
    assert files(out) == {"report.json"}


def test_a_folder_that_another_process_writes_is_refused_meanwhile(out):
    with OutputFolder(out, "evaluate", writes=WRITES):
        refused(out, str(out), f"another process {os.getpid()} is writing")
    results(out, "report.json")


def test_a_command_may_let_several_processes_write(out):
    with OutputFolder(out, "search", writes=WRITES, concurrent=True) as first:
        first.claim("trials.csv")
        with OutputFolder(out, "search", writes=WRITES, concurrent=True) as second:
            assert second.owned == {"trials.csv"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"format": 2, "commands": {}}', '{"format": 1, "commands": {"evaluate": {}}}', "[" * 100_000],
)
def test_a_marker_that_cannot_be_read_is_refused(out, text):
    results(out, "report.json")
    (out / MARKER).write_text(text)
    refused(out, MARKER, "another folder")


def test_a_marker_that_is_a_pipe_or_endless_is_refused(out):
    out.mkdir()
    os.mkfifo(out / MARKER)
    refused(out, MARKER, "not a file")
    (out / MARKER).unlink()
    (out / MARKER).symlink_to("/dev/zero")
    refused(out, MARKER, "not a file")


@pytest.mark.parametrize("name", ["../kept", "/kept", "bag/../../kept", ".."])
def test_a_marker_cannot_name_a_file_outside_the_folder(out, tmp_path, name):
    (tmp_path / "kept").write_text("somebody's")
    results(out, "report.json")
    content = json.loads((out / MARKER).read_text())
    content["commands"]["evaluate"]["files"] += [name]
    (out / MARKER).write_text(json.dumps(content))
    with OutputFolder(out, "evaluate", writes=("*",)) as folder, folder.replaced() as part:
        (part / "report.json").touch()
    assert (tmp_path / "kept").read_text() == "somebody's"


def test_a_link_among_the_results_is_replaced_and_not_followed(out, tmp_path):
    results(out, "report.json", "bag")
    for name in ("report.json", "bag"):
        (out / name).rename(tmp_path / name)
        (out / name).symlink_to(tmp_path / name)
    results(out, "report.json", "bag")
    assert not (out / "bag").is_symlink()
    assert (tmp_path / "bag/data.mcap").read_text() == (tmp_path / "report.json").read_text() == "ours"


def test_a_folder_of_models_may_hold_others(out):
    out.mkdir()
    (out / "other.json").write_text("somebody's")
    for name in ("a.png", "b.png"):
        with OutputFolder(out, "export", writes=[name], mixed=True) as folder, folder.replaced() as part:
            (part / name).touch()
    assert files(out) == {"other.json", "a.png", "b.png"}
    with pytest.raises(ConfigurationError, match="not written by 'export'"):
        OutputFolder(out, "export", writes=["other.json"], mixed=True).__enter__()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_refused(out):
    out.mkdir(mode=0o500)
    with pytest.raises(OSError, match="Permission"):
        results(out, "report.json")


def test_a_single_file_is_replaced_only_on_request(tmp_path):
    path = tmp_path / "labels.csv"
    check_output_file(path)
    path.write_text("somebody's")
    with pytest.raises(ConfigurationError, match="exists"):
        check_output_file(path)
    check_output_file(path, force=True)
    check_output_file(path, is_ours=lambda path: path.read_text() == "somebody's")
    with pytest.raises(ConfigurationError, match="is read"):
        check_output_file(path, inputs=[tmp_path / "x" / ".." / "labels.csv"], force=True)
    with pytest.raises(ConfigurationError, match="is a folder"):
        check_output_file(tmp_path, force=True)
