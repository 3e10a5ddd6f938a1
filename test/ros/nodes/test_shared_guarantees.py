# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every node holds, whatever it does; the table is in docs/guarantees.md."""

import contextlib
import gc
import platform
import threading
import time
import weakref
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import rclpy
import yaml
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from fake_classifier import GladClassifier
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from visualization_msgs.msg import MarkerArray

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.options import option_values
from emotion_perception.core.types import Box, Face, Frame
from emotion_perception.ros.conversions import EmotionArray, FaceArray, faces_to_msg, stamp_ns
from emotion_perception.ros.diagnostics import node_of_status
from emotion_perception.ros.executor import FaultTolerantExecutor
from emotion_perception.ros.nodes import camera, classifier_stream, emotion_classifier, face_detection, overlay
from emotion_perception.ros.nodes.camera import CameraNode
from emotion_perception.ros.nodes.emotion_classifier import EmotionClassifierNode
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode
from emotion_perception.ros.nodes.overlay import OverlayNode
from emotion_perception.ros.process import EXIT_CONFIGURATION, EXIT_OK

NAMES = ("camera_node", "face_detection_node", "emotion_classifier_node", "overlay_node")
SUBSCRIBERS = NAMES[1:]
BEST_EFFORT = ReliabilityPolicy.BEST_EFFORT
ANALYZERS = Path(__file__).resolve().parents[3] / "config" / "analyzers.yaml"
OUTPUTS = {"camera_node": "image_raw", "face_detection_node": "faces", "emotion_classifier_node": "emotions"}


class Steady:
    """A source of gray images at 50 Hz."""

    rate_hz, is_live, skipped = 50.0, False, 0

    def read(self):
        return Frame(np.full((48, 64, 3), 128, np.uint8), time.monotonic())

    def close(self):
        pass


@pytest.fixture
def start(graph, make):
    """Returns a function that makes one of the four nodes by name, with fakes for what is slow."""
    types = {
        "camera_node": (CameraNode, {"opener": lambda config: Steady()}),
        "face_detection_node": (FaceDetectionNode, {"detector_factory": lambda config: make.detector()}),
        "emotion_classifier_node": (
            EmotionClassifierNode,
            {"classifier_factory": lambda options, shared: GladClassifier()},
        ),
        "overlay_node": (OverlayNode, {}),
    }

    def make_node(name, **options):
        node_type, collaborators = types[name]
        return graph.node(node_type, **collaborators, **options)

    return make_node


def feed(graph, make, name, count=3):
    """Makes the inputs of a node: images, and what the nodes before it would say of them."""
    images = None if name == "camera_node" else graph.speak(Image, "image_raw", listeners=0)
    for number in range(count if images else 0):
        images.publish(make.image(number))
        graph.let_run(0.02)


HALF_WAY = [
    ("configure", "camera_node", camera, "CameraPublishers"),
    ("configure", "face_detection_node", face_detection, "ResultPublisher"),
    ("configure", "emotion_classifier_node", emotion_classifier, "ClassifierStream"),
    ("configure", "overlay_node", overlay, "MarkerPublisher"),
    ("activate", "camera_node", camera, "CaptureLoop"),
    ("activate", "face_detection_node", face_detection, "ImageSubscription"),
    ("activate", "emotion_classifier_node", classifier_stream, "SynchronizedSubscription"),
    ("activate", "overlay_node", overlay, "LazySubscription"),
]


@pytest.mark.guarantee(
    "A configure or activate that fails half way leaves nothing behind and can be repeated.", section="Every node"
)
@pytest.mark.parametrize(("step", "name", "module", "broken"), HALF_WAY, ids=[f"{it[0]} {it[1]}" for it in HALF_WAY])
def test_a_step_that_fails_half_way_leaves_nothing_and_can_be_taken_again(
    start, monkeypatch, step, name, module, broken
):
    def break_down(*arguments, **options):
        raise RuntimeError("broke down")

    def belongings():
        entities = (node.publishers, node.subscriptions, node.timers, node.guards, threading.enumerate())
        return [len(list(each)) for each in entities]

    node = start(name, activate=False)
    take = {"configure": node.trigger_configure, "activate": node.trigger_activate}[step]
    if step == "activate":
        assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    before = belongings()
    with monkeypatch.context() as patch:
        patch.setattr(module, broken, break_down)
        assert take() == TransitionCallbackReturn.FAILURE
    assert "broke down" in str(node.transition_error)
    assert belongings() == before
    assert take() == TransitionCallbackReturn.SUCCESS


@pytest.mark.guarantee(
    "`/diagnostics` is published once a second with state, rate, latency, counts, device and model.",
    section="Every node",
)
@pytest.mark.parametrize("name", NAMES)
def test_diagnostics_tell_state_rate_age_and_faults_once_a_second(graph, start, name):
    statuses = graph.listen(DiagnosticArray, "/diagnostics")
    start(name)
    graph.wait_for(statuses, 2)
    entry = statuses[-1].status[0]
    values = {pair.key: pair.value for pair in entry.values}
    assert (node_of_status(entry.name), entry.level, entry.message) == (f"/{name}", DiagnosticStatus.OK, "ok")
    assert values["state"] == "active"
    assert {"rate_hz", "age_ms", "faults", "last_fault"} <= values.keys()


def analyzers_of(name):
    """Returns the analyzers of config/analyzers.yaml that an entry of /diagnostics goes to.

    By the rules of diagnostic_aggregator's GenericAnalyzer, see `GenericAnalyzer::match`.
    """
    analyzers = yaml.safe_load(ANALYZERS.read_text(encoding="utf-8"))["analyzers"]["ros__parameters"]
    rules = {key: rule for key, rule in analyzers.items() if isinstance(rule, dict)}
    assert {rule["type"] for rule in rules.values()} == {"diagnostic_aggregator/GenericAnalyzer"}
    assert {option for rule in rules.values() for option in rule} <= {"type", "path", "contains", "remove_prefix"}
    return [key for key, rule in rules.items() if any(part in name for part in rule["contains"])]


@pytest.mark.guarantee(
    "Entries of `/diagnostics` are named `NODE: COMPONENT`, and in any namespace each belongs to one analyzer of "
    "`config/analyzers.yaml`.",
    section="Every node",
)
def test_each_entry_of_diagnostics_has_one_analyzer(graph, start):
    statuses = graph.listen(DiagnosticArray, "/diagnostics", 50)
    for namespace in ("/", "/robot/front"):
        for name in NAMES:
            start(name, remappings=[("__ns", namespace)])
    wanted = {f"{namespace}/{name}" for namespace in ("", "/robot/front") for name in NAMES}

    def names():
        return {entry.name for array in statuses for entry in array.status}

    graph.wait(lambda: {node_of_status(name) for name in names()} == wanted, f"only {names()}")
    groups = {name: analyzers_of(name) for name in names()}
    assert all(len(found) == 1 for found in groups.values()), groups
    assert Counter(found[0] for found in groups.values()) == {"cameras": 2, "faces": 2, "emotions": 2, "overlays": 2}
    assert "/robot/front/camera_node: camera" in groups


@pytest.mark.guarantee(
    "`/diagnostics` is published once a second with state, rate, latency, counts, device and model.",
    section="Every node",
)
def test_diagnostics_tell_how_often_and_how_late_a_node_publishes(graph, start):
    statuses, images = graph.listen(DiagnosticArray, "/diagnostics"), graph.listen(Image, "image_raw")
    start("camera_node")
    graph.wait(lambda: len(images) > 20 and len(statuses) > 1)
    values = {pair.key: pair.value for pair in statuses[-1].status[0].values}
    assert 5 < float(values["rate_hz"]) < 60
    assert 0 <= float(values["age_ms"]) < 1000


@pytest.mark.guarantee("A fault is a WARN in `/diagnostics` until it is over.", section="Every node")
def test_a_fault_is_a_warning_and_passes(graph, start, monkeypatch):
    monkeypatch.setattr("emotion_perception.ros.diagnostics._FAULT_SHOWN_S", 1.5)
    statuses = graph.listen(DiagnosticArray, "/diagnostics")
    node = start("overlay_node")
    node.count_fault("a hiccup")
    graph.wait(lambda: statuses and statuses[-1].status[0].level == DiagnosticStatus.WARN)
    assert statuses[-1].status[0].message == "a hiccup"
    graph.wait(lambda: statuses[-1].status[0].level == DiagnosticStatus.OK)
    assert {pair.key: pair.value for pair in statuses[-1].status[0].values}["last_fault"] == "a hiccup"


@pytest.mark.guarantee(
    "`/diagnostics` is published once a second with state, rate, latency, counts, device and model.",
    section="Every node",
)
@pytest.mark.parametrize("name", NAMES)
def test_the_hardware_id_is_the_camera_or_the_computer(graph, start, name):
    statuses = graph.listen(DiagnosticArray, "/diagnostics")
    start(name, **({"parameters": {"video_device": "/dev/video97"}} if name == "camera_node" else {}))
    graph.wait(lambda: statuses)
    expected = "/dev/video97" if name == "camera_node" else platform.node()
    assert statuses[-1].status[0].hardware_id == expected


class TestEveryFrameFails:
    """A node none of whose frames can be processed."""

    def send(self, graph, make, name, numbers, *, bad):
        """Sends frames to a subscriber; an image whose encoding nobody knows is a bad one."""
        images = graph.speak(Image, "image_raw")
        topic = {"emotion_classifier_node": (FaceArray, "faces"), "overlay_node": (EmotionArray, "emotions")}
        others = graph.speak(*topic[name]) if name in topic else None
        for number in numbers:
            image = make.image(number)
            if bad:
                image.encoding = "dream8"
            images.publish(image)
            if name == "emotion_classifier_node":
                face = faces_to_msg(
                    image.header, [Face(Box(0, 0, 20, 20), 0.9)], detector="", detect_ms=0.0, counts=make.counts
                )
                others.publish(face)
            elif name == "overlay_node":
                others.publish(EmotionArray(header=image.header))
            graph.let_run(0.05)

    @pytest.mark.guarantee(
        "Three failed frames in a row are an ERROR in `/diagnostics` until a frame succeeds, in every node.",
        section="Every node",
    )
    @pytest.mark.parametrize("name", SUBSCRIBERS)
    def test_it_is_an_error_until_a_frame_succeeds(self, graph, make, start, name, monkeypatch):
        monkeypatch.setattr("emotion_perception.ros.diagnostics._FAULT_SHOWN_S", 1.0)
        statuses = graph.listen(DiagnosticArray, "/diagnostics")
        if name == "overlay_node":
            graph.listen(Image, "image_overlay")
        node = start(name)
        self.send(graph, make, name, range(2), bad=True)
        graph.wait(lambda: node.faults == 2)
        statuses.clear()
        graph.wait(lambda: statuses)
        assert statuses[-1].status[0].level != DiagnosticStatus.ERROR, "two may be damaged"
        self.send(graph, make, name, range(2, 6), bad=True)
        graph.wait(lambda: statuses[-1].status[0].level == DiagnosticStatus.ERROR)
        assert "frames failed: encoding 'dream8'" in statuses[-1].status[0].message
        graph.let_run(1.5)
        assert statuses[-1].status[0].level == DiagnosticStatus.ERROR, "it does not pass by itself"
        self.send(graph, make, name, range(6, 9), bad=False)
        graph.wait(lambda: statuses[-1].status[0].level == DiagnosticStatus.OK)

    def test_it_is_an_error_of_the_camera_too(self, graph, start, monkeypatch):
        publish = camera.CameraPublishers.publish

        def fail(*arguments):
            raise ValueError("no memory")

        statuses = graph.listen(DiagnosticArray, "/diagnostics")
        monkeypatch.setattr(camera.CameraPublishers, "publish", fail)
        start("camera_node")
        graph.wait(lambda: statuses and statuses[-1].status[0].level == DiagnosticStatus.ERROR)
        assert "frames failed: ValueError: no memory" in statuses[-1].status[0].message
        monkeypatch.setattr(camera.CameraPublishers, "publish", publish)
        graph.wait(lambda: statuses[-1].status[0].level == DiagnosticStatus.WARN)

    def test_it_is_over_when_the_node_is_deactivated(self, graph, make, start, monkeypatch):
        monkeypatch.setattr("emotion_perception.ros.diagnostics._FAULT_SHOWN_S", 0.1)
        statuses = graph.listen(DiagnosticArray, "/diagnostics")
        node = start("face_detection_node")
        self.send(graph, make, "face_detection_node", range(5), bad=True)
        graph.wait(lambda: statuses and statuses[-1].status[0].level == DiagnosticStatus.ERROR)
        node.trigger_deactivate()
        graph.wait(lambda: statuses[-1].status[0].level == DiagnosticStatus.OK)


def test_a_lasting_problem_is_shown_until_it_is_cleared(graph, start):
    statuses = graph.listen(DiagnosticArray, "/diagnostics")
    node = start("overlay_node")
    node.set_problem("weather", "it rains")
    node.set_problem("house", "it burns", error=True)
    graph.wait(lambda: statuses and statuses[-1].status[0].level == DiagnosticStatus.ERROR)
    assert statuses[-1].status[0].message == "it burns"
    node.clear_problem("house")
    graph.wait(lambda: statuses[-1].status[0].level == DiagnosticStatus.WARN)
    node.set_problem("weather", "")
    graph.wait(lambda: statuses[-1].status[0].level == DiagnosticStatus.OK)


@pytest.mark.guarantee(
    "Runs in any namespace and under any name; all topics are relative, except `/diagnostics`.", section="Every node"
)
@pytest.mark.parametrize("name", NAMES)
def test_names_are_relative_and_can_be_remapped(graph, start, name):
    node = start(name, remappings=[("__ns", "/robot1"), ("__node", "mine")])
    assert node.get_fully_qualified_name() == "/robot1/mine"
    graph.wait(lambda: graph.probe.get_node_names_and_namespaces().count(("mine", "/robot1")) == 1)
    told = graph.probe.get_publisher_names_and_types_by_node("mine", "/robot1")
    heard = graph.probe.get_subscriber_names_and_types_by_node("mine", "/robot1")
    shared = {"/diagnostics", "/rosout", "/parameter_events", "/clock"}
    assert {topic for topic, _ in told + heard if not topic.startswith("/robot1/")} <= shared


@pytest.mark.guarantee(
    "Every parameter has a description, every number a range; structural parameters are read-only.",
    section="Every node",
)
@pytest.mark.parametrize("name", NAMES)
def test_every_number_has_a_range_and_every_parameter_a_description(graph, start, name):
    node = start(name, activate=False)
    own = [key for key in node._parameters if not key.startswith(("use_sim_time", "qos_overrides", "start_type"))]
    for key in own:
        descriptor = node.describe_parameter(key)
        value = node.get_parameter(key).value
        assert descriptor.description, key
        if type(value) in (int, float):
            assert descriptor.integer_range or descriptor.floating_point_range, key


@pytest.mark.guarantee(
    "A publisher with an incompatible QoS is logged once and is a WARN in `/diagnostics`.", section="Every node"
)
@pytest.mark.parametrize("name", SUBSCRIBERS)
def test_an_image_publisher_that_does_not_fit_is_a_warning(graph, start, name):
    if name == "overlay_node":
        graph.listen(Image, "image_overlay")  # it may look at images only while somebody looks at it
    statuses = graph.listen(DiagnosticArray, "/diagnostics")
    node = start(name, parameters={"image_reliability": "reliable"})
    profile = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT, durability=DurabilityPolicy.VOLATILE)
    graph.probe.create_publisher(Image, "image_raw", profile)

    def warned():
        entries = [entry for array in statuses for entry in array.status if node_of_status(entry.name) == f"/{name}"]
        return entries and entries[-1].level == DiagnosticStatus.WARN and "reliability" in entries[-1].message

    graph.wait(warned)
    assert node.faults == 0


def entry_of(statuses, name):
    """Returns level and message of the newest entry of a node, None before the first one."""
    entries = [entry for array in statuses for entry in array.status if node_of_status(entry.name) == f"/{name}"]
    return (entries[-1].level, entries[-1].message) if entries else None


def is_warned(statuses, name, text):
    level, message = entry_of(statuses, name) or (None, "")
    return level == DiagnosticStatus.WARN and text in message


def is_ok(statuses, name):
    return (entry_of(statuses, name) or (None,))[0] == DiagnosticStatus.OK


@pytest.mark.guarantee(
    "A publisher with an incompatible QoS is logged once and is a WARN in `/diagnostics`.", section="Every node"
)
@pytest.mark.parametrize(
    ("name", "kind", "topic", "watched"),
    [
        ("emotion_classifier_node", FaceArray, "faces", []),
        ("overlay_node", EmotionArray, "emotions", [(Image, "image_overlay")]),
        ("overlay_node", EmotionArray, "emotions", [(MarkerArray, "markers")]),
        ("overlay_node", EmotionArray, "emotions", [(MarkerArray, "markers"), (Image, "image_overlay")]),
    ],
    ids=["faces", "emotions for the overlay", "emotions for the markers", "emotions for both"],
)
def test_a_best_effort_publisher_of_results_is_a_warning_until_it_is_gone(
    graph, start, name, kind, topic, watched, capfd
):
    for output in watched:
        graph.listen(*output)
    statuses = graph.listen(DiagnosticArray, "/diagnostics")
    start(name)
    wanted = max(1, len(watched))
    graph.wait(lambda: graph.probe.count_subscribers(topic) == wanted, "what nobody watches has its input yet")
    publisher = graph.probe.create_publisher(kind, topic, QoSProfile(depth=5, reliability=BEST_EFFORT))
    text = f"/{topic}: a publisher offers an incompatible reliability, its messages are not received"
    graph.wait(lambda: is_warned(statuses, name, text))
    graph.probe.destroy_publisher(publisher)
    graph.wait(lambda: is_ok(statuses, name))
    assert "".join(capfd.readouterr()).count(text) == 1


def send_images(graph, images, make, stamps):
    """Publishes an image for each stamp, in nanoseconds."""
    for stamp in stamps:
        image = make.image()
        image.header.stamp.sec, image.header.stamp.nanosec = divmod(stamp, 10**9)
        images.publish(image)
        graph.let_run(0.02)


@pytest.mark.guarantee(
    "Images whose stamps are zero, equal or go backward are logged once and are a WARN in `/diagnostics`.",
    section="Every node",
)
@pytest.mark.parametrize(
    ("name", "stamps", "text"),
    [
        ("face_detection_node", [0] * 6, "the stamps of images are zero"),
        ("emotion_classifier_node", [0] * 6, "the stamps of images are zero"),
        ("overlay_node", [10**12] * 6, "images have the stamp of the image before"),
        (
            "face_detection_node",
            [10**12 + k * 10**9 - (k % 2) * 3600 * 10**9 for k in range(8)],
            "the stamps of images go backward",
        ),
    ],
    ids=["detection, zero", "classifier, zero", "overlay, equal", "detection, backward"],
)
def test_images_whose_stamps_do_not_increase_are_a_warning_for_some_seconds(
    graph, start, make, monkeypatch, capfd, name, stamps, text
):
    monkeypatch.setattr("emotion_perception.core.sync.stamp_order._WINDOW_S", 3.0)
    if name == "overlay_node":
        graph.listen(Image, "image_overlay")
    statuses = graph.listen(DiagnosticArray, "/diagnostics")
    node = start(name)
    send_images(graph, graph.speak(Image, "image_raw"), make, stamps)
    graph.wait(lambda: is_warned(statuses, name, f"/image_raw: {text}; results belong to images of equal stamp"))
    graph.wait(lambda: is_ok(statuses, name))
    assert node.faults == 0
    assert "".join(capfd.readouterr()).count(text) == 1


@pytest.mark.guarantee("A recording that loops, or a clock that jumps back, is no WARN.", section="Every node")
@pytest.mark.parametrize("name", SUBSCRIBERS)
def test_a_recording_that_loops_and_a_jump_back_are_no_warning(graph, start, make, name):
    if name == "overlay_node":
        graph.listen(Image, "image_overlay")
    statuses = graph.listen(DiagnosticArray, "/diagnostics")
    start(name)
    recording = [10**12 + number * 10**8 for number in range(10)]
    an_hour_ago = [stamp - 3600 * 10**9 for stamp in recording]
    send_images(graph, graph.speak(Image, "image_raw"), make, recording * 5 + an_hour_ago)
    statuses.clear()
    graph.let_run(1.5)
    assert {entry.message for array in statuses for entry in array.status} == {"ok"}


class TestSeveralPublishers:
    """An image topic with several publishers."""

    @pytest.mark.guarantee(
        "Several publishers on one image topic are logged once, with the names of their nodes, and are a WARN in "
        "`/diagnostics` while they are there.",
        section="Every node",
    )
    @pytest.mark.parametrize("name", SUBSCRIBERS)
    def test_their_nodes_are_named_until_one_is_gone(self, graph, start, capfd, name):
        if name == "overlay_node":
            graph.listen(Image, "image_overlay")
        statuses = graph.listen(DiagnosticArray, "/diagnostics")
        start(name)
        graph.speak(Image, "image_raw")
        other = rclpy.create_node("other_camera", namespace="/front", context=graph.context)
        other.create_publisher(Image, "/image_raw", 5)
        text = "/image_raw has several publishers (/front/other_camera, /probe)"
        graph.wait(lambda: is_warned(statuses, name, text))
        other.destroy_node()
        graph.wait(lambda: is_ok(statuses, name))
        assert "".join(capfd.readouterr()).count(text) == 1

    def test_a_node_that_was_started_again_is_none_at_once(self, graph, start, monkeypatch):
        statuses = graph.listen(DiagnosticArray, "/diagnostics")
        start("face_detection_node")
        graph.speak(Image, "image_raw")
        graph.speak(Image, "image_raw")  # as the one that was killed, which stays in discovery for a while
        graph.let_run(2.0)
        assert {entry.message for array in statuses for entry in array.status} == {"ok"}
        monkeypatch.setattr("emotion_perception.ros.transport.publisher_check._LEASE_S", 1.0)
        graph.wait(lambda: is_warned(statuses, "face_detection_node", "/image_raw has several publishers (/probe)"))


@pytest.mark.guarantee("`qos_overrides` apply to image topics.", section="Every node")
@pytest.mark.parametrize("name", ["face_detection_node", "emotion_classifier_node"])
def test_qos_overrides_work_on_image_subscriptions(graph, start, name):
    prefix = "qos_overrides./image_raw.subscription"
    start(name, parameters={f"{prefix}.reliability": "best_effort", f"{prefix}.depth": 3})
    graph.wait(lambda: graph.probe.get_subscriptions_info_by_topic("/image_raw"))
    (info,) = graph.probe.get_subscriptions_info_by_topic("/image_raw")
    assert info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    graph.speak(Image, "image_raw")  # a reliable publisher does not change what was asked for
    graph.let_run(0.7)
    (info,) = graph.probe.get_subscriptions_info_by_topic("/image_raw")
    assert info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT


@pytest.mark.guarantee("`qos_overrides` apply to image topics.", section="Every node")
def test_qos_overrides_work_on_the_cameras_images(graph, start):
    start("camera_node", parameters={"qos_overrides./image_raw.publisher.reliability": "best_effort"})
    graph.wait(lambda: graph.probe.get_publishers_info_by_topic("/image_raw"))
    (info,) = graph.probe.get_publishers_info_by_topic("/image_raw")
    assert info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT


def test_a_wrong_override_is_refused_when_the_node_is_made(start):
    name = "qos_overrides./image_raw.subscription.reliability"
    with pytest.raises(ConfigurationError, match=f"{name} 'perhaps' is none of auto, reliable, best_effort"):
        start("face_detection_node", activate=False, parameters={name: "perhaps"})


@pytest.mark.guarantee(
    "Two passes through the lifecycle leak no thread, publisher, subscription or timer.", section="Every node"
)
@pytest.mark.parametrize("name", NAMES)
def test_going_through_the_life_cycle_twice_leaks_no_thread_and_no_entity(graph, start, name):
    node = start(name)

    def entities():
        return [len(list(group)) for group in (node.publishers, node.subscriptions, node.timers)]

    graph.let_run(0.1)
    threads, before = threading.active_count(), entities()
    for _ in range(2):
        for transition in ("deactivate", "cleanup", "configure", "activate"):
            assert getattr(node, f"trigger_{transition}")() == TransitionCallbackReturn.SUCCESS
        graph.let_run(0.1)
    assert threading.active_count() <= threads
    assert entities() == before


@pytest.mark.guarantee("A node that is cleaned up holds nothing of what it was configured with.", section="Every node")
@pytest.mark.parametrize("name", NAMES)
def test_cleanup_releases_what_was_configured(start, name):
    node = start(name)
    gc.collect()
    gc.disable()  # as in a node whose collector has little to do
    try:
        behavior = weakref.ref(node._behavior)
        assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
        assert node.trigger_cleanup() == TransitionCallbackReturn.SUCCESS
        assert behavior() is None
    finally:
        gc.enable()


@pytest.mark.guarantee("A destroyed node disappears from the graph at once.", section="Every node")
@pytest.mark.parametrize("node_type", [CameraNode, FaceDetectionNode, EmotionClassifierNode, OverlayNode])
def test_a_destroyed_node_is_gone_from_the_graph_before_anything_is_collected(graph, node_type):
    gc.disable()
    try:
        node = node_type(context=graph.context)
        assert node.get_name() in graph.probe.get_node_names()
        node.destroy_node()
        assert graph.probe.get_node_names() == ["probe"]
    finally:
        gc.enable()


@pytest.mark.parametrize("name", NAMES)
def test_a_transition_that_is_not_allowed_leaves_the_node_as_it_is(graph, start, name):
    node = start(name)
    threads = threading.active_count()
    with contextlib.suppress(rclpy._rclpy_pybind11.RCLError):  # Jazzy raises, Kilted answers
        assert node.trigger_activate() != TransitionCallbackReturn.SUCCESS
    graph.let_run(0.05)
    assert threading.active_count() <= threads, "nothing was started a second time"
    assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS


@pytest.mark.guarantee(
    "Without `/clock`, a node processes frames, publishes its diagnostics and shuts down.", section="Every node"
)
@pytest.mark.parametrize("name", SUBSCRIBERS)
def test_without_a_clock_a_node_still_works_and_ends(graph, start, make, name):
    node = start(name, parameters={"use_sim_time": True})
    graph.let_run(0.2)
    assert node.get_clock().now().nanoseconds == 0
    statuses = graph.listen(DiagnosticArray, "/diagnostics")
    graph.wait_for(statuses)  # its status timer runs on a steady clock
    status = statuses[-1].status[0]
    assert status.level == DiagnosticStatus.WARN
    assert "nothing has come on /clock" in status.message
    assert node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert node.trigger_shutdown() == TransitionCallbackReturn.SUCCESS


@pytest.mark.guarantee("With `use_sim_time`, no output carries wall time.", section="Every node")
def test_with_sim_time_the_cameras_stamps_are_those_of_the_clock(graph, start):
    images = graph.listen(Image, "image_raw")
    clock = graph.probe.create_publisher(Clock, "/clock", 10)
    node = start("camera_node", parameters={"use_sim_time": True})
    message = Clock()
    message.clock.sec = 5000

    def ticking():
        clock.publish(message)
        return node.get_clock().now().nanoseconds >= 5000 * 10**9

    graph.wait(ticking)
    images.clear()
    graph.wait_for(images, 3)
    assert all(4999 <= stamp_ns(image.header) * 1e-9 <= 5010 for image in images[1:])


@pytest.mark.guarantee("With `use_sim_time`, no output carries wall time.", section="Every node")
def test_no_output_carries_wall_time(graph, start, make):
    for name in ("face_detection_node", "emotion_classifier_node"):
        start(name, parameters={"use_sim_time": True})
    faces, emotions = graph.listen(FaceArray, "faces"), graph.listen(EmotionArray, "emotions")
    images = graph.speak(Image, "image_raw", listeners=2)
    graph.wait(lambda: graph.probe.count_subscribers("faces") == 2)
    images.publish(make.image(4))
    graph.wait(lambda: faces and emotions)
    assert faces[0].header == emotions[0].header == make.header(4)
    assert emotions[0].age_ms <= 0, "the clock stands at 0, the image is of second 1000"


@pytest.mark.guarantee(
    "A clock jump of an hour, either way, loses no result; tracks and smoothing restart.", section="Every node"
)
@pytest.mark.parametrize("jump_s", [-3600, 3600])
def test_a_clock_that_jumps_by_an_hour_costs_no_answer(graph, start, make, jump_s):
    for name in ("face_detection_node", "emotion_classifier_node"):
        start(name)
    emotions = graph.listen(EmotionArray, "emotions")
    images = graph.speak(Image, "image_raw", listeners=2)
    graph.wait(lambda: graph.probe.count_subscribers("faces") == 1 and graph.probe.count_publishers("emotions"))
    headers = [make.header(36_000 + number) for number in range(3)]
    headers += [make.header(36_000 + 10 * jump_s + number) for number in range(4, 7)]
    for number, header in enumerate(headers):
        image = make.image(0)
        image.header = header
        images.publish(image)
        graph.wait_for(emotions, number + 1)
    assert [answer.header for answer in emotions] == headers
    assert {(answer.status, len(answer.faces)) for answer in emotions} == {(EmotionArray.OK, 1)}
    ids = [answer.faces[0].face.track_id for answer in emotions]
    assert len(set(ids[:3])) == len(set(ids[3:])) == 1
    assert ids[0] != ids[-1], "the tracks begin anew, with new numbers"


def test_the_fault_of_a_time_that_is_none_names_the_clock(graph):
    node = graph.node(OverlayNode, activate=False, parameters={"use_sim_time": True})
    publisher, faults = node.create_publisher(Clock, "/clock", 1), []
    executor = FaultTolerantExecutor(node, faults.append)
    deadline_s = time.monotonic() + 20
    while not faults and time.monotonic() < deadline_s:
        publisher.publish(Clock(clock=Time(sec=-1)))
        executor.spin_once(0.05)
    executor.shutdown()
    assert faults[0].startswith("/clock: ValueError: ")


@pytest.mark.guarantee("A subscriber that never reads blocks no node.", section="Every node")
def test_a_subscriber_that_never_reads_stops_nobody(graph, start, make):
    for name in ("face_detection_node", "emotion_classifier_node"):
        start(name)
    deaf = rclpy.create_node("deaf", context=graph.context)  # in no executor: nothing is ever taken
    for message_type, topic in ((Image, "image_raw"), (FaceArray, "faces"), (EmotionArray, "emotions")):
        deaf.create_subscription(message_type, topic, lambda message: None, QoSProfile(depth=1))
    emotions = graph.listen(EmotionArray, "emotions")
    images = graph.speak(Image, "image_raw", listeners=3)
    graph.wait(lambda: graph.probe.count_subscribers("faces") == 2)
    for number in range(30):
        images.publish(make.image(number))
        graph.wait_for(emotions, number + 1)
    deaf.destroy_node()
    assert [answer.status for answer in emotions] == [EmotionArray.OK] * 30


@pytest.mark.guarantee("A parameter change is published on `/parameter_events`.", section="Every node")
@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        ("face_detection_node", "max_faces", 7),
        ("emotion_classifier_node", "smoothing_s", 1.5),
        ("emotion_classifier_node", "label_hysteresis", 0.3),
        ("overlay_node", "draw_bars", False),
    ],
)
def test_a_change_of_a_parameter_is_told_to_everybody(graph, start, name, parameter, value):
    from rcl_interfaces.msg import ParameterEvent

    node = start(name)
    events = graph.listen(ParameterEvent, "/parameter_events")
    graph.wait(lambda: node.count_subscribers("/parameter_events"))
    assert node.set_parameters([Parameter(parameter, value=value)])[0].successful
    graph.wait(lambda: any(event.node == f"/{name}" and event.changed_parameters for event in events))
    changed = [p.name for event in events if event.node == f"/{name}" for p in event.changed_parameters]
    assert changed == [parameter]
    assert option_values(node.config)[parameter] == value


def test_the_exit_codes_are_those_of_the_documents():
    assert (EXIT_OK, EXIT_CONFIGURATION) == (0, 78)
