# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import os
import shutil
import threading
import time

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import HistoryPolicy, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from sensor_msgs.srv import SetCameraInfo

from emotion_perception.core.errors import ConfigurationError, SourceError
from emotion_perception.core.types import Frame
from emotion_perception.ros.conversions import stamp_ns
from emotion_perception.ros.nodes.camera import CameraNode
from emotion_perception.ros.transport import camera_publishers
from emotion_perception.ros.transport.image_messages import image_to_bgr

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


LOSS_S = 2.0  # within which a loss has to be an error in /diagnostics
SLACK_S = 4.0  # for a machine that is busy otherwise


class CountingSource:
    """Gives images whose value is their number, at 50 Hz; fails where it is told to."""

    rate_hz, is_live, skipped = 50.0, False, 0

    def __init__(self, fail_at=()):
        self.number, self.fail_at, self.closed = 0, set(fail_at), False

    def read(self):
        self.number += 1
        if self.number in self.fail_at:
            raise SourceError("cable pulled")
        return Frame(np.full((48, 64, 3), self.number % 250, np.uint8), time.monotonic())

    def close(self):
        self.closed = True


class Camera:
    """A fake device behind FrameSource that can be unplugged and plugged in; gives images of rising value.

    Attributes:
        plugged: whether it is there.
        opened: how often it was tried to open it.
        hangs: opening it (`open`) or reading it (`read`) takes until it is freed.
        period_s: time between two images.
    """

    def __init__(self, *, plugged=True, rate_hz=50.0, hangs=""):
        self.plugged, self.rate_hz, self.period_s, self.hangs = plugged, rate_hz, 1 / rate_hz, hangs
        self.opened, self.number, self.free, self.sources = 0, 0, threading.Event(), []
        self.due_s = 0.0

    def __call__(self, config):
        self.opened += 1
        if self.hangs == "open":
            self.free.wait(60.0)
        if not self.plugged:
            raise SourceError("no camera at /dev/video0")
        self.sources.append(self.Source(self))
        return self.sources[-1]

    class Source:
        is_live, skipped = True, 0

        def __init__(self, camera):
            self.camera, self.rate_hz, self.closed = camera, camera.rate_hz, False

        def read(self):
            camera = self.camera
            if camera.hangs == "read" and camera.number:
                camera.free.wait(60.0)
            camera.due_s = max(camera.due_s + camera.period_s, time.monotonic() - 1.0)  # the rate is kept on average
            time.sleep(max(0.0, camera.due_s - time.monotonic()))
            if self.closed:
                return None
            if not camera.plugged:
                raise SourceError("/dev/video0: delivers no more images")
            camera.number += 1
            return Frame(np.full((48, 64, 3), camera.number % 250, np.uint8), time.monotonic())

        def close(self):
            self.closed = True


class Watcher:
    """What /diagnostics and the log say of the camera node."""

    def __init__(self, graph, capfd):
        self._graph, self._capfd, self._log = graph, capfd, ""
        self._statuses = graph.listen(DiagnosticArray, "/diagnostics")

    @property
    def level(self):
        return self._statuses[-1].status[0].level if self._statuses else None

    @property
    def message(self):
        return self._statuses[-1].status[0].message if self._statuses else ""

    def value(self, key):
        return {pair.key: pair.value for pair in self._statuses[-1].status[0].values}[key]

    def count_of_lines(self, words):
        """Returns how many lines of the log have such words; not of /rosout, which nodes of one name share."""
        self._log += self._capfd.readouterr().err
        return sum(words in line for line in self._log.splitlines())

    def wait_for(self, level):
        self._graph.wait(lambda: self.level == level, f"the level is {self.level}, {self.message}")

    def wait_for_loss(self):
        """Waits for an error; returns after how long it came."""
        begun_s = time.monotonic()
        self.wait_for(DiagnosticStatus.ERROR)
        return time.monotonic() - begun_s


@pytest.fixture
def watcher(graph, capfd):
    return Watcher(graph, capfd)


def start(graph, source=None, **parameters):
    images, infos = graph.listen(Image, "image_raw"), graph.listen(CameraInfo, "camera_info")
    source = source or CountingSource()
    node = graph.node(CameraNode, opener=lambda config: source, parameters=parameters)
    return node, source, images, infos


def plug_in(graph, camera, **parameters):
    """Starts the node on a fake device; returns it and the list of its images."""
    images = graph.listen(Image, "image_raw")
    return graph.node(CameraNode, opener=camera, parameters=parameters), images


def play(graph, device, **parameters):
    """Starts the node on a real source; returns it and the list of its images."""
    images = graph.listen(Image, "image_raw")
    return graph.node(CameraNode, parameters={"video_device": str(device), **parameters}), images


def check_stamps(images):
    assert (np.diff([stamp_ns(image.header) for image in images]) > 0).all()


def values(images):
    return [int(image_to_bgr(image)[0, 0, 0]) for image in images]


@pytest.fixture
def clip(tmp_path):
    """A video of ten images, each brighter than the one before."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for number in range(10):
        writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
    writer.release()
    return path


@pytest.fixture
def folder(tmp_path):
    """A folder of two images."""
    path = tmp_path / "pictures"
    path.mkdir()
    for number in range(2):
        cv2.imwrite(str(path / f"{number}.png"), np.full((48, 64, 3), 100 * number, np.uint8))
    return path


@pytest.mark.guarantee("`image_raw`, `camera_info` and `image_raw/compressed` share one header.", section="Camera node")
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


@pytest.mark.guarantee(
    "Stamps are those of the grab and increase strictly; no frame is published twice.", section="Camera node"
)
def test_stamps_increase_and_no_frame_comes_twice(graph):
    _, _, images, _ = start(graph)
    graph.wait(lambda: len(images) >= 10)
    stamps = [stamp_ns(image.header) for image in images]
    values = [int(image_to_bgr(image)[0, 0, 0]) for image in images]
    assert (np.diff(stamps) > 0).all()
    assert len(set(values)) == len(values)


@pytest.mark.guarantee(
    "Stamps are those of the grab and increase strictly; no frame is published twice.", section="Camera node"
)
def test_the_stamp_is_when_the_image_was_taken(graph):
    node, _, images, _ = start(graph)
    graph.wait(lambda: images)
    age_s = node.get_clock().now().nanoseconds * 1e-9 - stamp_ns(images[-1].header) * 1e-9
    assert 0 <= age_s < 2


@pytest.mark.guarantee(
    "Without a calibration K is zero; a calibration is published as it is read.", section="Camera node"
)
def test_without_calibration_k_is_zero(graph):
    _, _, _, infos = start(graph)
    graph.wait(lambda: infos)
    assert not infos[0].k.any()


@pytest.mark.guarantee(
    "Without a calibration K is zero; a calibration is published as it is read.", section="Camera node"
)
@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_calibration_is_published(graph, tmp_path, prefix):
    path = tmp_path / "camera.yaml"
    path.write_text(CALIBRATION)
    _, _, _, infos = start(graph, camera_info_url=f"{prefix}{path}")
    graph.wait(lambda: infos)
    assert infos[0].k[0] == 60
    assert infos[0].distortion_model == "plumb_bob"


@pytest.mark.guarantee(
    "While images and calibration differ in size, K is zero and `/diagnostics` shows a WARN.", section="Camera node"
)
def test_a_calibration_for_another_size_is_not_published(graph, watcher, tmp_path):
    path = tmp_path / "camera.yaml"
    path.write_text(CALIBRATION.replace("image_width: 64", "image_width: 640"))
    _, _, _, infos = start(graph, camera_info_url=str(path))
    graph.wait(lambda: infos)
    assert (infos[0].width, infos[0].height, infos[0].k[0]) == (64, 48, 0)
    watcher.wait_for(DiagnosticStatus.WARN)
    assert "is for 640x48 pixels, the images have 64x48" in watcher.message


class TestSetCameraInfo:
    """The service by which cameracalibrator saves."""

    def request(self, **changes):
        info = CameraInfo(width=64, height=48, distortion_model="plumb_bob", d=[0.1, 0.0, 0.0, 0.0, 1 / 3])
        info.k = [70.0, 0.0, 32.0, 0.0, 70.0, 24.0, 0.0, 0.0, 1.0]
        info.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
        info.p = [70.0, 0.0, 32.0, 0.0, 0.0, 70.0, 24.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        for name, value in changes.items():
            setattr(info, name, [float(number) for number in value] if isinstance(value, list) else value)
        return SetCameraInfo.Request(camera_info=info)

    def call(self, graph, request, name="set_camera_info"):
        client = graph.probe.create_client(SetCameraInfo, name)
        graph.wait(client.service_is_ready, "the service is not there")
        answer = client.call_async(request)
        graph.wait(answer.done, "no response")
        return answer.result()

    @pytest.mark.guarantee(
        "`set_camera_info` saves a calibration to the file of `camera_info_url`, publishes it from the next frame on, "
        "and loads it at the next start.",
        section="Camera node",
    )
    @pytest.mark.parametrize("prefix", ["", "file://"])
    def test_a_calibration_is_saved_published_and_loaded_at_the_next_start(self, graph, watcher, tmp_path, prefix):
        path = tmp_path / "my camera.yaml"
        url = str(path) if not prefix else prefix + str(path).replace(" ", "%20")
        node, _, _, infos = start(graph, camera_info_url=url)
        graph.wait(lambda: infos)
        watcher.wait_for(DiagnosticStatus.WARN)
        assert "no such file; camera_info has no K until set_camera_info saves one" in watcher.message
        request = self.request()
        answer = self.call(graph, request)
        assert (answer.success, answer.status_message) == (True, f"calibration saved to {path}")
        graph.wait(lambda: infos[-1].k[0], "it is not published")
        watcher.wait_for(DiagnosticStatus.OK)
        node.trigger_deactivate()
        node.trigger_cleanup()
        infos.clear()
        node.trigger_configure()
        node.trigger_activate()
        graph.wait(lambda: infos)
        expected, loaded = request.camera_info, infos[0]
        for name in ("width", "height", "distortion_model", "d", "k", "r", "p"):
            np.testing.assert_array_equal(getattr(loaded, name), getattr(expected, name))
        assert [file.name for file in tmp_path.iterdir()] == ["my camera.yaml"]

    def test_a_calibration_whose_name_is_a_link_is_saved_where_it_leads(self, graph, tmp_path):
        link, file = tmp_path / "installed.yaml", tmp_path / "source" / "camera.yaml"
        file.parent.mkdir()
        link.symlink_to(file)
        _, _, _, infos = start(graph, camera_info_url=str(link))
        graph.wait(lambda: infos)
        assert self.call(graph, self.request()).success
        assert link.is_symlink()
        assert "plumb_bob" in file.read_text()

    @pytest.mark.guarantee(
        "Without `camera_info_url` each camera has a calibration file of its own in `$ROS_HOME/camera_info`.",
        section="Camera node",
    )
    def test_without_an_url_each_camera_has_a_file_of_its_own(self, graph, ros_home):
        for namespace in ("/front", "/rear/left"):
            images = graph.listen(Image, f"{namespace}/image_raw")
            graph.node(CameraNode, opener=lambda config: CountingSource(), remappings=[("__ns", namespace)])
            graph.wait(lambda images=images: images)
            assert self.call(graph, self.request(), f"{namespace}/set_camera_info").success
        names = {file.name for file in (ros_home / "camera_info").iterdir()}
        assert names == {"front_camera.yaml", "rear_left_camera.yaml"}
        infos = graph.listen(CameraInfo, "/front/camera_info")
        graph.wait(lambda: infos and infos[-1].k[0] == 70)

    @pytest.mark.guarantee(
        "`set_camera_info` refuses a wrong size or impossible values with the reason, and keeps the old calibration.",
        section="Camera node",
    )
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"width": 640}, "it is for 640x48 pixels, the images have 64x48"),
            ({"height": 0}, "64x0 is no image size"),
            ({"k": [0.0] * 9}, "K has no positive focal lengths"),
            ({"k": [float("nan")] * 9}, "K has a value that is not finite"),
            ({"d": [0.0] * 1000}, "D has 1000 values, more than 64"),
            ({"distortion_model": "a\nb: c"}, "distortion_model 'a\\nb: c' is not a name"),
            ({"k": [5e-324, 0, 32, 0, 70, 24, 0, 0, 1]}, "focal length 4.94066e-324, 70 is not in 1 to 1e+06"),
            ({"k": [1e308, 0, 32, 0, 1e308, 24, 0, 0, 1]}, "focal length 1e+308, 1e+308 is not in 1 to 1e+06"),
            ({"k": [70, 0, 32, 0, 70, 24, 3, 4, 5]}, "the last row of K is not 0, 0, 1"),
            ({"d": [0.1, 0.0, 0.0]}, "plumb_bob with 3 coefficients"),
            ({"r": [0.0] * 9}, "R is not a rotation"),
            ({"r": [1e308] * 9}, "R is not a rotation"),
            ({"r": [1, 0, 0, 0, 1, 0, 0, 0, -1]}, "R is a reflection, not a rotation"),
            ({"p": [0.0] * 12}, "P has no focal lengths"),
            ({"p": [-70, 0, 32, 0, 0, 70, 24, 0, 0, 0, 1, 0]}, "focal length -70, 70 is not in 1 to 1e+06"),
        ],
    )
    def test_a_wrong_calibration_is_refused_with_the_reason(self, graph, tmp_path, changes, reason):
        path = tmp_path / "camera.yaml"
        path.write_text(CALIBRATION)
        _, _, _, infos = start(graph, camera_info_url=str(path))
        graph.wait(lambda: infos)
        answer = self.call(graph, self.request(**changes))
        assert (answer.success, answer.status_message) == (False, f"calibration refused: {reason}")
        count = len(infos)
        graph.wait(lambda: len(infos) > count + 2)
        assert infos[-1].k[0] == 60
        assert path.read_text() == CALIBRATION

    def test_before_the_first_image_it_is_refused(self, graph, tmp_path):
        graph.node(CameraNode, opener=Camera(plugged=False), parameters={"camera_info_url": f"{tmp_path}/camera.yaml"})
        answer = self.call(graph, self.request())
        assert (answer.success, answer.status_message) == (
            False,
            "calibration refused: no image has come yet, so its size cannot be checked",
        )
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_cannot_be_written_is_the_answer_and_is_not_published(self, graph, tmp_path):
        folder = tmp_path / "folder"
        folder.mkdir()
        _, _, _, infos = start(graph, camera_info_url=f"{folder}/camera.yaml")
        graph.wait(lambda: infos)
        folder.rmdir()
        answer = self.call(graph, self.request())
        message = f"calibration not saved: {folder}/camera.yaml: No such file or directory"
        assert (answer.success, answer.status_message) == (False, message)
        count = len(infos)
        graph.wait(lambda: len(infos) > count + 2)
        assert infos[-1].k[0] == 0


@pytest.mark.guarantee(
    "`hardware_id` in `/diagnostics` is the camera's device or address, without user and password.",
    section="Camera node",
)
@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ("97", "/dev/video97"),
        ("synthetic", "synthetic"),
        ("rtsp://me:secret@127.0.0.1:9/live?token=secret", "rtsp://127.0.0.1:9/live"),
    ],
)
def test_the_hardware_id_is_the_source_without_credentials(graph, device, expected):
    statuses = graph.listen(DiagnosticArray, "/diagnostics")
    graph.node(CameraNode, opener=Camera(plugged=False), parameters={"video_device": device})
    graph.wait(lambda: statuses)
    assert statuses[-1].status[0].hardware_id == expected


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"video_device": " "}, "video_device is empty"),
        ({"pixel_format": "MJPEG"}, "pixel_format 'MJPEG' is not a four-character code"),
        ({"camera_info_url": "file:///no/such.yaml"}, "No such file"),
        ({"camera_info_url": "{tmp}/clip.txt"}, "not a camera calibration"),
        ({"camera_info_url": "ftp://x/y"}, "only file:// and package://"),
        ({"camera_info_url": "package://no_such_package/y"}, "no package no_such_package"),
        ({"camera_info_url": "package://../y"}, "no package .."),
        ({"camera_info_url": "{tmp}/other.yaml"}, "calibrates 'other', camera_name is 'camera'"),
    ],
)
def test_a_wrong_configuration_is_one_line_and_the_node_stays_unconfigured(graph, tmp_path, parameters, line):
    (tmp_path / "clip.txt").write_text("this is no calibration")
    (tmp_path / "other.yaml").write_text(CALIBRATION.replace("camera_name: camera", "camera_name: other"))
    filled = {name: value.format(tmp=tmp_path) for name, value in parameters.items()}
    node = graph.node(CameraNode, activate=False, parameters=filled)
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert isinstance(node.transition_error, ConfigurationError)
    assert line in str(node.transition_error)
    assert "\n" not in str(node.transition_error)


@pytest.mark.guarantee(
    "Without its device the node stays up, logs once, reports ERROR and opens the device once it appears.",
    section="Camera node",
)
@pytest.mark.parametrize(
    ("device", "line"),
    [
        ("/dev/video97", "no camera at /dev/video97"),
        ("{tmp}/absent.mp4", "absent.mp4: no such file or folder"),
        ("{tmp}/clip.txt", "clip.txt: a text file, not a video"),
        ("{tmp}/empty", "empty: no image in this folder"),
        ("{tmp}/latin", "latin: no image in this folder"),
        ("http://127.0.0.1:9/live", "http://127.0.0.1:9/live: cannot be opened"),
        ("http://me:secret@127.0.0.1:9/live", "http://me:***@127.0.0.1:9/live: cannot be opened"),
    ],
)
def test_a_source_that_cannot_be_opened_is_an_error_said_once_and_the_node_stays_up(
    graph, watcher, tmp_path, device, line
):
    (tmp_path / "clip.txt").write_text("this is no video")
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin").mkdir()
    (tmp_path / "latin" / os.fsdecode(b"caf\xe9\n.jpg")).write_bytes(b"no image")
    node, images = play(graph, device.format(tmp=tmp_path))
    watcher.wait_for(DiagnosticStatus.ERROR)
    graph.let_run(1.7)  # two more attempts
    assert line in watcher.message
    assert watcher.value("state") == "active"
    assert watcher.count_of_lines(line) == 1
    assert (node.faults, images) == (0, [])


@pytest.mark.guarantee(
    "Without its device the node stays up, logs once, reports ERROR and opens the device once it appears.",
    section="Camera node",
)
def test_a_device_that_is_missing_at_start_is_taken_when_it_is_there(graph, watcher):
    camera = Camera(plugged=False)
    _, images = plug_in(graph, camera)
    watcher.wait_for(DiagnosticStatus.ERROR)
    assert watcher.message == "no camera at /dev/video0"
    graph.wait(lambda: camera.opened >= 3)
    camera.plugged = True
    graph.wait_for(images, 3)
    watcher.wait_for(DiagnosticStatus.OK)
    assert watcher.count_of_lines("no camera at /dev/video0") == 1
    assert watcher.count_of_lines("the source delivers images again") == 1


@pytest.mark.slow
@pytest.mark.guarantee(
    "A source that is unplugged, hangs or is deleted is an ERROR within two seconds and resumes on return.",
    section="Camera node",
)
def test_a_device_that_is_unplugged_is_an_error_at_once_and_goes_on_after_the_replug(graph, watcher):
    camera = Camera()
    _, images = plug_in(graph, camera)
    for _ in range(2):
        seen = len(images)
        graph.wait_for(images, seen + 5)
        watcher.wait_for(DiagnosticStatus.OK)
        camera.plugged = False
        assert watcher.wait_for_loss() < LOSS_S + SLACK_S
        attempts = camera.opened
        graph.wait(lambda attempts=attempts: camera.opened > attempts)
        camera.plugged = True
        seen = len(images)
        graph.wait_for(images, seen + 5)
        watcher.wait_for(DiagnosticStatus.OK)
    check_stamps(images)
    assert len(set(values(images))) == len(images), "a frame came twice"
    assert all(source.closed for source in camera.sources[:-1])


@pytest.mark.guarantee(
    "A source that is unplugged, hangs or is deleted is an ERROR within two seconds and resumes on return.",
    section="Camera node",
)
def test_a_device_that_hangs_is_an_error_too(graph, watcher):
    camera = Camera(hangs="read")
    _, images = plug_in(graph, camera)
    graph.wait_for(images, 1)
    assert watcher.wait_for_loss() < LOSS_S + SLACK_S
    assert watcher.message.startswith("0: no image for ")
    camera.hangs = ""
    camera.free.set()
    graph.wait_for(images, 4)
    watcher.wait_for(DiagnosticStatus.OK)


@pytest.mark.guarantee(
    "A source that is unplugged, hangs or is deleted is an ERROR within two seconds and resumes on return.",
    section="Camera node",
)
@pytest.mark.parametrize("kind", ["clip", "folder", "image"])
def test_a_file_or_folder_that_is_removed_while_it_loops_goes_on_when_it_is_back(
    graph, watcher, clip, folder, tmp_path, kind
):
    path = {"clip": clip, "folder": folder, "image": folder / "1.png"}[kind]
    _, images = play(graph, path)
    graph.wait_for(images, 3)
    path.rename(tmp_path / "elsewhere")
    assert watcher.wait_for_loss() < LOSS_S + SLACK_S
    assert watcher.message == f"{path}: no such file or folder"
    (tmp_path / "elsewhere").rename(path)
    seen = len(images)
    graph.wait_for(images, seen + 3)
    watcher.wait_for(DiagnosticStatus.OK)
    check_stamps(images)
    assert watcher.count_of_lines("no such file or folder") == 1


def test_a_file_that_appears_after_the_start_is_played(graph, watcher, clip, tmp_path):
    shutil.copy(clip, tmp_path / "elsewhere")
    clip.unlink()
    _, images = play(graph, clip)
    watcher.wait_for(DiagnosticStatus.ERROR)
    (tmp_path / "elsewhere").rename(clip)
    graph.wait_for(images, 3)
    watcher.wait_for(DiagnosticStatus.OK)


@pytest.mark.guarantee(
    "A network camera (a real HTTP server) that stops is an ERROR and resumes on return.", section="Camera node"
)
@pytest.mark.parametrize("fault", ["switch_off", "hold"])
def test_a_network_camera_that_fails_is_an_error_and_goes_on_when_it_is_back(graph, watcher, network_camera, fault):
    _, images = play(graph, network_camera.url, framerate=0.0)
    for _ in range(2):
        seen = len(images)
        graph.wait_for(images, seen + 3)
        watcher.wait_for(DiagnosticStatus.OK)
        getattr(network_camera, fault)()
        assert watcher.wait_for_loss() < LOSS_S + SLACK_S
        assert network_camera.url in watcher.message
        network_camera.switch_off()
        network_camera.switch_on()
    graph.wait_for(images, len(images) + 3)
    check_stamps(images)
    assert all(np.diff(values(images))), "a frame came twice"
    assert watcher.value("state") == "active"


def test_a_network_camera_that_comes_late_is_taken(graph, watcher, network_camera):
    network_camera.switch_off()
    _, images = play(graph, network_camera.url)
    watcher.wait_for(DiagnosticStatus.ERROR)
    network_camera.switch_on()
    graph.wait_for(images, 3)
    watcher.wait_for(DiagnosticStatus.OK)


@pytest.mark.guarantee("A source that hangs blocks no lifecycle transition.", section="Camera node")
@pytest.mark.parametrize("where", ["open", "read"])
def test_a_source_that_hangs_blocks_no_transition_and_is_left_behind(graph, where):
    camera = Camera(hangs=where)
    begun_s = time.monotonic()
    node, images = plug_in(graph, camera)
    graph.wait(lambda: camera.opened and (where == "open" or images))
    assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert time.monotonic() - begun_s < 1.0 + SLACK_S
    seen, camera.hangs = len(images), ""
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    graph.wait_for(images, seen + 3)
    camera.free.set()
    graph.wait(lambda: camera.sources[0].closed or where == "open")
    check_stamps(images)


@pytest.mark.slow
@pytest.mark.guarantee("A measured frame rate that is off by more than 10 % is a WARN.", section="Camera node")
def test_a_rate_that_is_off_is_a_warning_until_it_is_fine_again(graph, watcher):
    camera = Camera(rate_hz=20.0)
    camera.period_s = 1 / 8
    _, images = plug_in(graph, camera)
    watcher.wait_for(DiagnosticStatus.WARN)
    assert "Hz, expected 20 Hz (framerate)" in watcher.message
    camera.period_s = 1 / 20
    graph.wait_for(images, len(images) + 50)
    graph.wait_for(images, len(images) + 50)
    watcher.wait_for(DiagnosticStatus.OK)
    assert watcher.count_of_lines("Hz, expected 20 Hz") == 1


@pytest.mark.guarantee("A failure on one frame is counted, and the next frame is processed.", section="Every node")
def test_a_frame_that_cannot_be_published_is_counted_and_the_next_one_comes(graph):
    class WithOneEmpty(CountingSource):
        def read(self):
            frame = super().read()
            return Frame(frame.image_bgr[:0, :0], frame.grabbed_s) if self.number == 10 else frame

    images = graph.listen(CompressedImage, "image_raw/compressed")
    node, _, _, _ = start(graph, WithOneEmpty())
    graph.wait(lambda: node.faults)
    graph.wait_for(images, len(images) + 3)
    assert node.faults == 1


@pytest.fixture
def conversions(monkeypatch):
    """Counts the images that are converted: name of the function -> how often it was called."""
    counts = {"bgr_to_image": 0, "bgr_to_compressed": 0}

    def counted(name, function):
        def count(*arguments):
            counts[name] += 1
            return function(*arguments)

        return count

    for name in counts:
        monkeypatch.setattr(camera_publishers, name, counted(name, getattr(camera_publishers, name)))
    return counts


@pytest.mark.guarantee("Images are converted only while a topic has subscribers.", section="Camera node")
def test_images_are_converted_only_while_somebody_subscribes(graph, conversions):
    infos = graph.listen(CameraInfo, "camera_info")
    node = graph.node(CameraNode, opener=lambda config: CountingSource())
    graph.wait_for(infos, 5)
    assert conversions == {"bgr_to_image": 0, "bgr_to_compressed": 0}
    assert node.status()["frames_published"] >= len(infos)
    compressed = graph.listen(CompressedImage, "image_raw/compressed")
    graph.wait_for(compressed, 3)
    assert conversions["bgr_to_image"] == 0
    assert conversions["bgr_to_compressed"] >= 3
    graph.wait(lambda: node.status()["subscribers"] == 1)


@pytest.mark.guarantee("`image_raw`, `camera_info` and `image_raw/compressed` share one header.", section="Camera node")
def test_raw_and_compressed_are_the_same_images_under_the_same_headers(graph):
    images, compressed = graph.listen(Image, "image_raw"), graph.listen(CompressedImage, "image_raw/compressed")
    graph.node(CameraNode, opener=lambda config: CountingSource(), parameters={"frame_id": "eye_optical_frame"})
    graph.wait(lambda: len(images) >= 5 and len(compressed) >= 5)
    by_stamp = {stamp_ns(image.header): image for image in images}
    pairs = [(by_stamp[stamp_ns(m.header)], m) for m in compressed if stamp_ns(m.header) in by_stamp]
    assert len(pairs) >= 4
    for raw, jpeg in pairs:
        assert jpeg.header == raw.header
        assert jpeg.format == "bgr8; jpeg compressed bgr8"
        assert len(jpeg.data) < len(raw.data) / 5
        assert np.abs(image_to_bgr(jpeg).astype(int) - image_to_bgr(raw)).max() <= 2


@pytest.mark.guarantee("The compressed topic follows the name to which `image_raw` is remapped.", section="Camera node")
def test_the_compressed_topic_follows_the_name_that_the_images_are_remapped_to(graph):
    messages = graph.listen(CompressedImage, "/front/picture/compressed")
    graph.node(CameraNode, opener=lambda config: CountingSource(), remappings=[("image_raw", "/front/picture")])
    graph.wait_for(messages)


def test_the_quality_changes_with_the_next_frame(graph):
    class Noise(CountingSource):
        image = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8), (0, 0), 1)

        def read(self):
            return Frame(self.image, super().read().grabbed_s)

    messages = graph.listen(CompressedImage, "image_raw/compressed")
    node = graph.node(CameraNode, opener=lambda config: Noise(), parameters={"jpeg_quality": 90})
    graph.wait_for(messages, 2)
    fine = len(messages[-1].data)
    assert node.set_parameters([Parameter("jpeg_quality", value=10)])[0].successful
    graph.wait(lambda: len(messages[-1].data) < fine / 2)
    refused = node.set_parameters([Parameter("jpeg_quality", value=101)])[0]
    assert not refused.successful
    assert "jpeg_quality" in refused.reason


@pytest.mark.parametrize("topic", ["/image_raw", "/image_raw/compressed"])
@pytest.mark.parametrize(("policy", "value"), [("reliability", "perhaps"), ("depth", "many"), ("depth", 2**31)])
def test_a_wrong_override_is_a_wrong_configuration(graph, topic, policy, value):
    name = f"qos_overrides.{topic}.publisher.{policy}"
    with pytest.raises(ConfigurationError, match=f"parameter {name} {value!r} is "):
        graph.node(CameraNode, activate=False, parameters={name: value})


@pytest.mark.parametrize("policy", [HistoryPolicy, ReliabilityPolicy])
def test_an_override_may_have_every_value_that_rclpy_knows(graph, policy):
    name = f"qos_overrides./image_raw.publisher.{'history' if policy is HistoryPolicy else 'reliability'}"
    for value in set(policy.short_keys()) - {"unknown"}:
        node = graph.node(CameraNode, activate=False, parameters={name: value, "video_device": "synthetic"})
        assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
        assert node.get_parameter(name).value == value


def test_overrides_hold_for_the_compressed_images_too(graph):
    name = "qos_overrides./image_raw/compressed.publisher.reliability"
    graph.node(CameraNode, opener=lambda config: CountingSource(), parameters={name: "best_effort"})
    profiles = {}

    def seen():
        for topic in ("/image_raw", "/image_raw/compressed"):
            for info in graph.probe.get_publishers_info_by_topic(topic):
                profiles[topic] = info.qos_profile.reliability
        return len(profiles) == 2

    graph.wait(seen)
    assert profiles["/image_raw"] == ReliabilityPolicy.RELIABLE
    assert profiles["/image_raw/compressed"] == ReliabilityPolicy.BEST_EFFORT


@pytest.mark.guarantee("Stamps follow a clock that is set back by more than a second.", section="Camera node")
def test_stamps_follow_a_clock_that_is_set_back(graph):
    clock = graph.probe.create_publisher(Clock, "/clock", 10)
    node, _, images, _ = start(graph, use_sim_time=True)

    def near(stamp_or_now_ns, sec):
        return abs(stamp_or_now_ns * 1e-9 - sec) <= 1

    def set_clock(sec):
        def reached():
            message = Clock()
            message.clock.sec = sec
            clock.publish(message)
            return near(node.get_clock().now().nanoseconds, sec) and near(stamp_ns(images[-1].header), sec)

        graph.wait_for(images)
        graph.wait(reached)

    for sec in (0, 5000, 1400, 1400, 5000):
        set_clock(sec)
        images.clear()
        graph.wait_for(images, 4)
        check_stamps(images)
        assert all(near(stamp_ns(image.header), sec) for image in images)


@pytest.mark.guarantee("An inactive node processes nothing.", section="Every node")
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
