# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The recording of the last 30 s, and that the images it needs do not stay in memory."""

import asyncio
import weakref
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from manual_clock import Clock

pytest.importorskip("nicegui", reason="the extra web is not installed: scripts/setup.sh web")

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.serialization import serialize_message

from emotion_perception.core.errors import RecordingError
from emotion_perception.ros.viewer.camera_inputs import CameraInputs
from emotion_perception.ros.viewer.last_seconds import LastSeconds
from emotion_perception.web.newest_image import NewestImage
from emotion_perception.web.state import CameraState


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def newest(clock):
    with ThreadPoolExecutor(1) as executor:
        yield NewestImage(15.0, executor, keep_s=30.0, keep_bytes=1000, clock_s=clock)


def show(newest):
    """Lets a page show an image; returns a weak reference to it."""
    newest.offer(lambda: b"jpeg", 5_000_000_007)
    return weakref.ref(asyncio.run(newest.newer_than(0, 0.0)))


def test_the_recording_is_a_zip_archive_in_a_file_without_a_name(newest, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "temporary").mkdir()
    recordings = LastSeconds([("/image_overlay", newest)], enabled=True)
    with pytest.raises(RecordingError, match="nothing has come"):
        recordings.last_seconds(0)
    recordings.add("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", bytes(serialize_message(DiagnosticArray())))
    show(newest)
    with recordings.last_seconds(0) as file:
        assert list((tmp_path / "temporary").iterdir()) == []
        with zipfile.ZipFile(file) as archive:
            archive.extractall(tmp_path)
    from rosbags.rosbag2 import Reader

    with Reader(tmp_path / "last30s") as reader:
        counts = {connection.topic: connection.msgcount for connection in reader.connections}
    assert counts == {"/diagnostics": 1, "/image_overlay/compressed": 1}


def test_images_are_forgotten_after_the_last_page_has_gone(graph, newest, clock):
    camera = CameraState("camera", newest, [], "/classifier")
    inputs = CameraInputs(
        graph.probe,
        camera,
        "/image_overlay",
        "/emotions",
        transport="raw",
        quality=80,
        anonymize="none",
        record=lambda raw: None,
    )
    image = show(newest)
    inputs.check()
    clock.now_s += 10
    inputs.check()
    assert image() is not None
    clock.now_s += 21
    inputs.check()
    assert image() is None
