# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Folders and files of every format that OpenCV decodes, whole, truncated, huge and animated."""

import logging
import os
import socket
import struct
import time
import zlib
from fractions import Fraction

import cv2
import numpy as np
import pytest

from emotion_perception.core.camera import CameraOptions, CaptureLoop, open_source
from emotion_perception.core.errors import SourceError

FORMATS = (".jpg", ".png", ".bmp", ".tif", ".webp", ".ppm")
WAIT_S = 20.0


def config(device, **options):
    return CameraOptions(video_device=str(device), image_width=0, image_height=0, **{"loop": False, **options})


def photo(level=100, side=64):
    noise = np.random.default_rng(level).integers(-40, 40, (side, side, 3))
    return cv2.GaussianBlur(np.clip(level + noise, 0, 255).astype(np.uint8), (0, 0), 2)


def frames(device, **options):
    """Returns the images of a source, and how many files it has left out."""
    found = []
    with open_source(config(device, **options)) as source:
        while (frame := source.read()) is not None:
            found.append(frame)
        return found, source.skipped


def png(width, height):
    """Returns a PNG of a few hundred bytes that declares a size."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1000))),
        (b"IEND", b""),
    ]
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def huge_bmp():
    """Returns a BMP of a few kB that declares 1600 megapixels."""
    data = bytearray(cv2.imencode(".bmp", photo())[1].tobytes())
    data[18:26] = struct.pack("<ii", 40_000, 40_000)
    return bytes(data)


def with_thumbnail(jpeg, thumbnail):
    """Returns a JPEG with another one in its APP1 segment, as cameras write it."""
    segment = b"Exif\0\0" + thumbnail
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


@pytest.fixture
def folder(tmp_path):
    for suffix in FORMATS:
        cv2.imwrite(str(tmp_path / f"whole{suffix}"), photo())
    return tmp_path


@pytest.mark.guarantee("A folder of images shows every format that OpenCV decodes.", section="Camera node")
def test_every_format_is_shown(folder):
    found, skipped = frames(folder)
    assert (len(found), skipped) == (len(FORMATS), 0)
    assert all(abs(float(frame.image_bgr.mean()) - 100) < 10 for frame in found)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_image_is_left_out_and_counted(folder, caplog, suffix, share):
    data = (folder / f"whole{suffix}").read_bytes()
    (folder / f"cut{suffix}").write_bytes(data[: int(len(data) * share)])
    with caplog.at_level(logging.WARNING):
        found, skipped = frames(folder)
    others = sum(
        f"cut{suffix} are not images" in r.getMessage() or "not images" in r.getMessage() for r in caplog.records
    )
    assert (len(found), skipped + others) == (len(FORMATS), 1)
    assert any(f"cut{suffix}" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.5, 0.97])
def test_half_a_photo_with_a_whole_thumbnail_is_truncated(folder, caplog, progressive, share):
    thumbnail = cv2.imencode(".jpg", photo(side=16))[1].tobytes()
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    jpeg = with_thumbnail(cv2.imencode(".jpg", photo(side=256), options)[1].tobytes(), thumbnail)
    (folder / "a.jpg").write_bytes(jpeg)
    assert frames(folder)[1] == 0
    (folder / "a.jpg").write_bytes(jpeg[: int(len(jpeg) * share)])
    with caplog.at_level(logging.WARNING):
        assert frames(folder)[1] == 1
    assert f"{folder / 'a.jpg'}: " in caplog.text


@pytest.mark.guarantee(
    "A truncated or oversized image in a folder is skipped and counted; the others are shown.", section="Camera node"
)
def test_an_image_beyond_the_limits_is_left_out_and_the_others_are_shown(folder, caplog):
    (folder / "huge.bmp").write_bytes(huge_bmp())
    (folder / "huge.png").write_bytes(png(40_000, 40_000))
    os.mkfifo(folder / "pipe.png")
    lost, shown = [], []
    loop = CaptureLoop(
        lambda: open_source(config(folder, loop=True, framerate=500.0)),
        name="folder",
        on_frame=shown.append,
        on_loss=lost.append,
        on_recovery=lambda: None,
        on_error=lost.append,
    )
    with caplog.at_level(logging.WARNING):
        loop.start()
        deadline_s = time.monotonic() + WAIT_S
        while len(shown) < 3 * len(FORMATS) and time.monotonic() < deadline_s:
            time.sleep(0.01)
        skipped = loop.skipped
        loop.stop(WAIT_S)
    assert len(shown) >= 3 * len(FORMATS)
    assert (lost, skipped) == ([], 2)
    assert caplog.text.count("skipped") == 2  # once for each file, not for each round


def test_many_bad_images_are_five_warnings_and_a_count(folder, caplog):
    for number in range(12):
        (folder / f"bad{number:02}.png").write_bytes(png(40_000, 40_000))
    with caplog.at_level(logging.WARNING):
        assert frames(folder)[1] == 12
    assert len(caplog.records) == 5
    assert "further images that cannot be read are not named" in caplog.text


def test_what_is_no_file_is_one_line_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket.mp4"))
    for name, kind in (("pipe.mp4", "a FIFO"), ("socket.mp4", "a socket")):
        with pytest.raises(SourceError, match=f"{name}: {kind}, not a file"):
            open_source(config(tmp_path / name))
    server.close()
    with pytest.raises(SourceError, match="/dev/zero: cannot be opened"):
        open_source(config("/dev/zero"))


def animation(path, durations_ms):
    Image = pytest.importorskip("PIL.Image", reason="Pillow writes the animations of this test")  # noqa: N806
    pages = [Image.fromarray(np.full((48, 64, 3), 10 * k, np.uint8)) for k in range(len(durations_ms))]
    options = {} if path.suffix == ".tif" else {"duration": durations_ms, "loop": 0}
    pages[0].save(path, save_all=True, append_images=pages[1:], **options)
    return path


DURATIONS_MS = [50] * 5 + [200] * 5


@pytest.mark.guarantee(
    "An animated GIF or PNG gives all of its frames; of other files with several images a line says what is left out.",
    section="Camera node",
)
@pytest.mark.parametrize("name", ["a.gif", "a.png"])
def test_an_animation_gives_its_frames_at_their_times(tmp_path, name):
    found, _ = frames(animation(tmp_path / name, DURATIONS_MS), framerate=0.0)
    assert [round(frame.interval_s, 2) for frame in found] == [0.0] + [0.05] * 5 + [0.2] * 4


@pytest.mark.parametrize("name", ["a.webp", "a.tif"])
@pytest.mark.parametrize("in_folder", [False, True])
def test_of_other_files_with_several_images_the_first_is_shown_with_a_warning(tmp_path, caplog, name, in_folder):
    path = animation(tmp_path / name, DURATIONS_MS)
    with caplog.at_level(logging.WARNING):
        found, _ = frames(tmp_path if in_folder else path)
    assert len(found) == 1
    assert [r.getMessage() for r in caplog.records] == [f"{path}: has 10 images, of which the first is shown"]


@pytest.fixture
def variable_clip(tmp_path):
    """A video whose frames are 0.1 s, and later 0.4 s, apart."""
    av = pytest.importorskip("av", reason="PyAV writes the video of this test")
    path = tmp_path / "variable.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        at = 0
        for number in range(9):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * number, np.uint8), format="bgr24")
            frame.pts, frame.time_base = at, Fraction(1, 10)
            container.mux(stream.encode(frame))
            at += 1 if number < 4 else 4
        container.mux(stream.encode())
    return path


@pytest.mark.guarantee(
    "With `framerate` 0 a video of variable frame rate is played at the times of its frames.", section="Camera node"
)
def test_a_variable_rate_is_played_at_its_times(variable_clip):
    found, losses = [], []
    loop = CaptureLoop(
        lambda: open_source(config(variable_clip, framerate=0.0)),
        name="clip",
        on_frame=found.append,
        on_loss=losses.append,
        on_recovery=lambda: None,
        on_error=losses.append,
    )
    loop.start()
    deadline_s = time.monotonic() + WAIT_S
    while not loop.ended and time.monotonic() < deadline_s:
        loop.check()
        time.sleep(0.02)
    loop.stop(WAIT_S)
    assert losses == []
    assert [round(frame.interval_s, 2) for frame in found] == [0.0] + [0.1] * 4 + [0.4] * 4
    played_s = found[-1].grabbed_s - found[0].grabbed_s
    assert played_s > 1.9  # 2.0 s by its stamps; a machine can only be slower
    assert loop.rate.warning() == ""


def test_a_video_at_another_rate_than_its_own_is_mentioned_once(variable_clip, caplog):
    with caplog.at_level(logging.WARNING):
        found, _ = frames(variable_clip, framerate=30.0)
    assert {frame.interval_s for frame in found} == {0.0}
    (record,) = caplog.records
    assert "is played at 30; framerate 0 keeps its own times" in record.getMessage()
