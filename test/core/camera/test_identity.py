# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

from pathlib import Path

import pytest

from emotion_perception.core.camera.factory import source_path
from emotion_perception.core.camera.identity import source_identity, without_password


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp://10.0.0.2/live", "rtsp://10.0.0.2/live"),
        ("rtsp://me:secret@10.0.0.2:554/live", "rtsp://me:***@10.0.0.2:554/live"),
        ("rtsp://me:se:c@ret@10.0.0.2/live", "rtsp://me:***@10.0.0.2/live"),
        ("http://10.0.0.2/video?user=me&pwd=secret&size=2", "http://10.0.0.2/video?user=me&pwd=***&size=2"),
        ("rtsp://10.0.0.2/user=me&password=secret&channel=1", "rtsp://10.0.0.2/user=me&password=***&channel=1"),
        ("rtsp://me:secret@[::1/live", "rtsp://me:***@[::1/live"),
        ("rtsp://me:pa#ss@10.0.0.2/live", "rtsp://me:***@10.0.0.2/live"),
        ("rtsp://me:p/a?s@s@10.0.0.2/live", "rtsp://me:***@10.0.0.2/live"),
        (
            "http://10.0.0.2/cgi?loginuse=me&loginpas=secret&size=2",
            "http://10.0.0.2/cgi?loginuse=me&loginpas=***&size=2",
        ),
        ("http://10.0.0.2/cgi?usr=me&psw=secret&rate=5", "http://10.0.0.2/cgi?usr=me&psw=***&rate=5"),
        ("/home/me/password=x.mp4", "/home/me/password=x.mp4"),
    ],
)
def test_a_password_stays_out_of_messages(url, expected):
    assert without_password(url) == expected


@pytest.mark.parametrize(
    ("video_device", "expected"),
    [
        ("synthetic", "synthetic"),
        ("/data/clip.mp4", "/data/clip.mp4"),
        ("file:///data/clip.mp4", "/data/clip.mp4"),
        ("rtsp://me:secret@10.0.0.2:554/live?token=abc#part", "rtsp://10.0.0.2:554/live"),
        ("rtsp://token@10.0.0.2/live", "rtsp://10.0.0.2/live"),
        ("rtsp://me:pa#s/s?w@10.0.0.2/live", "rtsp://10.0.0.2/live"),
        ("rtsp://10.0.0.2/live@main", "rtsp://10.0.0.2/live@main"),
        ("0", "/dev/video0 (Front camera: UVC) (serial 8A3F)"),
        (" /dev/video0 ", "/dev/video0 (Front camera: UVC) (serial 8A3F)"),
        ("/dev/video1", "/dev/video1"),
    ],
)
def test_a_source_is_named_without_credentials_and_a_device_with_its_serial_number(tmp_path, video_device, expected):
    usb_device = tmp_path / "usb"
    (usb_device / "interface").mkdir(parents=True)
    (usb_device / "serial").write_text("8A3F\n")
    entry = tmp_path / "class" / "video0"
    entry.mkdir(parents=True)
    (entry / "name").write_text("Front camera: UVC\n")
    (entry / "device").symlink_to(usb_device / "interface")
    assert source_identity(video_device, tmp_path / "class") == expected


@pytest.mark.parametrize(
    ("video_device", "expected"),
    [
        ("clip.mp4", Path("clip.mp4")),
        (" file:///data/my%20clip.mp4 ", Path("/data/my clip.mp4")),
        ("987", None),
        ("/dev/nosuch", None),
        ("/dev/null", None),
        (" synthetic ", None),
        ("rtsp://10.0.0.2/live", None),
    ],
)
def test_only_a_file_or_folder_has_a_path(video_device, expected):
    assert source_path(video_device) == expected
