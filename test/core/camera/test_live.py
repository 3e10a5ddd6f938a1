# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import socket
import threading
import time

import cv2
import numpy as np
import pytest

from emotion_perception.core.camera.factory import open_source
from emotion_perception.core.camera.live import LatestFrameReader, StreamSource, device_settings
from emotion_perception.core.camera.options import CameraOptions
from emotion_perception.core.camera.source import frame_timeout_s
from emotion_perception.core.errors import ConfigurationError, SourceError


class FakeCapture:
    """Gives images of rising gray level, then whatever `at_end` does."""

    def __init__(self, count=1000, *, opens=True, period_s=0.001, at_end=lambda: (False, None)):
        self.count, self.opens, self.period_s, self.at_end = count, opens, period_s, at_end
        self.given = 0
        self.released = threading.Event()

    def isOpened(self):  # noqa: N802 (OpenCV's name)
        return self.opens

    def get(self, prop):
        return 25.0 if prop == cv2.CAP_PROP_FPS else 0.0

    def read(self):
        time.sleep(self.period_s)
        if self.given == self.count:
            return self.at_end()
        self.given += 1
        return True, np.full((4, 6, 3), self.given % 256, np.uint8)

    def release(self):
        self.released.set()


def for_ever(function):
    while True:
        function()


def level(frame):
    return int(frame.image_bgr[0, 0, 0])


def test_a_reader_that_is_slow_gets_the_newest_frame_only():
    capture = FakeCapture(count=250)
    reader = LatestFrameReader(lambda: capture)
    first = level(reader.take(5.0))
    time.sleep(0.1)
    second = level(reader.take(5.0))
    reader.close()
    assert second > first + 5
    assert reader.rate_hz == 25.0
    assert capture.released.wait(2.0)


def test_no_frame_is_given_twice():
    reader = LatestFrameReader(lambda: FakeCapture(count=60))
    taken = []
    with pytest.raises(SourceError, match="delivers no more images"):
        for_ever(lambda: taken.append(level(reader.take(5.0))))
    assert taken == sorted(set(taken))
    assert taken[-1] == 60


def test_frames_carry_the_monotonic_time_of_the_grab():
    before = time.monotonic()
    reader = LatestFrameReader(FakeCapture)
    frame = reader.take(5.0)
    reader.close()
    assert before <= frame.grabbed_s <= time.monotonic()


@pytest.mark.parametrize(
    ("capture", "words"),
    [(FakeCapture(opens=False), "cannot be opened"), (FakeCapture(count=0), "delivers no more images")],
)
def test_a_capture_that_gives_nothing_is_a_fault(capture, words):
    reader = LatestFrameReader(lambda: capture)
    with pytest.raises(SourceError, match=words):
        reader.take(5.0)
    assert capture.released.wait(2.0)


def test_a_driver_that_is_stuck_delays_neither_the_answer_nor_the_end():
    stuck = threading.Event()
    capture = FakeCapture(count=1, at_end=lambda: (not stuck.wait(20.0), None))
    reader = LatestFrameReader(lambda: capture)
    reader.take(5.0)
    begin = time.monotonic()
    with pytest.raises(SourceError, match=r"no image for 0\.2 s"):
        reader.take(0.2)
    reader.close()
    assert time.monotonic() - begin < 2.0
    stuck.set()  # the driver answers at last
    assert capture.released.wait(2.0)


def test_a_closed_reader_has_no_more_frames():
    reader = LatestFrameReader(FakeCapture)
    reader.take(5.0)
    reader.close()
    reader.close()
    assert reader.take(0.1) is None


def test_opencvs_own_exception_is_a_fault():
    def fail():
        raise cv2.error("the driver\nsays no")

    with pytest.raises(SourceError, match="the driver says no"):
        LatestFrameReader(fail).take(5.0)


def test_the_format_is_asked_for_before_size_and_rate():
    config = CameraOptions(pixel_format="MJPG", image_width=1280, image_height=720, framerate=15.0)
    assert device_settings(config) == [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 1280),
        (cv2.CAP_PROP_FRAME_HEIGHT, 720),
        (cv2.CAP_PROP_FPS, 15.0),
        (cv2.CAP_PROP_BUFFERSIZE, 1),
    ]


def test_what_is_not_asked_for_is_left_to_the_driver():
    config = CameraOptions(image_width=0, image_height=0, framerate=0.0)
    assert device_settings(config) == [(cv2.CAP_PROP_BUFFERSIZE, 1)]


def test_a_pixel_format_needs_four_characters():
    with pytest.raises(ConfigurationError, match="pixel_format 'MJPEG'"):
        open_source(CameraOptions(video_device="/dev/null", pixel_format="MJPEG"))


def test_a_stream_gives_images_scaled_to_fit_and_its_end_is_a_fault(network_camera):
    config = CameraOptions(video_device=network_camera.url, image_width=32, image_height=32)
    with open_source(config) as source:
        assert source.is_live
        frames = [source.read() for _ in range(3)]
        assert [frame.image_bgr.shape for frame in frames] == [(24, 32, 3)] * 3
        assert frames[0].grabbed_s < frames[1].grabbed_s < frames[2].grabbed_s
        network_camera.switch_off()
        with pytest.raises(SourceError, match=r"live\.mjpg: (delivers no more images|no image for)"):
            for_ever(source.read)


@pytest.mark.parametrize("framerate", [0.0, 30.0])
def test_a_stream_that_is_held_up_is_given_up_after_a_moment(network_camera, framerate):
    with open_source(CameraOptions(video_device=network_camera.url, framerate=framerate)) as source:
        source.read()
        network_camera.hold()
        with pytest.raises(SourceError, match=r"live\.mjpg: (delivers no more images|no image for 1\.5 s)"):
            for_ever(source.read)


@pytest.mark.parametrize(("rate_hz", "expected_s"), [(0.0, 1.5), (30.0, 1.5), (1.0, 2.5), (0.1, 25.0)])
def test_a_slow_source_is_waited_for_longer(rate_hz, expected_s):
    assert frame_timeout_s(rate_hz) == pytest.approx(expected_s)


@pytest.mark.parametrize(("framerate", "expected_hz"), [(20.0, 20.0), (0.0, 0.0)])
def test_motion_jpeg_says_nothing_of_its_rate(network_camera, framerate, expected_hz):
    with open_source(CameraOptions(video_device=network_camera.url, framerate=framerate)) as source:
        assert source.rate_hz == expected_hz


def test_a_server_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/live"
        begin = time.monotonic()
        with pytest.raises(SourceError, match="/live: (cannot be opened|no image for)"):
            StreamSource(url, CameraOptions(), open_timeout_s=0.5, read_timeout_s=0.5)
        assert time.monotonic() - begin < 3.0
