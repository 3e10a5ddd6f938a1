# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the layouts of viewers show is published by the nodes that a user runs."""

import contextlib
from pathlib import Path

import pytest
import yaml
from message_paths import TOPICS
from node_processes import COMPOSED, Probe, needs_detector, start
from rclpy.qos import DurabilityPolicy, QoSCompatibility, QoSProfile, ReliabilityPolicy, qos_check_compatible
from sensor_msgs.msg import CameraInfo

from emotion_perception.ros.rviz_view import camera_frame, rviz_view

ROOT = Path(__file__).resolve().parents[2]
RVIZ_TYPES = {
    "rviz_default_plugins/Image": "sensor_msgs/msg/Image",
    "rviz_default_plugins/MarkerArray": "visualization_msgs/msg/MarkerArray",
}


@contextlib.contextmanager
def running(*options, remap=""):
    """A probe beside the nodes in one process."""
    process = start(COMPOSED, "video_device:=synthetic", options=options, remap=remap)
    try:
        with contextlib.closing(Probe(process)) as probe:
            yield probe
    finally:
        process.kill()
        process.communicate()


def types_of(probe):
    return {name: types[0] for name, types in probe.node.get_topic_names_and_types()}


@pytest.mark.guarantee(
    "Every topic and field in the layouts of Foxglove, PlotJuggler and rqt exists.", section="Viewers"
)
def test_the_topics_of_the_layouts_are_published_with_their_types():
    needs_detector()
    expected = {name: kind for name, kind in TOPICS.items() if not kind.startswith("foxglove_msgs/")}
    with running() as probe:
        probe.wait(lambda: expected.items() <= types_of(probe).items(), "a topic of the layouts is not published")
        assert all(probe.node.count_publishers(name) for name in expected)


@pytest.mark.guarantee(
    "The RViz view subscribes, in any namespace and for each camera, to topics that the nodes publish with its quality "
    "of service, in the frame of their images.",
    section="Viewers",
)
@pytest.mark.parametrize(
    ("namespaces", "options", "remap"),
    [
        (["/"], (), ""),
        (["/robot"], (), "__ns:=/robot"),
        (["/robot/front", "/robot/rear"], ("--camera", "front", "--camera", "rear"), "__ns:=/robot"),
    ],
    ids=["no namespace", "namespace", "two cameras"],
)
def test_rviz_gets_what_the_nodes_publish(namespaces, options, remap):
    needs_detector()
    template = (ROOT / "rviz" / "emotion_perception.rviz").read_text(encoding="utf-8")
    frame = camera_frame(ROOT / "config" / "emotion_perception.yaml", namespaces[0])
    manager = yaml.safe_load(rviz_view(template, namespaces, frame))["Visualization Manager"]
    displays = {display["Topic"]["Value"]: display for display in manager["Displays"]}
    assert len(displays) == 2 * len(namespaces)
    with running(*options, remap=remap) as probe:
        expected = {name: RVIZ_TYPES[display["Class"]] for name, display in displays.items()}
        probe.wait(lambda: expected.items() <= types_of(probe).items(), "RViz waits for a topic in vain")
        for name, display in displays.items():
            (publisher,) = probe.node.get_publishers_info_by_topic(name)
            wanted = QoSProfile(
                depth=display["Topic"]["Depth"],
                reliability=ReliabilityPolicy[display["Topic"]["Reliability Policy"].upper().replace(" ", "_")],
                durability=DurabilityPolicy[display["Topic"]["Durability Policy"].upper().replace(" ", "_")],
            )
            assert qos_check_compatible(publisher.qos_profile, wanted)[0] != QoSCompatibility.ERROR, name
        infos = {namespace: [] for namespace in namespaces}
        for namespace, received in infos.items():
            topic = f"{namespace.rstrip('/')}/camera_info"
            probe.node.create_subscription(CameraInfo, topic, received.append, 10)
        probe.wait(lambda: all(infos.values()), "no camera_info")
        assert {message.header.frame_id for received in infos.values() for message in received} == {
            manager["Global Options"]["Fixed Frame"]
        }
