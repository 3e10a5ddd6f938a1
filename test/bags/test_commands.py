# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tests of evaluate-bag and label-bag from the command line, with the default detector and model."""

import csv
import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from bag_files import header, image, write_bag
from bag_scene import T0, scene, stamps
from programs import installed_program
from real_face import need_real_face

from emotion_perception.bags.io.messages import IMAGE
from emotion_perception.cli import main


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """A real face that moves to the right, as JPEG would not change it."""
    small = cv2.resize(cv2.imread(str(need_real_face())), (240, 240))
    images = []
    for k in range(8):
        image = np.full((240, 320, 3), 60, np.uint8)
        image[:, 8 * k : 8 * k + 240] = small
        images.append(image)
    return write_bag(tmp_path_factory.mktemp("bags") / "bag", images, stamps(8), compressed=True)


def test_label_then_evaluate(bag, tmp_path, capsys):
    labels, out = tmp_path / "labels.csv", tmp_path / "out"
    assert main(["label-bag", str(bag), "--out", str(labels), "--set", "min_confidence=0.0"]) == 0
    assert "1 intervals of 1 faces" in capsys.readouterr().out
    with open(labels) as file:
        (row,) = csv.DictReader(file)
    assert (row["start_s"], row["end_s"], row["person"]) == ("0.000", "0.800", "face 1")
    assert main(["evaluate-bag", str(bag), "--labels", str(labels), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "bag: 8 frames in 0.7 s, 8 processed, 0 without face" in printed
    assert "recognition: 100.0% of 8 labeled faces" in printed
    assert f"report in {out / 'report.html'}" in printed
    report = json.loads((out / "report.json").read_text())
    assert report["parameters"]["face_detection_node"]["detector"] == "yunet"
    assert "image_reliability" not in report["parameters"]["face_detection_node"]


def test_parameters_of_the_nodes_can_be_set(bag, tmp_path, capsys):
    options = ["--set", "min_face_px=4000", "--set", "smoothing_s=1"]
    assert main(["evaluate-bag", str(bag), "--out", str(tmp_path / "out"), *options]) == 0
    assert "8 processed, 8 without face" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["parameters"]["emotion_classifier_node"]["smoothing_s"] == 1.0


@pytest.mark.guarantee(
    "Offline commands search every frame for faces by default; with `detection_interval=0` they choose the frames by "
    "the stamps alone, so that the same recording gives the same results again.",
    section="Recording and replay",
)
def test_the_same_recording_gives_the_same_results_again(tmp_path):
    face = cv2.resize(cv2.imread(str(need_real_face())), (240, 240))
    images = np.full((20, 240, 480, 3), 60, np.uint8)
    for number, image_bgr in enumerate(images):
        image_bgr[:, 8 * number : 8 * number + 240] = face if number not in (8, 9) else 60
    recording = write_bag(tmp_path / "bag", images, [T0 + number * 33_000_000 for number in range(20)])
    for chosen, interval in (["--set", "detection_interval=0"], 0), ([], 1):
        reports = []
        for name in f"{interval} first", f"{interval} again":
            assert main(["evaluate-bag", str(recording), "--every-frame", "--out", str(tmp_path / name), *chosen]) == 0
            reports.append(json.loads((tmp_path / name / "report.json").read_text()))
            del reports[-1]["timing"]
        assert reports[0] == reports[1]
        assert reports[0]["parameters"]["face_detection_node"]["detection_interval"] == interval


def test_the_baseline_is_learned_while_a_recording_is_evaluated(bag, tmp_path, capsys):
    assert main(["evaluate-bag", str(bag), "--out", str(tmp_path / "out"), "--baseline"]) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["parameters"]["emotion_classifier_node"]["baseline"] == "auto"
    face_gate = ["--model", "face_gate", "--out", str(tmp_path / "refused")]
    assert main(["evaluate-bag", str(bag), *face_gate, "--baseline"]) == 1
    assert "face_gate has no statistics of resting faces" in capsys.readouterr().err


def test_labels_are_not_overwritten(bag, tmp_path, capsys):
    labels = tmp_path / "labels.csv"
    labels.write_text("mine")
    assert main(["label-bag", str(bag), "--out", str(labels)]) == 1
    assert "--force overwrites it" in capsys.readouterr().err
    assert labels.read_text() == "mine"
    assert main(["label-bag", str(bag), "--out", str(labels), "--force"]) == 0


def test_labels_are_not_written_without_their_page(bag, tmp_path, capsys):
    (tmp_path / "labels.html").mkdir()
    assert main(["label-bag", str(bag), "--out", str(tmp_path / "labels.csv"), "--force"]) == 1
    assert "labels.html" in capsys.readouterr().err
    assert not (tmp_path / "labels.csv").exists()


def test_a_folder_with_a_damaged_recording_exits_with_1(bag, tmp_path, capsys):
    folder = tmp_path / "bags"
    folder.mkdir()
    write_bag(folder / "good", [scene()], [T0])
    (folder / "bad.mcap").write_bytes(b"")
    assert main(["evaluate-bag", str(folder), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr()
    assert "not evaluated: bad: " in told.out
    assert "bags: 1 frames" in told.out


@pytest.mark.guarantee("`evaluate-bag --workers N` evaluates recordings in several processes.", section="Programs")
def test_the_installed_program_evaluates_recordings_in_several_processes(tmp_path):
    folder, out = tmp_path / "bags", tmp_path / "out"
    folder.mkdir()
    for name in ("one", "two"):
        write_bag(folder / name, [scene()] * 2, stamps(2))
    program = shutil.which("emotion-perception")
    if program is None:
        pytest.skip("the program is not on the PATH: source scripts/env.sh, or pip install emotion_perception[bags]")
    command = [program, "evaluate-bag", str(folder), "--out", str(out), "--workers", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((out / "report.json").read_text())
    assert (list(report["bags"]), report["frames"]["processed"]) == (["one", "two"], 4)


@pytest.mark.guarantee(
    "An offline command that is stopped by SIGTERM, SIGHUP or Ctrl-C ends at once with exit code 130 and removes its "
    "unfinished files; its processes end, also where it is killed.",
    section="Programs",
)
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are listed as Linux does")
@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        *(pytest.param(each, marks=pytest.mark.slow) for each in (signal.SIGINT, signal.SIGHUP, signal.SIGKILL)),
    ],
)
def test_an_evaluation_in_several_processes_leaves_none_behind_when_it_is_stopped(tmp_path, number):
    folder, out = tmp_path / "bags", tmp_path / "out"
    folder.mkdir()
    for name in ("one", "two"):
        write_bag(folder / name, [scene()] * 400, stamps(400), compressed=True)
    command = [shutil.which("emotion-perception"), "evaluate-bag", folder, "--out", out, "--workers", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: len(list(out.glob("*/.*-part-*"))) == 2 or process.poll() is not None)
        workers = children(process.pid)
        process.send_signal(number)
        process.wait(60)
        wait_until(lambda: not any(alive(worker) for worker in workers))
        if number != signal.SIGKILL:
            lines = process.stderr.read().splitlines()
            assert (lines[0], process.returncode) == ("emotion-perception: stopped", 130)
            assert "Traceback" not in "".join(lines)
            assert not list(out.glob("**/.*-part-*"))
        assert len(workers) >= 2
        assert not list(out.glob("**/report.json"))
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("recordings", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_an_evaluation_that_is_stopped_ends_at_once_and_removes_its_unfinished_files(tmp_path, recordings, number):
    (tmp_path / "bags").mkdir()
    for k in range(recordings):
        write_bag(tmp_path / "bags" / f"bag{k}", [scene()] * 400, stamps(400), compressed=True)
    bag, out = tmp_path / "bags" if recordings > 1 else tmp_path / "bags" / "bag0", tmp_path / "out"
    command = [shutil.which("emotion-perception"), "evaluate-bag", bag, "--out", out]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: list(out.glob("**/.*-part-*")) or process.poll() is not None)
    process.send_signal(number)
    assert (process.communicate(timeout=60)[1], process.returncode) == ("emotion-perception: stopped\n", 130)
    assert not list(out.glob("**/.*-part-*"))
    assert not list(out.glob("**/report.json"))


@pytest.mark.slow
def test_a_matplotlib_backend_that_there_is_not_does_not_matter(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "nosuch")
    bag, out = write_bag(tmp_path / "bag", [scene()], [T0]), tmp_path / "out"
    code, error = installed_program("evaluate-bag", bag, "--out", out)
    assert (code, "unexpected" in error, (out / "report.html").is_file()) == (0, False, True)


def wait_until(condition, timeout_s=60):
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["evaluate-bag", "no_such_bag", "--out", "out"], "no_such_bag: no such file or folder"),
        (
            ["evaluate-bag", "BAG", "--out", "out", "--topic", "/rear"],
            "has no image topic /rear; image topics: /image_raw",
        ),
        (["evaluate-bag", "BAG", "--out", "out", "--labels", "none.csv"], "none.csv: No such file"),
        (["evaluate-bag", "BAG", "--out", "out", "--model", "none"], "none"),
        (["evaluate-bag", "BAG", "--out", "out", "--detector", "eyes"], "detector 'eyes' is none of"),
        (["evaluate-bag", "BAG", "--out", "out", "--set", "speed=1"], "--set speed: unknown, known are"),
        (
            ["evaluate-bag", "BAG", "--out", "out", "--set", "detect_every=2"],
            "detect_every is now called detection_interval",
        ),
        (["evaluate-bag", "BAG", "--out", "out", "--set", "min_face_px=-1"], "min_face_px -1 is below 1"),
        (
            ["evaluate-bag", "BAG", "--out", "out", "--set", "min_face_px=many"],
            "min_face_px 'many' is of type str, expected int",
        ),
        (["evaluate-bag", "BAG", "--out", "out", "--set", "device=cuda"], "--set device: use --device"),
        (["label-bag", "BAG", "--out", "out.csv", "--set", "model=none"], "--set model: use --model"),
        (["evaluate-bag", "BAG", "--out", "out", "--labels", "."], ".: has no bag.csv"),
        (["evaluate-bag", "BAG", "--out", "out", "--score-recorded"], "holds no recorded emotions"),
        (["label-bag", "BAG", "--out", "out.csv", "--min-duration", "nan"], "--min-duration nan is not a number"),
        (["label-bag", "no_such_bag", "--out", "out.csv"], "no_such_bag: no such file or folder"),
        (["evaluate-bag", "BAG", "--out", "out", "--workers", "2"], "--workers has no effect: "),
        (["evaluate-bag", "BAG", "--out", "out", "--workers", "0"], "--workers has no effect: "),
        (["evaluate-bag", "BAG", "--out", "out", "--scheduler", "tcp://x:1"], "--scheduler has no effect: "),
        (["evaluate-bag", "BAG", "--out", "out", "--score-recorded", "--model", "x"], "--model has no effect: "),
        (["evaluate-bag", "BAG", "--out", "out", "--score-recorded", "--set", "margin=1"], "--set has no effect: "),
        (["evaluate-bag", "BAG", "--out", "out", "--score-recorded", "--device", "cpu"], "--device has no effect: "),
    ],
)
def test_what_cannot_work_is_one_clear_line(bag, tmp_path, monkeypatch, capsys, arguments, line):
    monkeypatch.chdir(tmp_path)
    assert main([str(bag) if word == "BAG" else word for word in arguments]) == 1
    told = capsys.readouterr().err
    assert line in told
    assert told.count("\n") == 1


@pytest.mark.guarantee(
    "A folder of several recordings is never read as one: label-bag, image-topic and bag_player name those in it.",
    section="Recording and replay",
)
@pytest.mark.parametrize("command", ["label-bag FOLDER --out l.csv", "image-topic FOLDER"])
@pytest.mark.parametrize("below", [False, True])
def test_a_folder_of_several_recordings_is_not_read_as_one(tmp_path, monkeypatch, capsys, command, below):
    monkeypatch.chdir(tmp_path)
    for name in ("front", "rear"):
        bag = write_bag(tmp_path / "several" / name, [scene()], stamps(1))
        if not below:
            shutil.copy(next(bag.glob("*.mcap")), tmp_path / "several" / f"{name}.mcap")
            shutil.rmtree(bag)
    assert main(command.replace("FOLDER", "several").split()) == 1
    names = "front, rear" if below else "front.mcap, rear.mcap"
    told = capsys.readouterr().err
    assert told == (
        f"emotion-perception: several: a folder of recordings, not one of them; give the path of one: {names}\n"
    )


@pytest.mark.parametrize("command", ["evaluate-bag BAG --out out", "label-bag BAG --out l.csv", "image-topic BAG"])
def test_an_empty_topic_is_a_wrong_command_line(bag, tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main([str(bag) if word == "BAG" else word for word in [*command.split(), "--topic", ""]])
    assert "argument --topic: the name of a topic is empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (["0,9,77,happiness"], "line 2: in its interval no face has the track id 77"),
        (["0,9,,happiness", "1,2,,anger"], "line 3: label 'anger', but line 2 gives the same faces 'happiness'"),
        (["1,9,5,fear", "0,2,5,anger"], "line 2: label 'fear', but line 3 gives the same faces 'anger'"),
    ],
)
def test_labels_without_effect_or_of_two_meanings_are_refused(bag, tmp_path, capsys, rows, line):
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(["start_s,end_s,track_or_region,label", *rows]))
    assert main(["evaluate-bag", str(bag), "--labels", str(labels), "--out", str(tmp_path / "out")]) == 1
    assert line in capsys.readouterr().err


def test_strings_of_a_recording_are_printed_on_one_line_without_escapes(tmp_path, capsys):
    bag = write_bag(tmp_path / "bag", [scene()], stamps(1), frame_id="a\n\x1b[2Jb")
    assert main(["image-topic", str(bag)]) == 0
    assert capsys.readouterr().out == "/image_raw\nsensor_msgs/msg/Image\na\\n\\x1b[2Jb\n"
    unknown = image(scene(), header(T0 + 1))
    unknown.encoding = "\x1b[31mred\n"
    entry = ("/image_raw", IMAGE, T0 + 1, unknown)
    bag = write_bag(tmp_path / "unknown", [scene()], stamps(1), extra=[entry])
    assert main(["evaluate-bag", str(bag), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert r"encoding '\x1b[31mred\n' is none of" in printed
