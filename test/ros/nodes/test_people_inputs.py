# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Positions and head poses of face_detection_node, with camera_info and depth images over DDS."""

import array
import math

import numpy as np
import pytest
from people_scene import camera, depth_message, face_at
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from sensor_msgs.srv import SetCameraInfo

from emotion_perception.core.camera import Calibration, write_calibration
from emotion_perception.core.detection.base import FaceDetector
from emotion_perception.core.types import Facing, HeadPose, PositionSource
from emotion_perception.ros.conversions import FaceArray, faces_from_msg
from emotion_perception.ros.intra_process import IntraProcessTopics
from emotion_perception.ros.nodes import people_inputs
from emotion_perception.ros.nodes.camera import CameraNode
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode
from emotion_perception.ros.nodes.people_inputs import camera_info_topic

AT, POSE = (0.2, -0.1, 1.2), HeadPose(0.2, 0.1, -0.1)
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
DEPTH_TOPIC = "depth/image_raw"


class OneFace(FaceDetector):
    """Finds the same face in every image."""

    name = "one"

    def __init__(self):
        pass

    def detect(self, image_bgr):
        return [face_at(AT, POSE, track_id=0)]

    def detect_region(self, image_bgr, region, size):
        return self.detect(image_bgr)

    def detect_candidates(self, image_bgr):
        raise NotImplementedError


def calibration(header, **changes):
    model = camera()
    k = [model.fx, 0.0, model.cx, 0.0, model.fy, model.cy, 0.0, 0.0, 1.0]
    return CameraInfo(**{"header": header, "width": 640, "height": 480, "k": k, **changes})


def depth(header, z_m, encoding="16UC1", **options):
    fields = depth_message(z_m, face_at(AT, POSE).box, encoding=encoding, **options)
    fields.header = header
    fields.data = array.array("B", fields.data)
    return Image(**vars(fields))


class Scene:
    """A detection node that finds one face, and the publishers of its inputs."""

    def __init__(self, graph, make, *, remappings=(), **parameters):
        self.graph, self.make, self.number = graph, make, 0
        self.node = graph.node(
            FaceDetectionNode,
            detector_factory=lambda options: OneFace(),
            parameters={"head_pose_smoothing_s": 0.0, **parameters},
            remappings=remappings,
        )
        self.faces = graph.listen(FaceArray, "faces")
        graph.wait(lambda: graph.probe.count_publishers("faces") and self.node.count_subscribers("faces"))
        self.images = graph.speak(Image, self.node.resolve_topic_name("image_raw"))

    def calibrate(self, **changes):
        """Publishes a calibration, and waits until the node has it or refuses it."""
        infos = self.graph.speak(CameraInfo, camera_info_topic(self.node), qos=BEST_EFFORT)
        self.node._behavior._people._info = None
        infos.publish(calibration(self.make.header(0), **changes))
        self.graph.wait(lambda: self.node._behavior._people._info is not None, "no camera_info")

    def publish_depth(self, publisher, message):
        """Publishes a depth image, and waits until the node has it or refuses it."""
        people, faults = self.node._behavior._people, self.node.faults
        before = len(people._depth_images._images)
        publisher.publish(message)
        self.graph.wait(lambda: len(people._depth_images._images) > before or self.node.faults > faults)

    def next_face(self, number=None):
        """Publishes an image; returns the face in it."""
        self.number = self.number + 1 if number is None else number
        count = len(self.faces)
        self.images.publish(self.make.image(self.number, width=640, height=480))
        self.graph.wait_for(self.faces, count + 1)
        (face,) = faces_from_msg(self.faces[-1])
        return face

    def message(self):
        self.node.publish_status()
        entry = self.node.diagnostics.entry("", "", {})
        return entry.message


@pytest.mark.guarantee(
    "Faces have a head pose without calibration, a position with a `camera_info`, and its distance from a registered "
    "depth image (parameter `depth_topic`) of the equal or nearest stamp within `depth_window_s`.",
    section="Positions and head poses",
)
def test_a_face_has_a_position_by_its_size_and_by_depth(graph, make):
    scene = Scene(graph, make, depth_topic=DEPTH_TOPIC)
    depths = graph.speak(Image, DEPTH_TOPIC, qos=BEST_EFFORT)
    face = scene.next_face()
    assert face.head_pose == pytest.approx(POSE, abs=0.06)
    assert (face.facing_camera, face.position.source) == (Facing.YES, PositionSource.UNKNOWN)
    scene.calibrate()
    face = scene.next_face()
    assert face.head_pose == pytest.approx(POSE, abs=0.01)
    assert face.position.source is PositionSource.INTEROCULAR_DISTANCE
    assert face.position[:3] == pytest.approx(AT, rel=0.03)
    scene.publish_depth(depths, depth(make.header(10), 1.3))
    scene.publish_depth(depths, depth(make.header(11), 1.4, "32FC1"))
    for number, z_m in ((10, 1.3), (11, 1.4)):
        position = scene.next_face(number).position
        assert (position.source, position.z) == (PositionSource.DEPTH, pytest.approx(z_m, abs=0.001))
    assert scene.next_face(12).position.source is PositionSource.INTEROCULAR_DISTANCE, "the depth image is too old"
    scene.node.set_parameters([Parameter("depth_window_s", value=0.5)])
    assert scene.next_face(13).position.z == pytest.approx(1.4, abs=0.001)
    assert (scene.node.status()["camera"], scene.node.status()["faces_with_depth"]) == ("calibrated", 3)


@pytest.mark.guarantee(
    "A depth image of another frame or size than the images is refused with one warning.",
    section="Positions and head poses",
)
def test_a_depth_image_that_is_not_registered_is_refused_with_one_warning(graph, make, capfd):
    scene = Scene(graph, make, depth_topic=DEPTH_TOPIC)
    depths = graph.speak(Image, DEPTH_TOPIC, qos=BEST_EFFORT)
    scene.calibrate()
    for number in (1, 2, 3):
        scene.publish_depth(depths, depth(make.header(number, frame_id="depth_frame"), 1.3))
        assert scene.next_face(number).position.source is PositionSource.INTEROCULAR_DISTANCE
    reason = "/depth/image_raw is not registered to the images: its frame is 'depth_frame'"
    assert reason in scene.message()
    assert capfd.readouterr().err.count(reason) == 1
    scene.publish_depth(depths, depth(make.header(4), 1.3, size=(320, 240)))
    assert scene.next_face(4).position.source is PositionSource.INTEROCULAR_DISTANCE
    assert "it has 320x240 pixels, the images 640x480" in scene.message()
    malformed = depth(make.header(5), 1.3)
    malformed.encoding = "bgr8"
    scene.publish_depth(depths, malformed)
    assert scene.node.faults == 1
    scene.publish_depth(depths, depth(make.header(6), 1.3))
    assert scene.next_face(6).position.source is PositionSource.DEPTH
    assert "not registered" not in scene.message()


@pytest.mark.guarantee(
    "Images that have had no depth image on `depth_topic` for five seconds are a WARN in `/diagnostics`.",
    section="Positions and head poses",
)
def test_a_depth_topic_without_images_is_a_warning_until_one_comes(graph, make, monkeypatch):
    monkeypatch.setattr(people_inputs, "_NO_DEPTH_S", 0.0)
    scene = Scene(graph, make, depth_topic=DEPTH_TOPIC)
    depths = graph.speak(Image, DEPTH_TOPIC, qos=BEST_EFFORT)
    scene.calibrate()
    scene.next_face(1)
    assert "no depth image on /depth/image_raw within 0.05 s of an image" in scene.message()
    scene.publish_depth(depths, depth(make.header(2, frame_id="a\n\x1b[31mb"), 1.3))
    scene.next_face(2)
    assert "its frame is 'a\\n\\x1b[31mb'" in scene.message(), "control characters"
    scene.publish_depth(depths, depth(make.header(3), 1.3))
    scene.next_face(3)
    assert "depth" not in scene.message()


def test_without_a_calibration_depth_images_are_no_problem(graph, make, monkeypatch):
    monkeypatch.setattr(people_inputs, "_NO_DEPTH_S", 0.0)
    scene = Scene(graph, make, depth_topic=DEPTH_TOPIC)
    scene.calibrate()
    scene.next_face()
    assert "no depth image" in scene.message()
    scene.calibrate(k=[0.0] * 9)  # not calibrated any more
    scene.next_face()
    assert "no depth image" not in scene.message()


@pytest.mark.guarantee(
    "A `camera_info` for another image size, or with an unknown distortion, gives no positions and one warning.",
    section="Positions and head poses",
)
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"width": 320, "height": 240}, "/camera_info is for 320x240 pixels, the images have 640x480"),
        (
            {"distortion_model": "double_sphere", "d": [0.1]},
            "/camera_info: distortion_model 'double_sphere' is none of",
        ),
        ({"k": [math.nan] * 9}, "/camera_info: focal length nan"),
    ],
    ids=["size", "distortion", "NaN"],
)
def test_a_calibration_that_does_not_fit_gives_no_positions_and_one_warning(graph, make, capfd, changes, reason):
    scene = Scene(graph, make)
    scene.calibrate(**changes)
    for _ in range(2):
        face = scene.next_face()
        assert (face.position.source, face.head_pose.known) == (PositionSource.UNKNOWN, True)
    assert reason in scene.message()
    assert capfd.readouterr().err.count(reason) == 1
    scene.calibrate()
    assert scene.next_face().position.known
    assert reason not in scene.message()


@pytest.mark.guarantee(
    "A problem that comes and goes with every message is in the log at most five times in ten seconds.",
    section="Every node",
)
def test_a_calibration_that_changes_with_every_message_does_not_fill_the_log(graph, make, capfd):
    scene = Scene(graph, make)
    scene.calibrate(k=[-1.0] * 9)
    infos = graph.speak(CameraInfo, "camera_info", qos=BEST_EFFORT)
    for number in range(2, 30):
        infos.publish(calibration(make.header(0), k=[-float(number)] * 9))
        graph.wait(lambda number=number: f"focal length -{number}," in scene.message())
    lines = capfd.readouterr().err.count("focal length -")
    assert 5 <= lines <= 15, "5, or on a slow machine 5 every ten seconds"


def test_the_problem_of_another_size_ends_with_the_calibration_that_had_it(graph, make):
    scene = Scene(graph, make)
    scene.calibrate(width=320, height=240)
    scene.next_face()
    assert "/camera_info is for 320x240 pixels" in scene.message()
    scene.calibrate(k=[0.0] * 9)
    scene.next_face()
    assert "/camera_info" not in scene.message()


def test_images_on_a_rectified_topic_take_p(graph, make):
    p = [1000.0, 0.0, 320.0, 0.0, 0.0, 1000.0, 240.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    scene = Scene(graph, make, remappings=[("image_raw", "/front/image_rect")])
    scene.calibrate(p=p, distortion_model="plumb_bob", d=[-0.3, 0.1, 0.0, 0.0, 0.0])
    assert scene.next_face().position.z == pytest.approx(2 * AT[2], rel=0.1)
    assert scene.node.status()["camera"] == "rectified"


@pytest.mark.guarantee(
    "Without `depth_topic` no depth is subscribed; with neither positions nor head poses no `camera_info`, either.",
    section="Positions and head poses",
)
def test_what_is_switched_off_is_not_subscribed(graph, make):
    scene = Scene(graph, make, positions=False, head_pose=False, depth_topic=DEPTH_TOPIC)
    face = scene.next_face()
    assert not face.head_pose.known
    assert not face.position.known
    assert graph.probe.count_subscribers("camera_info") == graph.probe.count_subscribers(DEPTH_TOPIC) == 0


@pytest.mark.parametrize(
    ("remappings", "topic"),
    [
        ([("image_raw", "/front/image_raw")], "/front/camera_info"),
        ([("__ns", "/robot1")], "/robot1/camera_info"),
        ([("image_raw", "/front/image_raw"), ("camera_info", "/calibrated/info")], "/calibrated/info"),
        ([("image_raw", "/front/image_raw"), ("/front/camera_info", "/calibrated/info")], "/calibrated/info"),
    ],
)
def test_camera_info_comes_from_beside_the_images_or_from_where_it_is_remapped_to(graph, make, remappings, topic):
    node = graph.node(FaceDetectionNode, detector_factory=lambda options: OneFace(), remappings=remappings)
    infos = graph.speak(CameraInfo, topic)
    infos.publish(calibration(make.header(0)))
    graph.wait(lambda: node.status()["camera"] == "calibrated", f"no camera_info from {topic}")


def test_a_calibration_is_passed_on_within_the_process_and_a_new_one_is_taken(graph, tmp_path):
    matrices = {name: (0.0,) * count for name, count in (("d", 5), ("r", 9), ("p", 12))}
    k = (500.0, 0.0, 320.0, 0.0, 500.0, 240.0, 0.0, 0.0, 1.0)
    calibrated = Calibration(width=640, height=480, distortion_model="plumb_bob", k=k, **matrices)
    write_calibration(tmp_path / "camera.yaml", calibrated, "camera")
    topics = IntraProcessTopics()
    parameters = {"video_device": "synthetic", "camera_info_url": str(tmp_path / "camera.yaml")}
    camera_node = graph.node(CameraNode, intra_process=topics, parameters=parameters)
    node = graph.node(FaceDetectionNode, detector_factory=lambda options: OneFace(), intra_process=topics)
    people = node._behavior._people
    graph.wait(lambda: people._camera is not None, "no camera_info in the process")
    assert not graph.probe.count_subscribers("camera_info"), "it goes through the middleware"
    twice = [2 * k[0], 0.0, k[2], 0.0, 2 * k[4], k[5], 0.0, 0.0, 1.0]
    rectified = {"r": np.eye(3).flatten(), "p": np.eye(3, 4, 0).flatten() * 2 * k[0]}
    request = SetCameraInfo.Request(camera_info=CameraInfo(width=640, height=480, k=twice, **rectified))
    client = graph.probe.create_client(SetCameraInfo, "set_camera_info")
    graph.wait(client.service_is_ready)
    answer = client.call_async(request)
    graph.wait(answer.done)
    assert answer.result().success
    graph.wait(lambda: people._camera.fx == 2 * k[0], "the new calibration is not taken")
    assert camera_node.faults == node.faults == 0


def test_facing_thresholds_are_checked_together(graph, make):
    scene = Scene(graph, make)
    result = scene.node.set_parameters([Parameter("facing_angle_deg", value=50.0)])[0]
    assert (result.successful, "below facing_angle_deg" in result.reason) == (False, True)
    assert scene.node.set_parameters([Parameter("facing_angle_deg", value=5.0)])[0].successful
    assert np.isfinite(scene.next_face().head_pose.yaw)


def test_compressed_depth_images_are_refused(graph):
    node = graph.node(FaceDetectionNode, parameters={"depth_topic": "/d/image_raw/compressedDepth"}, activate=False)
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert "'/d/image_raw/compressedDepth' has compressed images" in str(node.transition_error)
