# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`image_annotations`: with foxglove_msgs built from its published definitions, without it, and with a broken one."""

import importlib.util
import json
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest
from interface_packages import build
from node_processes import Probe, start
from processes import kill_running
from rclpy.time import Time
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from std_msgs.msg import Header

from emotion_perception.bags.io.messages import IMAGE_ANNOTATIONS, annotation_typestore
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.types import Box, Face, FaceEmotion, FrameCounts, ModelInfo
from emotion_perception.ros.conversions import ClassificationResult, EmotionArray, faces_to_msg
from emotion_perception.ros.nodes.overlay import OverlayNode

_COLOR = "foxglove_msgs/Color"
# The fields as https://github.com/foxglove/foxglove-sdk publishes them in schemas/ros2: of 2.2 to 3.4.3, and what later
# ones have beside. Types that only an unused annotation needs are there, too: without them the message does not build.
DEFINITIONS = {
    "Point2": "float64 x\nfloat64 y",
    "Color": "float64 r\nfloat64 g\nfloat64 b\nfloat64 a",
    "CircleAnnotation": f"builtin_interfaces/Time timestamp\nfoxglove_msgs/Point2 position\nfloat64 diameter\n"
    f"float64 thickness\n{_COLOR} fill_color\n{_COLOR} outline_color",
    "PointsAnnotation": "builtin_interfaces/Time timestamp\nuint8 UNKNOWN=0\nuint8 POINTS=1\nuint8 LINE_LOOP=2\n"
    "uint8 LINE_STRIP=3\nuint8 LINE_LIST=4\nuint8 type\nfoxglove_msgs/Point2[] points\n"
    f"{_COLOR} outline_color\n{_COLOR}[] outline_colors\n{_COLOR} fill_color\nfloat64 thickness",
    "TextAnnotation": "builtin_interfaces/Time timestamp\nfoxglove_msgs/Point2 position\nstring text\n"
    f"float64 font_size\n{_COLOR} text_color\n{_COLOR} background_color",
    "ImageAnnotations": "foxglove_msgs/CircleAnnotation[] circles\nfoxglove_msgs/PointsAnnotation[] points\n"
    "foxglove_msgs/TextAnnotation[] texts",
}
_METADATA = "\nfoxglove_msgs/KeyValuePair[] metadata"
LATER_DEFINITIONS = {
    **{name: text + _METADATA * name.endswith("Annotation") for name, text in DEFINITIONS.items()},
    "KeyValuePair": "string key\nstring value",
    "ImageAnnotations": f"builtin_interfaces/Time timestamp\n{DEFINITIONS['ImageAnnotations']}{_METADATA}",
}
# Receives annotations with the class of the package, and prints what a viewer would draw.
_VIEWER = """\
import json, sys, time
import rclpy
from foxglove_msgs.msg import ImageAnnotations, PointsAnnotation
from rclpy.executors import SingleThreadedExecutor

rclpy.init()
node, seen = rclpy.create_node("viewer"), []
node.create_subscription(ImageAnnotations, "image_annotations", seen.append, 5)
executor = SingleThreadedExecutor()
executor.add_node(node)
deadline_s = time.monotonic() + 60
while not any(message.texts for message in seen) and time.monotonic() < deadline_s:
    executor.spin_once(timeout_sec=0.1)
message = next(message for message in seen if message.texts)
(outline,), (text,) = message.points, message.texts
assert outline.type == PointsAnnotation.LINE_LOOP
print(json.dumps({
    "stamps": [[stamp.sec, stamp.nanosec] for stamp in (outline.timestamp, text.timestamp, message.timestamp)],
    "corners": [[point.x, point.y] for point in outline.points],
    "text": text.text,
    "color": [outline.outline_color.r, outline.outline_color.g, outline.outline_color.b, outline.outline_color.a],
}))
rclpy.shutdown()
"""


def fields_of(definitions):
    """Returns the fields of each type, as rosbags reads the definitions."""
    store = get_typestore(Stores.ROS2_JAZZY)
    types = {}
    for name, text in definitions.items():
        types |= get_types_from_msg(text, f"foxglove_msgs/msg/{name}")
    store.register(types)
    return {name: store.fielddefs[f"foxglove_msgs/msg/{name}"] for name in definitions}


def test_recordings_are_written_with_the_published_definitions():
    store = annotation_typestore()
    own = {name: store.fielddefs[f"foxglove_msgs/msg/{name}"] for name in DEFINITIONS}
    assert own == fields_of(DEFINITIONS)


@pytest.fixture(scope="module")
def with_foxglove_msgs(tmp_path_factory):
    """The environment of a shell in which foxglove_msgs is installed."""
    packages = {"foxglove_msgs": (["builtin_interfaces"], LATER_DEFINITIONS)}
    return build(tmp_path_factory.mktemp("workspace"), packages)


def emotions(track_id):
    """Returns the emotions of one happy face."""
    header = Header(frame_id="camera_optical_frame")
    header.stamp.sec, header.stamp.nanosec = 1000, 7
    row = np.array([0.25, 0.75], np.float32)
    face = Face(Box(100, 80, 180, 160), 0.9, track_id=track_id)
    source = faces_to_msg(header, [face], detector="fake", detect_ms=1.0, counts=FrameCounts())
    found = [FaceEmotion(face, "happiness", 0.75, False, row, row)]
    model = ModelInfo(("sadness", "happiness"), "fake", "", "cpu", False)
    return ClassificationResult(source, EmotionArray.OK, found).to_msg(model, Time())


@pytest.mark.slow
@pytest.mark.guarantee(
    "Where foxglove_msgs is installed, `image_annotations` has outline and caption of each face, with the stamp of its "
    "image and the colors of the overlay, and only while it has subscribers.",
    section="Overlay node",
)
def test_foxglove_gets_outlines_and_captions(with_foxglove_msgs, monkeypatch, tmp_path):
    for name, value in with_foxglove_msgs.items():
        monkeypatch.setenv(name, value)
    bag = tmp_path / "bag"
    node = start("overlay_node", remap="__ns:=/front")
    recorder = viewer = probe = None
    try:
        probe = Probe(node)
        probe.wait(lambda: probe.value("front/overlay_node", "state") == "active", "overlay_node did not become active")
        probe.wait(lambda: not probe.node.count_subscribers("/front/emotions"), "emotions are taken for nobody")
        viewer = subprocess.Popen(
            [sys.executable, "-c", _VIEWER, "--ros-args", "-r", "__ns:=/front"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
        )
        recorder = start("bag_recorder", f"bag:={bag}", "topics:=[image_annotations]", remap="__ns:=/front")
        publisher = probe.node.create_publisher(EmotionArray, "/front/emotions", 5)
        probe.wait(lambda: probe.node.count_subscribers("/front/image_annotations") == 2, "the viewers did not appear")

        def seen():
            publisher.publish(emotions(3))
            return viewer.poll() is not None

        probe.wait(seen, "no annotations arrived")
        output = viewer.communicate()[0]
        assert viewer.returncode == 0, output
        assert json.loads(output) == {
            "stamps": [[1000, 7]] * 3,
            "corners": [[100, 80], [180, 80], [180, 160], [100, 160]],
            "text": "#3 happiness 75%",
            "color": [0xF0 / 255, 0xE4 / 255, 0x42 / 255, 1.0],
        }
        probe.wait(lambda: int(probe.value("front/overlay_node", "annotations") or 0) > 0, "they are not counted")
        recorder.terminate()
        output = recorder.communicate(timeout=30)[0]
        assert recorder.returncode == 0, output
    finally:
        if probe is not None:
            probe.close()
        kill_running(node, viewer, recorder)
    store = get_typestore(Stores.EMPTY)
    with Recording(bag) as recording:
        (topic,) = recording.topics
        assert (topic.name, topic.type) == ("/front/image_annotations", IMAGE_ANNOTATIONS)
        store.register(get_types_from_msg(topic.definition, IMAGE_ANNOTATIONS))
        message = store.deserialize_cdr(next(iter(recording.messages([topic.name]))).raw, IMAGE_ANNOTATIONS)
    assert message.texts[0].text == "#3 happiness 75%"
    assert (message.timestamp.sec, message.points[0].timestamp.sec) == (1000, 1000)


@pytest.mark.guarantee(
    "Without foxglove_msgs there is no `image_annotations`, and nothing is logged.", section="Overlay node"
)
@pytest.mark.skipif(importlib.util.find_spec("foxglove_msgs") is not None, reason="foxglove_msgs is installed here")
def test_without_foxglove_msgs_there_is_no_topic_and_no_complaint(graph, capfd):
    node = graph.node(OverlayNode)
    graph.wait(lambda: graph.probe.count_publishers("image_overlay"))
    assert graph.probe.count_publishers("image_annotations") == 0
    assert node.status()["annotations"] == 0
    assert "foxglove" not in capfd.readouterr().err


def test_a_foxglove_msgs_without_these_messages_is_one_warning(graph, monkeypatch, capfd):
    package, messages = ModuleType("foxglove_msgs"), ModuleType("foxglove_msgs.msg")
    package.msg = messages
    monkeypatch.setitem(sys.modules, "foxglove_msgs", package)
    monkeypatch.setitem(sys.modules, "foxglove_msgs.msg", messages)
    graph.node(OverlayNode)
    logged = capfd.readouterr().err
    assert logged.count("no image_annotations: the installed foxglove_msgs cannot be used") == 1
    assert graph.probe.count_publishers("image_annotations") == 0
