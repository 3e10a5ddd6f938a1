# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Faces in the messages of hri_msgs, vision_msgs and tf2_msgs: without these packages, and with them."""

import importlib.util
import json
import math
import subprocess
import sys
import threading
from contextlib import ExitStack
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from fake_classifier import GladClassifier
from interface_packages import build
from node_processes import Probe, start
from processes import kill_running
from rclpy.lifecycle import TransitionCallbackReturn
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.interop import InteropOptions
from emotion_perception.core.types import (
    Box,
    Face,
    FaceEmotion,
    FrameCounts,
    HeadPose,
    Landmarks,
    Point,
    Position,
    PositionSource,
    Status,
)
from emotion_perception.ros.conversions import ClassificationResult, EmotionArray, FaceArray, faces_to_msg
from emotion_perception.ros.nodes.emotion_classifier import EmotionClassifierNode
from emotion_perception.ros.nodes.hri_publisher import HriPublisher, HriTopics, TrackedFaces
from emotion_perception.ros.nodes.interop_publisher import InteropPublisher

PACKAGES = {"hri_msgs": "publish_hri", "vision_msgs": "publish_vision_msgs", "tf2_msgs": "publish_tf"}
NEEDS = [
    pytest.param(
        package,
        parameter,
        marks=pytest.mark.skipif(importlib.util.find_spec(package) is not None, reason=f"{package} is installed here"),
    )
    for package, parameter in PACKAGES.items()
]


def classifier_node(graph, **parameters):
    return graph.node(
        EmotionClassifierNode,
        classifier_factory=lambda options, shared: GladClassifier(),
        parameters=parameters,
        activate=False,
    )


@pytest.mark.guarantee(
    "Messages of hri_msgs, vision_msgs or tf2_msgs that a parameter asks for, but whose package is not installed, end "
    "the node with one line that names the apt package.",
    section="Messages of other packages",
)
@pytest.mark.parametrize(("package", "parameter"), NEEDS)
def test_a_package_that_is_needed_but_not_installed_is_one_line(graph, monkeypatch, package, parameter):
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    node = classifier_node(graph, **{parameter: True})
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert isinstance(node.transition_error, ConfigurationError)  # exit code 78
    apt = f"ros-jazzy-{package.replace('_', '-')}"
    line = f"{parameter} needs {package}, which is not installed: sudo apt install {apt}"
    assert str(node.transition_error) == line


@pytest.mark.parametrize(("package", "parameter"), PACKAGES.items())
def test_a_package_with_other_messages_is_one_line(graph, monkeypatch, package, parameter):
    module = ModuleType(package)
    module.msg = ModuleType(f"{package}.msg")
    monkeypatch.setitem(sys.modules, package, module)
    monkeypatch.setitem(sys.modules, f"{package}.msg", module.msg)
    node = classifier_node(graph, **{parameter: True})
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert str(node.transition_error).startswith(f"the installed {package} cannot be used (")


@pytest.mark.guarantee(
    "By default nothing is published in the messages of other packages, and these are not imported.",
    section="Messages of other packages",
)
def test_what_no_parameter_asks_for_is_neither_imported_nor_published(graph):
    node = classifier_node(graph)
    imported = PACKAGES.keys() & sys.modules.keys()
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    assert PACKAGES.keys() & sys.modules.keys() == imported
    graph.wait(lambda: graph.probe.count_publishers("emotions"))
    topics = [name for name, _ in node.get_publisher_names_and_types_by_node(node.get_name(), "/")]
    assert [name for name in topics if name.startswith(("/humans", "/tf", "/face_detections"))] == []


def test_the_images_of_faces_alone_are_refused():
    with pytest.raises(ConfigurationError, match="publish_hri_cropped is true, but publish_hri is not"):
        InteropOptions(publish_hri_cropped=True)


class FakePublisher:
    """Keeps what is published."""

    def __init__(self, topic):
        self.topic, self.messages = topic, []

    def get_subscription_count(self):
        return 1

    def publish(self, message):
        self.messages.append(message)


class FakeNode:
    """Keeps publishers by topic."""

    def __init__(self, **options):
        self.config = SimpleNamespace(interop=InteropOptions(**options))
        self.publishers, self.created, self.faults = {}, [], []

    def create_publisher(self, kind, topic, qos, **options):
        assert topic not in self.publishers, "a topic is created twice"
        self.created.append(topic)
        self.publishers[topic] = FakePublisher(topic)
        return self.publishers[topic]

    create_lifecycle_publisher = create_publisher

    def destroy_publisher(self, publisher):
        del self.publishers[publisher.topic]

    destroy_lifecycle_publisher = destroy_publisher

    def create_steady_timer(self, period_s, callback):
        return None

    def destroy_timer(self, timer):
        pass

    def count_fault(self, text):
        self.faults.append(text)

    def topics_of_faces(self):
        return sorted(topic.removeprefix("/humans/faces/") for topic in self.publishers if "tracked" not in topic)


HRI_DEFINITIONS = {
    "IdsList": "std_msgs/Header header\nstring[] ids",
    "NormalizedRegionOfInterest2D": "std_msgs/Header header\nfloat32 xmin\nfloat32 ymin\nfloat32 xmax\nfloat32 ymax\n"
    "float32 c",
    "NormalizedPointOfInterest2D": "float32 x\nfloat32 y\nfloat32 c",
    "FacialLandmarks": "std_msgs/Header header\nhri_msgs/NormalizedPointOfInterest2D[70] landmarks\nuint32 height\n"
    "uint32 width",
    "Expression": 'std_msgs/Header header\nstring HAPPY="happy"\nstring expression\nfloat32 valence\nfloat32 arousal\n'
    "float32 confidence",
}
"""The fields as ros4hri/hri_msgs 2.0 publishes them, of the messages that are used."""


def class_with_fields(names):
    """Returns a class of messages whose fields are None at first."""

    class Message:
        __slots__ = names

        def __init__(self):
            for name in names:
                setattr(self, name, None)

    return Message


@pytest.fixture
def hri(monkeypatch):
    """Returns a function that makes the publishers of a camera, with classes that have the fields of hri_msgs."""
    package, messages = ModuleType("hri_msgs"), ModuleType("hri_msgs.msg")
    for name, text in HRI_DEFINITIONS.items():
        setattr(messages, name, class_with_fields([line.split()[1] for line in text.splitlines() if "=" not in line]))
    monkeypatch.setitem(sys.modules, "hri_msgs", package)
    monkeypatch.setitem(sys.modules, "hri_msgs.msg", messages)

    def make(node):
        topics = HriTopics(node, ExitStack())
        return lambda camera: InteropPublisher(node, None, [HriPublisher(node, topics, camera)])

    return make


def result(make, number, *track_ids, label="happiness"):
    """Returns the emotions of an image with faces of these tracks."""
    row = np.array([0.25, 0.75], np.float32)
    faces = [Face(Box(4, 4, 24, 24), 0.9, Landmarks(nose=Point(10, 10)), track_id) for track_id in track_ids]
    found = [FaceEmotion(face, label, 0.75, False, row, row) for face in faces]
    source = faces_to_msg(make.header(number), faces, detector="fake", detect_ms=1.0, counts=FrameCounts())
    image = np.full((48, 64, 3), 200, np.uint8)
    return ClassificationResult(source, Status.OK, found, image_bgr=image if faces else None)


@pytest.mark.guarantee(
    "`/humans/faces/ID/...` exist from the first frame of a track until it ends; each message has its image's header.",
    section="Messages of other packages",
)
def test_the_topics_of_a_face_are_made_once_and_removed_with_its_track(hri, make):
    node = FakeNode(publish_hri=True)
    camera = hri(node)("")
    tracked = node.publishers["/humans/faces/tracked"].messages
    for number in range(3):
        camera.publish(result(make, number, 7))
    (face_id,) = tracked[-1].ids
    names = ("expression", "landmarks", "roi")
    assert node.topics_of_faces() == [f"{face_id}/{name}" for name in names]
    assert len(node.created) == 1 + len(names)
    for name in names:
        messages = node.publishers[f"/humans/faces/{face_id}/{name}"].messages
        assert [message.header for message in messages] == [make.header(number) for number in range(3)]
    camera.publish(result(make, 8))  # missing, for half a second
    assert tracked[-1].ids == [face_id]
    camera.publish(result(make, 25))
    camera.publish(result(make, 26))
    assert tracked[-1].ids == []
    assert node.topics_of_faces() == []
    assert [message.header for message in tracked] == [make.header(number) for number in (0, 1, 2, 8, 25, 26)]


def test_before_the_first_prediction_there_is_no_expression(hri, make):
    node = FakeNode(publish_hri=True)
    hri(node)("").publish(result(make, 0, 7, label=""))
    counts = {topic.rpartition("/")[2]: len(publisher.messages) for topic, publisher in node.publishers.items()}
    assert counts == {"tracked": 1, "roi": 1, "landmarks": 1, "expression": 0}


@pytest.mark.parametrize(("anonymize", "level"), [("none", 200), ("fill", 128)])
def test_the_image_of_a_face_is_published_where_it_is_asked_for(hri, make, anonymize, level):
    node = FakeNode(publish_hri=True, publish_hri_cropped=True, anonymize=anonymize)
    hri(node)("").publish(result(make, 0, 7))
    ((image,),) = (publisher.messages for topic, publisher in node.publishers.items() if topic.endswith("/cropped"))
    assert (image.width, image.height, image.encoding, image.header) == (128, 128, "bgr8", make.header(0))
    assert set(image.data) == {level}


def test_at_the_end_no_face_is_tracked_and_no_topic_is_left(hri, make):
    node = FakeNode(publish_hri=True)
    camera = hri(node)("")
    camera.publish(result(make, 0, 7, 8))
    camera.clear()
    tracked = node.publishers["/humans/faces/tracked"].messages
    assert [len(message.ids) for message in tracked] == [2, 0]
    assert node.topics_of_faces() == []


def test_the_tracked_faces_are_those_of_all_cameras(hri, make):
    node = FakeNode(publish_hri=True)
    of_camera = hri(node)
    front, rear = of_camera("front/"), of_camera("rear/")
    tracked = node.publishers["/humans/faces/tracked"].messages
    front.publish(result(make, 0, 1))
    rear.publish(result(make, 1, 1))
    assert [len(message.ids) for message in tracked] == [1, 2]
    assert len(set(tracked[-1].ids)) == 2, "two cameras have the same track id"
    front.clear()
    assert len(tracked[-1].ids) == 1


@pytest.mark.guarantee(
    "A camera that delivers nothing for five seconds has no faces in `/humans/faces/tracked`, also the only one.",
    section="Messages of other packages",
)
def test_a_camera_that_stopped_has_no_tracked_faces():
    published, now_s = [], [0.0]
    tracked = TrackedFaces(lambda header, ids: published.append(list(ids)), lambda: now_s[0])
    tracked.update("front", Header(), ["a1"])
    tracked.update("rear", Header(), ["b1"])
    now_s[0] = 5.0
    tracked.update("rear", Header(), ["b1"])
    assert published == [["a1"], ["a1", "b1"], ["b1"]]
    now_s[0] = 9.9
    tracked.remove_silent()
    assert len(published) == 3
    now_s[0] = 10.0
    for _ in range(2):
        tracked.remove_silent()
    assert published[3:] == [[]], "the last camera has stopped, too"


def test_more_faces_than_there_are_topics_for_are_counted(hri, make):
    node = FakeNode(publish_hri=True)
    hri(node)("").publish(result(make, 0, *range(1, 67)))
    assert len(node.publishers["/humans/faces/tracked"].messages[0].ids) == 64
    assert node.faults == ["2 faces have no id, as 64 others have one"]


@pytest.mark.guarantee(
    "Of faces with one track id in an image only the first has an id and TF frames; the others are counted.",
    section="Messages of other packages",
)
def test_of_faces_with_one_track_id_only_the_first_is_published_by_its_id(make):
    node, published = FakeNode(publish_tf=True), []
    named = SimpleNamespace(publish=lambda result, changes: published.append((result.emotions, changes.present)))
    several = result(make, 0, 8, 7, 7, 8)
    InteropPublisher(node, None, [named]).publish(several)
    ((emotions, present),) = published
    assert [emotion is source for emotion, source in zip(emotions, several.emotions, strict=False)] == [True, True]
    assert [emotion.face.track_id for emotion in emotions] == list(present) == [8, 7]
    assert node.faults == ["2 faces have the track id of another face of their image"]


VISION_DEFINITIONS = {
    "Point2D": "float64 x\nfloat64 y",
    "Pose2D": "vision_msgs/Point2D position\nfloat64 theta",
    "BoundingBox2D": "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y",
    "BoundingBox3D": "geometry_msgs/Pose center\ngeometry_msgs/Vector3 size",
    "ObjectHypothesis": "string class_id\nfloat64 score",
    "ObjectHypothesisWithPose": "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose",
    "Detection2D": "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
    "vision_msgs/BoundingBox2D bbox\nstring id",
    "Detection2DArray": "std_msgs/Header header\nvision_msgs/Detection2D[] detections",
    "Detection3D": "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
    "vision_msgs/BoundingBox3D bbox\nstring id",
    "Detection3DArray": "std_msgs/Header header\nvision_msgs/Detection3D[] detections",
}
"""The fields of vision_msgs 4, which Humble to Lyrical have."""

TF_DEFINITIONS = {"TFMessage": "geometry_msgs/TransformStamped[] transforms"}

DETECTIONS_2D, DETECTIONS_3D, TF = (
    "vision_msgs/msg/Detection2DArray",
    "vision_msgs/msg/Detection3DArray",
    "tf2_msgs/msg/TFMessage",
)

# Subscribes to the topics of each tracked face when it appears, as libhri does. When one of two has left it prints the
# stamps of all topics, what the last messages of that face were, and how many topics are left of it.
_FRIEND = """\
import json, time
import rclpy
from hri_msgs.msg import Expression, FacialLandmarks, IdsList, NormalizedRegionOfInterest2D
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image

KINDS = {"roi": NormalizedRegionOfInterest2D, "landmarks": FacialLandmarks, "expression": Expression, "cropped": Image}
rclpy.init()
node, seen, lists, examples = rclpy.create_node("friend"), {}, [], {}

def keep(topic, message):
    seen.setdefault(topic, []).append([message.header.stamp.sec, message.header.stamp.nanosec])
    examples[topic] = message

def on_tracked(message):
    lists.append([[message.header.stamp.sec, message.header.stamp.nanosec], list(message.ids)])
    for face_id in message.ids:
        for name, kind in KINDS.items():
            topic = f"/humans/faces/{face_id}/{name}"
            if topic not in seen:
                seen[topic] = []
                node.create_subscription(kind, topic, lambda m, topic=topic: keep(topic, m), 10)

node.create_subscription(IdsList, "/humans/faces/tracked", on_tracked, 100)
executor = SingleThreadedExecutor()
executor.add_node(node)
deadline_s = time.monotonic() + 60
announced = False
while time.monotonic() < deadline_s:
    executor.spin_once(timeout_sec=0.1)
    if not announced and len(seen) == 8 and all(len(stamps) >= 10 for stamps in seen.values()):
        announced = True
        print("complete", flush=True)
    if announced and lists and len(lists[-1][1]) == 1:
        break
gone = next(face_id for face_id in lists[0][1] if face_id not in lists[-1][1])
while any(node.count_publishers(f"/humans/faces/{gone}/{name}") for name in KINDS) and time.monotonic() < deadline_s:
    executor.spin_once(timeout_sec=0.1)

def of(name):
    return examples[f"/humans/faces/{gone}/{name}"]

roi, landmarks, expression, cropped = of("roi"), of("landmarks"), of("expression"), of("cropped")
print(json.dumps({
    "lists": lists,
    "seen": seen,
    "gone": gone,
    "left": {name: node.count_publishers(f"/humans/faces/{gone}/{name}") for name in KINDS},
    "roi": [roi.xmin, roi.ymin, roi.xmax, roi.ymax, roi.c],
    "landmarks": {k: [point.x, point.y] for k, point in enumerate(landmarks.landmarks) if point.c},
    "landmarks_of": [landmarks.width, landmarks.height, len(landmarks.landmarks)],
    "expression": [expression.expression, expression.confidence, expression.valence, expression.arousal],
    "cropped": [cropped.width, cropped.height, cropped.encoding, sorted(set(cropped.data))],
}), flush=True)
rclpy.shutdown()
"""


@pytest.fixture(scope="module")
def with_packages(tmp_path_factory):
    """The environment of a shell in which hri_msgs, vision_msgs and tf2_msgs are installed."""
    packages = {
        "hri_msgs": (["std_msgs"], HRI_DEFINITIONS),
        "vision_msgs": (["std_msgs", "geometry_msgs"], VISION_DEFINITIONS),
        "tf2_msgs": (["geometry_msgs"], TF_DEFINITIONS),
    }
    return build(tmp_path_factory.mktemp("workspace"), packages)


POSITION = Position(0.25, -0.125, 1.5, (0.01, 0.0, 0.0, 0.0, 0.02, 0.0, 0.0, 0.0, 0.03), PositionSource.DEPTH)
POINTS = Landmarks(
    Point(120.0, 100.0), Point(160.0, 100.0), Point(140.0, 120.0), Point(125.0, 140.0), Point(155.0, 140.0)
)
NEAR = Face(Box(96, 72, 192, 168), 0.875, POINTS, 3, HeadPose(0.5, 0.0, 0.0), position=POSITION)
FAR = Face(Box(320, 96, 368, 144), 0.75, POINTS, 4)


class Stream:
    """Sends images with faces to a classifier node, and the next one only when the emotions of the last have come."""

    def __init__(self, probe, make):
        self._probe, self._make = probe, make
        self.sent = []
        self._images = probe.node.create_publisher(Image, "image_raw", 5)
        self._faces = probe.node.create_publisher(FaceArray, "faces", 5)
        self.emotions = []
        probe.node.create_subscription(EmotionArray, "emotions", self.emotions.append, 5)
        probe.wait(
            lambda: self._images.get_subscription_count() and self._faces.get_subscription_count(), "no subscriber"
        )

    def send(self, *faces):
        number, count = len(self.sent), len(self.emotions)
        header = self._make.header(number)
        self._images.publish(self._make.image(number, width=640, height=480, value=60))
        self._faces.publish(faces_to_msg(header, faces, detector="fake", detect_ms=1.0, counts=FrameCounts()))
        self.sent.append([header.stamp.sec, header.stamp.nanosec])
        self._probe.wait(lambda: len(self.emotions) > count, "no emotions")


def stamp_of(message):
    return [message.header.stamp.sec, message.header.stamp.nanosec]


def without_gap(stamps, sent):
    """Returns whether stamps are those of all images that were sent from the first to the last one of them."""
    first = sent.index(stamps[0])
    return stamps == sent[first : first + len(stamps)]


@pytest.mark.slow
@pytest.mark.guarantee(
    "Where hri_msgs, vision_msgs and tf2_msgs are installed and their parameters are set, other nodes get regions, "
    "landmarks, expressions and images of faces as REP-155 has them, detections with a score for each label, and a TF "
    "frame at the position of a face, for every image under its stamp.",
    section="Messages of other packages",
)
def test_neighbors_get_faces_in_their_own_messages(with_packages, monkeypatch, make, tmp_path):
    for name, value in with_packages.items():
        monkeypatch.setenv(name, value)
    bag = tmp_path / "bag"
    wanted = [f"{name}:=true" for name in (*PACKAGES.values(), "publish_hri_cropped")]
    node = start("emotion_classifier_node", "precision:=float32", "anonymize:=fill", *wanted)
    friend = recorder = probe = None
    try:
        probe = Probe(node)
        probe.wait_for_active("emotion_classifier_node")
        stream = Stream(probe, make)
        recorder = start("bag_recorder", f"bag:={bag}", "topics:=[face_detections_2d, face_detections_3d, /tf]")
        for topic in ("/face_detections_2d", "/face_detections_3d", "/tf"):
            probe.wait(lambda topic=topic: probe.node.count_subscribers(topic), f"nobody records {topic}")
        command = [sys.executable, "-c", _FRIEND]
        friend = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")
        probe.wait(lambda: probe.node.count_subscribers("/humans/faces/tracked"), "the friend did not appear")
        lines = _Lines(friend.stdout)
        while not lines.read and friend.poll() is None:
            stream.send(NEAR, FAR)
            assert len(stream.sent) < 2000, "the friend does not get everything"
        assert lines.read[:1] == ["complete"], "".join(lines.read)
        both = len(stream.sent)
        for _ in range(15):  # track 3 ends after a second
            stream.send(FAR)
        friend.wait(60)
        lines.close()
        assert friend.returncode == 0, "".join(lines.read)
        told = json.loads(lines.read[1])
        recorder.terminate()
        output = recorder.communicate(timeout=30)[0]
        assert recorder.returncode == 0, output
    finally:
        if probe is not None:
            probe.close()
        kill_running(node, friend, recorder)
    check_hri(told, stream.sent)
    check_recording(bag, stream, both, told["gone"])


def check_hri(told, sent):
    """Checks what a node like libhri has received."""
    stamps, ids = [stamp for stamp, _ in told["lists"]], told["lists"][0][1]
    assert without_gap(stamps, sent)
    assert [face_id[4:] for face_id in ids] == ["3", "4"]
    assert told["gone"] == ids[0]
    assert told["left"] == dict.fromkeys(("roi", "landmarks", "expression", "cropped"), 0)
    assert len(told["seen"]) == 8
    for topic, received in told["seen"].items():
        assert without_gap(received, sent), topic
    assert told["roi"] == pytest.approx([96 / 640, 72 / 480, 192 / 640, 168 / 480, 0.875])
    assert told["landmarks_of"] == [640, 480, 70]
    expected = {str(k): [p.x / 640, p.y / 480] for k, p in zip((68, 69, 30, 48, 54), POINTS, strict=True)}
    assert told["landmarks"].keys() == expected.keys()
    for index, position in expected.items():
        assert told["landmarks"][index] == pytest.approx(position)
    word, confidence, valence, arousal = told["expression"]
    assert word in {"angry", "disgusted", "scared", "happy", "sad", "surprised", "neutral"}
    assert 0 < confidence <= 1
    assert abs(valence) <= 1, "also where it is NaN"
    assert abs(arousal) <= 1
    assert told["cropped"] == [128, 128, "bgr8", [128]], "the face is not hidden"


def check_recording(bag, stream, both, face_id):
    """Checks the detections and frames that the package's own recorder has received."""
    store = get_typestore(Stores.EMPTY)
    messages = {}
    with Recording(bag) as recording:
        for topic in recording.topics:
            store.register(get_types_from_msg(topic.definition, topic.type))
            raw = [entry.raw for entry in recording.messages([topic.name])]
            messages[topic.name] = [store.deserialize_cdr(data, topic.type) for data in raw]
    flat, solid, frames = (messages[name] for name in ("/face_detections_2d", "/face_detections_3d", "/tf"))
    first = stream.sent.index(stamp_of(flat[0]))  # the recorder may not have been known in the first ones
    sent, emotion_arrays, both = stream.sent[first:], stream.emotions[first:], both - first
    for arrays in (flat, solid):
        assert [stamp_of(array) for array in arrays][-len(sent) :] == sent
        assert {array.header.frame_id for array in arrays} == {"camera_optical_frame"}
    labels = list(stream.emotions[0].labels)
    for array, emotions in zip(flat, emotion_arrays, strict=True):
        assert [it.id for it in array.detections] == [str(it.face.track_id) for it in emotions.faces]
        for detection, emotion in zip(array.detections, emotions.faces, strict=True):
            scores = {it.hypothesis.class_id: it.hypothesis.score for it in detection.results}
            assert sum(scores.values()) == pytest.approx(1, abs=1e-5)
            assert [scores[label] for label in labels] == pytest.approx(list(emotion.smoothed_probabilities))
            assert detection.results[0].hypothesis.score == max(scores.values())
    box = flat[0].detections[0].bbox
    assert (box.center.position.x, box.center.position.y, box.size_x, box.size_y) == (144.0, 120.0, 96.0, 96.0)
    assert [len(array.detections) for array in solid][-len(sent) :] == [1] * both + [0] * (len(sent) - both)
    pose = solid[0].detections[0].results[0].pose
    assert (pose.pose.position.x, pose.pose.position.y, pose.pose.position.z) == POSITION[:3]
    assert pose.covariance.reshape(6, 6)[:3, :3].tolist() == np.reshape(POSITION.covariance, (3, 3)).tolist()
    assert [stamp_of(message.transforms[0]) for message in frames][-both:] == sent[:both], "TF has not every image"
    for message in frames:
        face, gaze = message.transforms
        assert stamp_of(gaze) == stamp_of(face)
        assert (face.header.frame_id, face.child_frame_id) == ("camera_optical_frame", f"face_{face_id}")
        assert (gaze.header.frame_id, gaze.child_frame_id) == (f"face_{face_id}", f"gaze_{face_id}")
        translation = face.transform.translation
        assert (translation.x, translation.y, translation.z) == POSITION[:3]
        q = face.transform.rotation
        forward = 1 - 2 * (q.y**2 + q.z**2), 2 * (q.x * q.y + q.z * q.w), 2 * (q.x * q.z - q.y * q.w)
        assert forward == pytest.approx((-math.sin(0.5), 0.0, -math.cos(0.5)))  # the yaw, to the left of the image


class _Lines:
    """Reads the lines of a process in a thread.

    Attributes:
        read: the lines so far, without their ends.
    """

    def __init__(self, file):
        self._file, self.read = file, []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        for line in self._file:
            self.read.append(line.rstrip("\n"))

    def close(self):
        self._thread.join(30)
        self._file.close()
