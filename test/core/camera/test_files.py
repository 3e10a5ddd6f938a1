# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion_perception.core.camera.factory import check_source, open_source
from emotion_perception.core.camera.options import CameraOptions
from emotion_perception.core.errors import ConfigurationError, ModelFileError, SourceError

ROOT = Path(__file__).resolve().parents[3]


def image(level, width=64, height=48):
    return np.full((height, width, 3), level, np.uint8)


def config(device, **parameters):
    return CameraOptions(video_device=str(device), **{"image_width": 0, "image_height": 0, **parameters})


def levels(source, count):
    """Reads frames and returns their gray levels, None for the end."""
    frames = [source.read() for _ in range(count)]
    return [None if frame is None else round(float(frame.image_bgr.mean()), -1) for frame in frames]


@pytest.fixture
def folder(tmp_path):
    """Three images of three formats whose names are not in the order of their making."""
    for name, level in (("c.bmp", 200), ("a.png", 10), ("b.jpg", 100)):
        cv2.imwrite(str(tmp_path / name), image(level))
    return tmp_path


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 12.5, (64, 48))
    for level in (10, 100, 200):
        writer.write(image(level))
    writer.release()
    return path


@pytest.mark.guarantee("A camera source may have a name that is not UTF-8.", section="Camera node")
def test_names_of_files_need_not_be_utf_8(folder, clip, caplog):
    names = [os.fsdecode(name) for name in (b"\xe0.png", b"\xe9.txt", b"\xff.avi")]
    (folder / "a.png").rename(folder / names[0])
    (folder / names[1]).write_text("no image")
    shutil.move(clip, folder / names[2])
    with open_source(config(folder, loop=False)) as source:
        assert levels(source, 4) == [100, 200, 10, None]
    assert "ignored 2 files that are not images, the first is " in caplog.text
    for name, expected in ((names[0], [10, 10, 10]), (names[2], [10, 100, 200])):
        with open_source(config(folder / name)) as source:
            assert levels(source, 3) == expected
    with pytest.raises(SourceError, match="\u00e9.txt: a text file, not a video"):
        open_source(config(folder / names[1]))


@pytest.mark.parametrize(("loop", "expected"), [(True, [10, 100, 200, 10, 100]), (False, [10, 100, 200, None, None])])
def test_a_folder_gives_its_images_by_name(folder, loop, expected):
    with open_source(config(folder, loop=loop)) as source:
        assert levels(source, 5) == expected
        assert not source.is_live


@pytest.mark.parametrize(("loop", "expected"), [(True, [10, 100, 200, 10, 100]), (False, [10, 100, 200, None, None])])
def test_a_video_gives_its_frames(clip, loop, expected):
    with open_source(config(clip, loop=loop)) as source:
        assert levels(source, 5) == expected
        assert not source.is_live


@pytest.mark.parametrize(("asked", "expected"), [(0.0, 12.5), (20.0, 20.0)])
def test_a_videos_rate_is_its_own_unless_asked(clip, asked, expected):
    with open_source(config(clip, framerate=asked)) as source:
        assert source.rate_hz == pytest.approx(expected)


def test_a_image_file_is_shown_again_and_again(folder):
    with open_source(config(folder / "b.jpg")) as source:
        assert levels(source, 3) == [100, 100, 100]


def test_what_is_no_image_is_left_out_with_one_warning(folder, caplog):
    (folder / "aa.txt").write_text("notes")
    (folder / ".hidden").write_text("no word about it")
    (folder / "more").mkdir()
    (folder / "zero.png").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.png")
    with caplog.at_level(logging.WARNING), open_source(config(folder)) as source:
        assert levels(source, 6) == [10, 100, 200] * 2
    assert [record.getMessage() for record in caplog.records] == [
        f"{folder}: ignored 3 files that are not images, the first is aa.txt"
    ]


def test_a_damaged_image_is_left_out_with_one_warning(folder, caplog):
    (folder / "ab.png").write_bytes((folder / "a.png").read_bytes()[:40])
    with caplog.at_level(logging.WARNING), open_source(config(folder)) as source:
        assert levels(source, 7) == [10, 100, 200, 10, 100, 200, 10]
    assert [record.getMessage() for record in caplog.records] == [
        f"{folder / 'ab.png'}: 40 bytes of a compressed 64x48 image are truncated; skipped"
    ]


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(0, 0, (64, 48)), (32, 48, (32, 24)), (64, 12, (16, 12)), (128, 0, (128, 96)), (0, 96, (128, 96))],
)
def test_files_are_scaled_to_fit_at_their_own_aspect(folder, clip, width, height, expected):
    for device in (folder, clip):
        with open_source(config(device, image_width=width, image_height=height)) as source:
            assert source.read().image_bgr.shape == (expected[1], expected[0], 3)


def test_a_closed_source_has_ended(folder, clip):
    for device in (folder, clip):
        source = open_source(config(device))
        source.close()
        source.close()
        assert source.read() is None


def faults(tmp_path):
    """Writes what cannot be opened; returns name -> (device, expected words)."""
    (tmp_path / "text.mp4").write_text("A letter to the camera.\n" * 40)
    (tmp_path / "cut.avi").write_bytes(b"RIFF\x00\x00\x00\x00AVI LIST" + bytes(200))
    (tmp_path / "nothing.mp4").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "a.txt").write_text("no image")
    (tmp_path / "damaged").mkdir()
    whole = cv2.imencode(".png", image(50))[1].tobytes()
    (tmp_path / "damaged" / "a.png").write_bytes(whole[:40])
    return {
        "no camera by number": ("63", "no camera at /dev/video63"),
        "no camera by path": ("/dev/video63", "no camera at /dev/video63"),
        "no camera": ("/dev/null", "/dev/null: cannot be opened"),
        "no file": (tmp_path / "absent.mp4", "no such file or folder"),
        "text": (tmp_path / "text.mp4", "a text file, not a video"),
        "cut short": (tmp_path / "cut.avi", "not a video"),
        "nothing in it": (tmp_path / "nothing.mp4", "not a video"),
        "empty folder": (tmp_path / "empty", "no image in this folder"),
        "folder of other files": (tmp_path / "others", "no image in this folder (ignored 1 files that are not images"),
        "damaged images": (tmp_path / "damaged", "a compressed 64x48 image are truncated"),
        "refused stream": ("rtsp://127.0.0.1:9/live", "rtsp://127.0.0.1:9/live: cannot be opened"),
        "unknown protocol": ("nonsense://camera", "nonsense://camera: cannot be opened"),
    }


FAULTS = [
    "no camera by number",
    "no camera by path",
    "no camera",
    "no file",
    "text",
    "cut short",
    "nothing in it",
    "empty folder",
    "folder of other files",
    "damaged images",
    "refused stream",
    "unknown protocol",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_opened_is_one_clear_line(fault, tmp_path):
    device, words = faults(tmp_path)[fault]
    with pytest.raises(SourceError) as raised:
        open_source(config(device))
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("parameters", "error", "line"),
    [
        ({"video_device": " "}, ConfigurationError, "video_device is empty"),
        ({"video_device": "0", "pixel_format": "MJPEG"}, ConfigurationError, "pixel_format 'MJPEG'"),
        ({"video_device": "synthetic"}, ModelFileError, "astronaut.png is damaged or another file"),
    ],
)
def test_what_no_waiting_can_put_right_is_found_without_opening(parameters, error, line, tmp_path, monkeypatch):
    monkeypatch.setenv("EMOTION_PERCEPTION_MODELS", str(tmp_path))
    (tmp_path / "astronaut.png").write_bytes(b"no photograph")
    with pytest.raises(error, match=line):
        check_source(CameraOptions(**parameters))


@pytest.mark.parametrize("device", ["/dev/video63", "/no/such/clip.mp4", "rtsp://127.0.0.1:9/live"])
def test_a_source_that_is_not_there_yet_is_no_wrong_configuration(device):
    check_source(CameraOptions(video_device=device, pixel_format="MJPG"))


OPEN_ALL = """
import sys
from emotion_perception.core.camera.factory import open_source
from emotion_perception.core.camera.options import CameraOptions
from emotion_perception.core.errors import ConfigurationError, ModelFileError, SourceError

for device in sys.argv[1:]:
    try:
        open_source(CameraOptions(video_device=device))
    except SourceError as error:
        print(error)
"""


def test_opencv_and_ffmpeg_add_no_words_of_their_own(tmp_path):
    devices = [str(device) for device, _ in faults(tmp_path).values()]
    done = subprocess.run(  # a process of its own: FFmpeg reads its log level once
        [sys.executable, "-c", OPEN_ALL, *devices], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert len(done.stdout.splitlines()) == len(devices)
    assert [line for line in done.stderr.splitlines() if "; skipped" not in line] == []


@pytest.mark.parametrize("name", ["clip.avi", "b.jpg"])
def test_a_file_that_vanishes_while_it_is_played_is_a_fault_at_the_next_image(clip, folder, name):
    with open_source(config(folder / name)) as source:
        source.read()
        (folder / name).unlink()
        with pytest.raises(SourceError, match=f"{name}: no such file or folder"):
            source.read()


def test_a_video_that_became_a_fifo_is_a_fault_at_its_next_start(clip):
    with open_source(config(clip, loop=True)) as source:
        source.read()
        clip.unlink()
        os.mkfifo(clip)
        with pytest.raises(SourceError, match="a FIFO, not a file"):
            _ = [source.read() for _ in range(100)]


def test_a_video_that_is_played_once_is_played_to_its_end_though_it_was_removed(clip):
    with open_source(config(clip, loop=False)) as source:
        source.read()
        clip.unlink()
        assert levels(source, 3) == [100, 200, None]


def test_a_folder_that_vanishes_is_a_fault(folder, caplog):
    with open_source(config(folder)) as source:
        source.read()
        shutil.rmtree(folder)
        with pytest.raises(SourceError, match=f"{folder.name}: no such file or folder"):
            source.read()
    assert caplog.records == []


def test_images_that_vanish_are_left_out_until_none_is_left(folder, caplog):
    with open_source(config(folder)) as source:
        (folder / "b.jpg").unlink()
        assert levels(source, 4) == [10, 200, 10, 200]
        (folder / "a.png").unlink()
        (folder / "c.bmp").unlink()
        with pytest.raises(SourceError, match="none of its 3 images can be read"):
            source.read()
    assert caplog.records == []
