import time

import numpy as np
import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import CameraInfo, Image

from emotion_perception.core.errors import SourceError
from emotion_perception.core.types import Frame
from emotion_perception.ros.camera_node import CameraNode
from emotion_perception.ros.conversions import stamp_ns
from emotion_perception.ros.images import image_to_bgr

CALIBRATION = """\
image_width: 64
image_height: 48
camera_name: camera
camera_matrix: {rows: 3, cols: 3, data: [60, 0, 32, 0, 60, 24, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [60, 0, 32, 0, 0, 60, 24, 0, 0, 0, 1, 0]}
"""


class CountingSource:
    """Gives pictures whose value is their number, at 50 Hz; fails where it is told to."""

    rate_hz, is_live = 50.0, False

    def __init__(self, fail_at=()):
        self.number, self.fail_at, self.closed = 0, set(fail_at), False

    def read(self):
        self.number += 1
        if self.number in self.fail_at:
            raise SourceError("cable pulled")
        return Frame(np.full((48, 64, 3), self.number % 250, np.uint8), time.monotonic())

    def close(self):
        self.closed = True


def start(graph, source=None, **parameters):
    images, infos = graph.listen(Image, "image_raw"), graph.listen(CameraInfo, "camera_info")
    source = source or CountingSource()
    node = graph.node(CameraNode, opener=lambda config: source, parameters=parameters)
    return node, source, images, infos


def test_image_and_camera_info_share_one_header(graph):
    _, _, images, infos = start(graph, frame_id="head_camera_optical_frame")
    graph.wait(lambda: len(images) >= 5 and len(infos) >= 5)
    by_stamp = {stamp_ns(info.header): info for info in infos}
    together = [(image, by_stamp[stamp_ns(image.header)]) for image in images if stamp_ns(image.header) in by_stamp]
    assert len(together) >= 4
    for image, info in together:
        assert image.header == info.header
        assert image.header.frame_id == "head_camera_optical_frame"
        assert (info.width, info.height) == (image.width, image.height) == (64, 48)


def test_stamps_increase_and_no_frame_comes_twice(graph):
    _, _, images, _ = start(graph)
    graph.wait(lambda: len(images) >= 10)
    stamps = [stamp_ns(image.header) for image in images]
    values = [int(image_to_bgr(image)[0, 0, 0]) for image in images]
    assert (np.diff(stamps) > 0).all()
    assert len(set(values)) == len(values)


def test_the_stamp_is_when_the_picture_was_taken(graph):
    node, _, images, _ = start(graph)
    graph.wait(lambda: images)
    age_s = node.get_clock().now().nanoseconds * 1e-9 - stamp_ns(images[-1].header) * 1e-9
    assert 0 <= age_s < 2


def test_without_calibration_k_is_zero(graph):
    _, _, _, infos = start(graph)
    graph.wait(lambda: infos)
    assert not infos[0].k.any()


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_calibration_is_published(graph, tmp_path, prefix):
    path = tmp_path / "camera.yaml"
    path.write_text(CALIBRATION)
    _, _, _, infos = start(graph, camera_info_url=f"{prefix}{path}")
    graph.wait(lambda: infos)
    assert infos[0].k[0] == 60
    assert infos[0].distortion_model == "plumb_bob"


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"video_device": "/dev/video97"}, "/dev/video97"),
        ({"video_device": "{tmp}/clip.txt"}, "clip.txt"),
        ({"video_device": "{tmp}/empty"}, "empty"),
        ({"camera_info_url": "file:///no/such.yaml"}, "No such file"),
        ({"camera_info_url": "{tmp}/clip.txt"}, "not a camera calibration"),
        ({"camera_info_url": "ftp://x/y"}, "only file:// and package://"),
        ({"camera_info_url": "package://no_such_package/y"}, "no package no_such_package"),
        ({"camera_info_url": "{tmp}/other.yaml"}, "calibrates 'other', camera_name is 'camera'"),
    ],
)
def test_a_bad_source_or_calibration_is_one_line_and_the_node_stays_unconfigured(graph, tmp_path, parameters, line):
    (tmp_path / "clip.txt").write_text("this is no video")
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.yaml").write_text(CALIBRATION.replace("camera_name: camera", "camera_name: other"))
    filled = {name: value.format(tmp=tmp_path) for name, value in parameters.items()}
    node = graph.node(CameraNode, activate=False, parameters=filled)
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert line in str(node.start_fault)
    assert "\n" not in str(node.start_fault)


def test_a_source_that_fails_is_opened_again(graph):
    node, _, images, _ = start(graph, CountingSource(fail_at={3}))
    graph.wait(lambda: node.faults >= 1)
    seen = len(images)
    graph.wait(lambda: len(images) > seen + 3)


def test_deactivating_ends_the_stream_and_releases_the_source(graph):
    node, source, images, _ = start(graph)
    graph.wait(lambda: images)
    node.trigger_deactivate()
    graph.let_run(0.1)
    count = len(images)
    graph.let_run(0.2)
    assert len(images) == count
    assert source.closed


def test_the_life_cycle_leaves_one_publisher_however_often_it_is_gone_through(graph):
    node, _, images, _ = start(graph)
    for _ in range(3):
        node.trigger_deactivate()
        node.trigger_cleanup()
        node.trigger_configure()
        node.trigger_activate()
    assert len(list(node.publishers)) == len({publisher.topic_name for publisher in node.publishers})
    images.clear()
    graph.wait_for(images, 3)
