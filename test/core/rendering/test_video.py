# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The video of the demonstration: its codec, its presentation times, its images."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from emotion_perception.core.rendering import VideoWriter

av = pytest.importorskip("av", reason="videos are written with PyAV, the extra [video]")

START_NS = 10**18
STAMPS_MS = [0, 33, 67, 400, 401, 1500]


@pytest.fixture
def video(tmp_path):
    """A video of a gray level for each of STAMPS_MS, 161x121."""
    path = tmp_path / "overlay.webm"
    writer = VideoWriter(path)
    for number, stamp_ms in enumerate(STAMPS_MS):
        writer.write(np.full((121, 161, 3), 40 * number, np.uint8), START_NS + stamp_ms * 1_000_000)
    writer.close()
    assert (writer.written, writer.dropped) == (len(STAMPS_MS), 0)
    return path


def test_images_have_their_stamps_as_presentation_times(video):
    with av.open(str(video)) as container:
        frames = list(container.decode(video=0))
    assert [round(frame.time * 1000) for frame in frames] == STAMPS_MS
    assert [(frame.width, frame.height) for frame in frames] == [(160, 120)] * len(STAMPS_MS)
    levels = [frame.to_ndarray(format="bgr24").mean() for frame in frames]
    assert levels == pytest.approx([40 * number for number in range(len(STAMPS_MS))], abs=4)


@pytest.mark.parametrize("shape", [(1, 40, 3), (40, 1, 3)])
def test_images_that_are_too_small_for_a_video_are_named(tmp_path, shape):
    writer = VideoWriter(tmp_path / "one.webm")
    writer.write(np.zeros(shape, np.uint8), START_NS)
    with pytest.raises(OSError, match=f"images of {shape[1]}x{shape[0]} pixels are too small for a video"):
        writer.close()


@pytest.mark.guarantee(
    "The video of `make demo` is VP9 in WebM, whose encoder is under a BSD license.", section="Programs"
)
def test_the_encoder_is_not_one_under_the_gpl(video):
    with av.open(str(video)) as container:
        assert container.streams.video[0].codec_context.name in ("vp9", "libvpx-vp9")
        assert "webm" in container.format.name
    capture = cv2.VideoCapture(str(video))  # OpenCV's own FFmpeg reads it, too
    assert capture.read()[1].mean() == pytest.approx(0, abs=4)


def test_a_writer_that_got_no_image_leaves_no_file(tmp_path):
    VideoWriter(tmp_path / "none.webm").close()
    assert not (tmp_path / "none.webm").exists()


def test_images_of_another_size_than_the_first_one_are_left_out(tmp_path):
    writer = VideoWriter(tmp_path / "overlay.webm")
    for k, shape in enumerate([(120, 160, 3), (60, 80, 3), (240, 320, 3), (120, 160, 3)]):
        writer.write(np.zeros(shape, np.uint8), START_NS + k * 33_000_000)
    writer.close()
    assert (writer.written, writer.dropped) == (2, 2)


@pytest.mark.parametrize("count", [1, 300], ids=["at its end", "while images come"])
def test_a_writer_that_fails_does_not_block_and_says_so_when_it_is_closed(tmp_path, count):
    writer = VideoWriter(tmp_path / "gone" / "overlay.webm")
    for k in range(count):  # 300 are more than the queue holds
        writer.write(np.zeros((120, 160, 3), np.uint8), START_NS + k * 33_000_000)
    with pytest.raises(OSError, match=r"not written to its end: .*gone/overlay\.webm"):
        writer.close()
    assert writer.written + writer.dropped <= count


def test_what_nodes_import_does_not_load_pyav():
    code = (
        "import sys, emotion_perception.core.rendering as r; r.VideoWriter, r.draw_overlay; print('av' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr
