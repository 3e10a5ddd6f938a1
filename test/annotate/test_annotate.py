# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The installed program `emotion-perception annotate`, with inputs as people have them."""

import contextlib
import csv
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

import cv2
import numpy as np
import pytest
from programs import installed_program, program, refused
from real_face import moving_face, need_real_face
from video_files import frames_of, sound_of, write_video

from emotion_perception.cli import main
from emotion_perception.core.classification import EmotionRecognizer
from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.detection.factory import create_detector, select_faces
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.pipeline import Pipeline

av = pytest.importorskip("av", reason="videos are written with PyAV, the extra [video]")

UNEVEN_MS = [0, 40, 80, 120, 400, 440, 480, 1200, 1240, 1280]
SPEED = ["--device", "cpu"]


@pytest.fixture(scope="module")
def faces():
    """Images of a real face that moves."""
    return moving_face(len(UNEVEN_MS))


@pytest.fixture(scope="module")
def clip(faces, tmp_path_factory):
    """A video of them at uneven times, with sound."""
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", faces, UNEVEN_MS, sound="aac")


def annotate(*words, code=0):
    """Runs the program; returns its standard error."""
    returned, error = installed_program("annotate", *words, *SPEED)
    assert returned == code, error
    return error


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def faces_in(image):
    detector = create_detector(DetectorOptions())
    return len(select_faces(detector.detect(image), DetectorOptions()))


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.guarantee(
    "`annotate` keeps the times of the images, also uneven ones, and the sound: copied where the container holds it, "
    "else as Opus.",
    section="Programs",
)
@pytest.mark.parametrize(
    ("name", "options", "codecs"),
    [
        ("out.mp4", [], ("vp9", "aac")),
        ("out.webm", [], ("vp9", "opus")),
        ("out.mkv", ["--codec", "h264"], ("h264", "aac")),
    ],
)
def test_a_video_keeps_its_times_and_its_sound(clip, tmp_path, name, options, codecs):
    out = tmp_path / "new" / name
    annotate(clip, "--out", out, *options)
    frames, before = frames_of(out), frames_of(clip)
    first_ms = frames[0][0]  # in Matroska nothing is before 0, not even the 23 ms by which AAC begins earlier
    assert first_ms == 0 or (name, first_ms) == ("out.mkv", 23)
    assert [time_ms - first_ms for time_ms, _ in frames] == UNEVEN_MS
    for (_, drawn), (_, plain) in zip(frames, before, strict=True):
        changed = np.abs(drawn.astype(int) - plain).max(axis=2) > 60
        assert 0.01 < changed.mean() < 0.5
    with av.open(str(out)) as container:
        assert container.streams.video[0].codec_context.name in (codecs[0], "libvpx-vp9")
    codec, seconds, samples = sound_of(out)
    _, expected_s, expected = sound_of(clip)
    assert codec == codecs[1]
    assert seconds == pytest.approx(expected_s, abs=0.1)
    assert np.abs(samples).mean() == pytest.approx(np.abs(expected).mean(), rel=0.1)
    assert left_in(out.parent) == [name]


def test_sound_is_left_out_on_request_and_where_there_is_none(clip, faces, tmp_path):
    annotate(clip, "--out", tmp_path / "quiet.mp4", "--no-sound")
    silent = write_video(tmp_path / "silent.mp4", faces[:3], UNEVEN_MS[:3])
    annotate(silent, "--out", tmp_path / "out.mp4")
    assert sound_of(tmp_path / "quiet.mp4") is None
    assert sound_of(tmp_path / "out.mp4") is None


@pytest.mark.guarantee("`annotate` turns a video as its rotation metadata says.", section="Programs")
@pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (180, 2), (270, 3)])
def test_a_rotated_video_is_upright(faces, tmp_path, degrees, turns):
    lying = [np.rot90(image, turns) for image in faces[:3]]
    video = write_video(tmp_path / "phone.mp4", lying, UNEVEN_MS[:3], rotation=degrees)
    annotate(video, "--out", tmp_path / "out.mp4", "--csv", tmp_path / "faces.csv")
    assert {image.shape for _, image in frames_of(tmp_path / "out.mp4")} == {faces[0].shape}
    assert len(rows_of(tmp_path / "faces.csv")) == 3


@pytest.mark.guarantee(
    "The table of `annotate` has the columns of a face in `emotions.csv` of `evaluate-bag`; its JSON has the same "
    "values, and is equal for the same input except for the block `timing`.",
    section="Programs",
)
def test_table_and_document_have_the_same_values(clip, tmp_path):
    outputs = [(tmp_path / f"{k}.csv", tmp_path / f"{k}.json") for k in range(2)]
    for table, document in outputs:
        annotate(clip, "--csv", table, "--json", document)
    rows = rows_of(outputs[0][0])
    assert outputs[0][0].read_bytes() == outputs[1][0].read_bytes()
    first, second = (json.loads(document.read_text()) for _, document in outputs)
    assert first.pop("timing") != second.pop("timing")
    assert first == second
    columns = ["frame", "stamp_ns", "track_id", "x", "y", "w", "h", "detection_score", "label", "score", "uncertain"]
    derived = ["head_yaw", "head_pitch", "head_roll", "facing_camera", "position_x", "position_y", "position_z"]
    derived += ["position_z_std", "position_source", "valence", "arousal", "valence_std", "arousal_std"]
    columns += [
        "prediction_age_s",
        *derived,
        *(f"{kind}_{label}" for kind in ("probability", "smoothed") for label in LABELS),
    ]
    assert list(rows[0]) == [*columns, "file"]
    assert [int(row["frame"]) for row in rows] == list(range(len(UNEVEN_MS)))
    assert [int(row["stamp_ns"]) // 1_000_000 for row in rows] == UNEVEN_MS
    assert {row["track_id"] for row in rows} == {"1"}
    assert (first["kind"], first["labels"], first["counts"]["processed"]) == ("video", list(LABELS), len(UNEVEN_MS))
    for row, frame in zip(rows, first["frames"], strict=True):
        (face,) = frame["faces"]
        assert (str(frame["stamp_ns"]), face["label"], str(face["x"])) == (row["stamp_ns"], row["label"], row["x"])
        assert ["" if face[name] is None else str(face[name]) for name in derived] == [row[name] for name in derived]
        assert (row["facing_camera"], row["position_source"]) == ("yes", ""), "of an uncalibrated camera"
        assert all(row[name] for name in derived if not name.startswith("position"))
        assert [face["probabilities"][label] for label in LABELS] == [
            float(row[f"probability_{label}"]) for label in LABELS
        ]
        assert sum(face["smoothed_probabilities"].values()) == pytest.approx(1, abs=1e-4)


class TestImages:
    @pytest.fixture
    def folder(self, faces, tmp_path):
        folder = tmp_path / "photos"
        folder.mkdir()
        for number in (0, 4):
            cv2.imwrite(str(folder / f"face {number}.jpg"), faces[number])
        cv2.imwrite(str(folder / "wall.bmp"), np.full((100, 300, 3), 90, np.uint8))
        (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 50)
        (folder / "notes.txt").write_text("mine")
        return folder

    def test_an_image_gives_an_image(self, faces, tmp_path):
        cv2.imwrite(str(tmp_path / "me.png"), faces[0])
        annotate(tmp_path / "me.png", "--out", tmp_path / "out.png", "--csv", tmp_path / "me.csv")
        drawn = cv2.imread(str(tmp_path / "out.png"))
        assert drawn.shape == faces[0].shape
        assert 0.01 < (drawn != faces[0]).any(axis=2).mean() < 0.5
        (row,) = rows_of(tmp_path / "me.csv")
        assert (row["track_id"], row["file"]) == ("0", "me.png")

    @pytest.mark.guarantee(
        "`annotate` takes the images of a folder as unrelated ones, each with the result that it has alone, unless "
        "`--rate` or a video as output makes them a sequence.",
        section="Programs",
    )
    def test_a_folder_gives_a_folder_of_unrelated_images(self, folder, tmp_path):
        out = tmp_path / "out"
        error = annotate(folder, "--out", out, "--csv", tmp_path / "all.csv")
        assert "broken.png" in error
        assert left_in(out) == [".emotion_perception.json", "face 0.jpg", "face 4.jpg", "wall.bmp"]
        annotate(folder / "face 4.jpg", "--csv", tmp_path / "one.csv")
        (one,), both = rows_of(tmp_path / "one.csv"), rows_of(tmp_path / "all.csv")
        assert [(row["frame"], row["track_id"], row["file"]) for row in both] == [
            ("0", "0", "face 0.jpg"),
            ("1", "0", "face 4.jpg"),
        ]
        assert both[1] == {**one, "frame": "1", "stamp_ns": both[1]["stamp_ns"]}

    def test_a_folder_is_written_again_and_one_of_somebody_else_is_not(self, folder, tmp_path):
        out, other = tmp_path / "out", tmp_path / "other"
        other.mkdir()
        (other / "face 0.jpg").write_text("mine")
        annotate(folder, "--out", out)
        (folder / "wall.bmp").unlink()
        annotate(folder, "--out", out)
        assert left_in(out) == [".emotion_perception.json", "face 0.jpg", "face 4.jpg"]
        refused(["annotate", folder, "--out", other, *SPEED], str(other), "did not write")
        refused(["annotate", folder, "--out", folder, *SPEED], str(folder), "did not write", "folder")
        assert (other / "face 0.jpg").read_text() == "mine"

    def test_a_folder_gives_a_video_at_its_rate(self, faces, tmp_path):
        folder = tmp_path / "frames"
        folder.mkdir()
        for number, image in enumerate(faces[:4]):
            cv2.imwrite(str(folder / f"{number:04}.png"), image[: 240 - 20 * number])
        annotate(folder, "--out", tmp_path / "out.mp4", "--rate", "10", "--csv", tmp_path / "out.csv")
        frames = frames_of(tmp_path / "out.mp4")
        assert [time_ms for time_ms, _ in frames] == [0, 100, 200, 300]
        assert {image.shape for _, image in frames} == {(240, 320, 3)}, "smaller ones get black bars"
        assert {row["track_id"] for row in rows_of(tmp_path / "out.csv")} == {"1"}


@pytest.mark.guarantee(
    "With `--anonymize` no detector finds a face in what `annotate` writes; tables stay as they are.",
    section="Programs",
)
def test_faces_are_hidden(clip, tmp_path):
    annotate(clip, "--out", tmp_path / "open.mp4", "--csv", tmp_path / "open.csv", "--no-bars")
    hidden = ["--out", tmp_path / "hidden.mp4", "--csv", tmp_path / "hidden.csv", "--no-bars", "--anonymize"]
    annotate(clip, *hidden)
    assert [faces_in(image) for _, image in frames_of(tmp_path / "open.mp4")] == [1] * len(UNEVEN_MS)
    assert [faces_in(image) for _, image in frames_of(tmp_path / "hidden.mp4")] == [0] * len(UNEVEN_MS)
    assert (tmp_path / "open.csv").read_bytes() == (tmp_path / "hidden.csv").read_bytes()


def test_a_terminal_shows_a_progress_bar_with_rate_and_time_left(clip, tmp_path):
    terminal, its_end = pty.openpty()
    fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    command = [shutil.which("emotion-perception"), "annotate", str(clip), "--csv", str(tmp_path / "o.csv"), *SPEED]
    process = subprocess.Popen(command, stderr=its_end, stdout=subprocess.PIPE)
    os.close(its_end)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while part := os.read(terminal, 4096):
            shown += part
    os.close(terminal)
    printed, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    assert re.search(rb"clip.mp4: +\d+%\|.*\d/10 \[\d\d:\d\d<.*frames/s\]", shown), shown
    assert printed.startswith(b"clip.mp4: 10 images, 1 face, ")


class Running:
    """The program as it runs, after its output has begun."""

    def __init__(self, *words, folder):
        command = [shutil.which("emotion-perception"), "annotate", *map(str, words), *SPEED]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        end_s = time.monotonic() + 100
        while not any(path.stat().st_size > 1000 for path in folder.glob(".*.csv")):
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end_s
            time.sleep(0.02)

    def end(self, number):
        self.process.send_signal(number)
        _, error = self.process.communicate(timeout=60)
        return self.process.returncode, error.strip().splitlines()[-1]


@pytest.fixture
def long_clip(faces, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return write_video(folder / "long.mp4", [*faces] * 150, list(range(0, 1500 * 40, 40)))


@pytest.mark.guarantee(
    "`annotate` that is stopped (SIGINT, SIGTERM), or whose disk is full, leaves no file under the final names, one "
    "line that says so, and an existing file as it was.",
    section="Programs",
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_half_file(long_clip, tmp_path, number):
    out = tmp_path / "out"
    out.mkdir()
    (out / "x.mp4").write_text("earlier")
    words = [long_clip, "--out", out / "x.mp4", "--csv", out / "x.csv", "--json", out / "x.json", "--force"]
    code, line = Running(*words, folder=out).end(number)
    assert code == 130
    assert line.startswith("emotion-perception: stopped after ")
    assert line.endswith(f"of 1500 images; not written: {out}/x.mp4, {out}/x.csv, {out}/x.json")
    assert left_in(out) == ["x.mp4"]
    assert (out / "x.mp4").read_text() == "earlier"


@pytest.mark.parametrize("name", ["x.mp4", "x.csv"])
def test_a_disk_that_is_full_leaves_no_half_file(long_clip, tmp_path, name):
    out = tmp_path / "out"
    out.mkdir()
    limit = {"x.mp4": 40, "x.csv": 8}[name]  # KiB: the limit of a file's size stands for a full disk
    option = "--out" if name == "x.mp4" else "--csv"
    command = ["sh", "-c", f'ulimit -f {limit * 2}; exec "$@"', "sh", shutil.which("emotion-perception"), "annotate"]
    words = [str(long_clip), option, str(out / name), *SPEED]
    done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith(f"emotion-perception: {out / name}: ")
    assert "File too large" in done.stderr
    assert left_in(out) == []


@pytest.mark.guarantee(
    "Ctrl-C ends `annotate` of a camera or stream, whose files are complete then; a stream that ends by itself, too.",
    section="Programs",
)
def test_a_stream_is_recorded_until_it_is_stopped(network_camera, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    words = [network_camera.url, "--out", out / "x.webm", "--json", out / "x.json", "--csv", out / "x.csv"]
    command = [shutil.which("emotion-perception"), "annotate", *map(str, words), *SPEED]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    end_s = time.monotonic() + 100
    while not any(path.stat().st_size > 20_000 for path in out.glob(".*.json")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end_s
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    printed, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    document = json.loads((out / "x.json").read_text())
    stamps = [frame["stamp_ns"] for frame in document["frames"]]
    assert document["kind"] == "live"
    assert f"{len(stamps)} images" in printed
    assert abs(stamps[0] / 1e9 - time.time()) < 200
    assert len(frames_of(out / "x.webm")) == len(stamps)
    assert left_in(out) == ["x.csv", "x.json", "x.webm"]


def test_a_stream_that_ends_is_complete(network_camera, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    command = [
        shutil.which("emotion-perception"),
        "annotate",
        network_camera.url,
        "--json",
        str(out / "x.json"),
        *SPEED,
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    end_s = time.monotonic() + 100
    while not any(path.stat().st_size > 20_000 for path in out.glob(".*.json")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end_s
        time.sleep(0.02)
    network_camera.switch_off()
    _, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert "delivers no more images" in error
    assert len(json.loads((out / "x.json").read_text())["frames"]) > 10


@pytest.mark.guarantee(
    "An image on which `annotate` fails is counted, and the run is a success, of a stream or camera as of a file.",
    section="Programs",
)
@pytest.mark.parametrize("live", [False, True])
def test_an_image_that_fails_is_no_failure_of_the_run(clip, tmp_path, monkeypatch, capsys, live):
    track, calls = Pipeline.track, []

    def failing_once(*arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("out of luck")
        if live and len(calls) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return track(*arguments, **options)

    monkeypatch.setattr(Pipeline, "track", failing_once)
    assert main(["annotate", "synthetic" if live else str(clip), "--json", str(tmp_path / "o.json"), *SPEED]) == 0
    assert "1 failed (out of luck)" in capsys.readouterr().out
    statuses = [frame["status"] for frame in json.loads((tmp_path / "o.json").read_text())["frames"]]
    assert statuses[:3] == ["processed", "failed", "processed"]


def test_faces_without_finite_outputs_of_the_model_are_counted_in_the_last_line(clip, tmp_path, monkeypatch, capsys):
    predict, calls = EmotionRecognizer._predict, []

    def damaged(*arguments):
        calls.append(1)
        probabilities, projections = predict(*arguments)
        return probabilities * (np.nan if len(calls) == 1 else 1), projections

    monkeypatch.setattr(EmotionRecognizer, "_predict", damaged)
    assert main(["annotate", str(clip), "--json", str(tmp_path / "o.json"), *SPEED]) == 0
    assert ", the model's outputs are not finite for 1 face:" in capsys.readouterr().out


@pytest.mark.guarantee("A wrong input or output of `annotate` is one line that names it.", section="Programs")
@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["nosuch.mp4", "--csv", "o.csv"], ["nosuch.mp4: no such file or folder"]),
        (["text.mp4", "--csv", "o.csv"], ["text.mp4", "a text file, not a video"]),
        (["noise.mp4", "--out", "o.mp4"], ["noise.mp4", "not a video or image file"]),
        (["empty", "--out", "o"], ["empty", "no image in this folder"]),
        (["987", "--csv", "o.csv"], ["no camera at /dev/video987"]),
        (["http://127.0.0.1:9/x", "--csv", "o.csv"], ["http://127.0.0.1:9/x", "cannot be opened"]),
        (["http://me:secret@127.0.0.1:9/x", "--csv", "o.csv"], ["http://me:***@127.0.0.1:9/x"]),
        (["", "--csv", "o.csv"], ["a path is empty"]),
        (["loop", "--csv", "o.csv"], ["loop: Too many levels of symbolic links"]),
        (["file:///tmp/a%00b.png", "--csv", "o.csv"], ["a path has no null character"]),
        (["me.png"], ["nothing to do: give --out, --csv, --json or --show"]),
        (["me.png", "--out", "me.png"], ["me.png: is read, so it cannot be written"]),
        (["me.png", "--csv", "text.mp4"], ["text.mp4: exists; --force overwrites it"]),
        (["me.png", "--csv", "empty"], ["empty: is a folder"]),
        (["me.png", "--csv", "/dev/null", "--force"], ["/dev/null: is not a regular file"]),
        (["me.png", "--csv", "stdout", "--force"], ["stdout: is a link to /"]),  # as /dev/stdout, even if of a file
        (["me.png", "--json", "dangling", "--force"], ["dangling: is a link to /"]),
        (["photos", "--csv", "photos/a.png", "--force"], ["a.png: is read, so it cannot be written"]),
        (["me.png", "--csv", "o", "--json", "o"], ["o: is given for two outputs"]),
        (["me.png", "--out", "o.avi"], ["o.avi: cannot be written; known are .mp4"]),
        (["me.png", "--out", "o.mp4"], ["o.mp4: no output for an image, which gives an image (OUT.png)"]),
        (["photos", "--out", "o.png"], ["o.png: one image, but the folder has 2"]),
        (["clip.mp4", "--out", "o.png"], ["o.png: no output for a video, which gives a video (OUT.mp4)"]),
        (["clip.mp4", "--out", "o.webm", "--codec", "h264"], ["o.webm: WebM holds no H.264"]),
        (["clip.mp4", "--csv", "o.csv", "--rate", "3"], ["--rate has no effect: ", "clip.mp4 is not a folder"]),
        (["clip.mp4", "--csv", "o.csv", "--no-sound"], ["--no-sound has no effect: no video is written"]),
        (["me.png", "--csv", "o.csv", "--set", "nosuch=1"], ["--set nosuch: unknown"]),
        (["me.png", "--csv", "o.csv", "--model", "nosuch"], ["nosuch"]),
        (["me.png", "--csv", "o.csv", "--device", "cuda:99"], ["device is 'cuda:99'"]),
    ],
    ids=lambda value: " ".join(value)[:50],
)
def test_a_wrong_input_or_output_is_one_line(tmp_path, monkeypatch, words, parts):
    need_real_face()
    monkeypatch.chdir(tmp_path)
    for folder in ("empty", "photos"):
        (tmp_path / folder).mkdir()
    (tmp_path / "text.mp4").write_text("not a video\n")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("absent")
    (tmp_path / "stdout").symlink_to("text.mp4")
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 40)
    gray = np.full((60, 80, 3), 90, np.uint8)
    for name in ("me.png", "photos/a.png", "photos/b.png"):
        cv2.imwrite(name, gray)
    write_video(tmp_path / "clip.mp4", [gray] * 2, [0, 40])
    before = left_in(tmp_path)
    refused(["annotate", *words], *parts)
    assert left_in(tmp_path) == before


@pytest.mark.parametrize("text", ["0", "-1", "nan", "1001", "fast", "1e-9", "1e-300"])
def test_a_rate_that_is_none_is_a_wrong_command_line(tmp_path, text, capsys):
    with pytest.raises(SystemExit, match="2"):
        program("annotate", tmp_path, "--csv", tmp_path / "o.csv", "--rate", text)


@pytest.mark.parametrize(
    ("module", "words", "distribution"), [("av", ["--out", "o.mp4"], "av"), ("pygame", ["--show"], "pygame-ce")]
)
def test_a_missing_package_is_named_with_what_installs_it(clip, tmp_path, monkeypatch, module, words, distribution):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delenv("EMOTION_PERCEPTION_ROS", raising=False)
    line = refused(["annotate", clip, *words], f"annotate needs the Python package {module}")
    assert line.endswith(f"-m pip install {distribution}")
    assert left_in(tmp_path) == []


def test_images_and_tables_need_neither_pyav_nor_ros(faces, tmp_path):
    cv2.imwrite(str(tmp_path / "me.png"), faces[0])
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('av', 'pygame', 'rclpy', 'rosbags', 'matplotlib')));"
        "from emotion_perception.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    words = ["annotate", tmp_path / "me.png", "--out", tmp_path / "o.png", "--csv", tmp_path / "o.csv", *SPEED]
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("me.png: 1 image, 1 face")


def test_a_video_that_is_cut_short_is_said(clip, faces, tmp_path):
    whole = write_video(tmp_path / "whole.mkv", faces * 4, list(range(0, 40 * 40, 40)))
    data = whole.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) // 2])
    error = annotate(tmp_path / "cut.mkv", "--json", tmp_path / "o.json")
    frames = len(json.loads((tmp_path / "o.json").read_text())["frames"])
    assert 5 < frames < 40
    assert f"cut.mkv: ends after {frames} of about " in error


def test_an_mp4_video_that_is_cut_short_of_its_index_is_said(clip, tmp_path):
    data, cut, damaged = clip.read_bytes(), tmp_path / "cut.mp4", tmp_path / "damaged.mp4"
    cut.write_bytes(data[: data.index(b"moov") - 4])
    assert "cut.mp4: an MP4 video without its index: cut short, or never finished" in annotate(
        cut, "--json", tmp_path / "o.json", code=1
    )
    cut.write_bytes(data[: data.index(b"mdat") + 1000])
    assert "cut.mp4: an MP4 video without its index" in annotate(cut, "--json", tmp_path / "o.json", code=1)
    at = data.index(b"moov") + 8
    damaged.write_bytes(data[:at] + bytes(len(data) - at))
    error = annotate(damaged, "--json", tmp_path / "o.json", code=1)
    assert "damaged.mp4: not a video or image file that OpenCV can read" in error


def test_a_video_with_a_pause_is_not_taken_for_cut(clip, faces, tmp_path):
    times_ms = [*range(0, 400, 40), *range(60_000, 60_400, 40)]
    video = write_video(tmp_path / "pause.mkv", faces * 2, times_ms)
    assert "ends after" not in annotate(video, "--json", tmp_path / "o.json")


@pytest.mark.skipif(not hasattr(cv2, "CAP_PROP_PTS"), reason="OpenCV tells the start of a video since 4.11")
def test_a_video_whose_images_start_late_is_not_taken_for_cut(faces, tmp_path):
    whole = write_video(tmp_path / "whole.mkv", faces * 4, list(range(5000, 6600, 40)))
    assert "ends after" not in annotate(whole, "--json", tmp_path / "o.json")
    data = whole.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) // 2])
    assert "cut.mkv: ends after " in annotate(tmp_path / "cut.mkv", "--json", tmp_path / "c.json")


def test_a_video_with_much_sound_between_two_images_is_read_to_its_end(faces, tmp_path):
    times_ms = [0, 40, 100_000, 100_040]
    video = write_video(tmp_path / "pause.mkv", faces[:4], times_ms, sound="aac")
    assert "ends after" not in annotate(video, "--json", tmp_path / "o.json")
    assert len(json.loads((tmp_path / "o.json").read_text())["frames"]) == len(times_ms)


def test_a_name_that_is_not_utf_8_is_written_to_the_table(faces, tmp_path):
    path = tmp_path / os.fsdecode(b"visage fran\xe7ais.png")
    path.write_bytes(cv2.imencode(".png", faces[0])[1].tobytes())
    annotate(path, "--csv", tmp_path / "o.csv", "--json", tmp_path / "o.json")
    assert rows_of(tmp_path / "o.csv")[0]["file"] == "visage fran\u00e7ais.png"
    assert json.loads((tmp_path / "o.json").read_text())["input"] == "visage fran\u00e7ais.png"
