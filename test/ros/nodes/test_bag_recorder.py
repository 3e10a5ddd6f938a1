# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""bag_recorder on real DDS: what was published is what is read again."""

import shutil
import threading
import time

import numpy as np
import pytest
from geometry_msgs.msg import Point
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import Reader, Writer
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image

from emotion_perception.bags.io.messages import EMOTIONS, IMAGE, NS, typestore
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.errors import ConfigurationError, RecordingError
from emotion_perception.ros.config import RecorderConfig
from emotion_perception.ros.conversions import EmotionArray, FaceArray
from emotion_perception.ros.nodes import bag_recorder
from emotion_perception.ros.nodes.bag_recorder import BagRecorder
from emotion_perception.ros.transport.bag_writer import BagWriter
from emotion_perception.ros.transport.image_messages import bgr_to_image

COUNT = 10
WAIT_S = 10.0
TYPES = {"/image_raw": Image, "/camera_info": CameraInfo, "/faces": FaceArray, "/emotions": EmotionArray}


@pytest.fixture
def bag(tmp_path):
    return tmp_path / "made" / "bag"


def _replace(bag):
    """Puts another file in the place of the recording's."""
    (file,) = bag.iterdir()
    file.with_name("other").touch()
    file.with_name("other").replace(file)


def picture(make, number):
    pixels = np.random.default_rng(number).integers(0, 255, (48, 64, 3), np.uint8)
    return bgr_to_image(pixels, make.header(number))


def entries(bag):
    """Returns (topic, received_ns, raw) of all messages of a recording that has to be whole."""
    with Recording(bag) as recording:
        found = list(recording.messages([topic.name for topic in recording.topics]))
        assert recording.problems == []
    return found


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_what_was_published_is_what_is_read_again(graph, make, bag, capfd, storage):
    running = graph.run(BagRecorder, bag=str(bag), storage=storage)
    speakers = {topic: graph.speak(kind, topic) for topic, kind in TYPES.items()}
    sent, begun_ns = {topic: [] for topic in TYPES}, time.time_ns()
    for number in range(COUNT):
        image = picture(make, number)
        messages = {"/image_raw": image} | {
            topic: kind(header=image.header) for topic, kind in TYPES.items() if kind is not Image
        }
        for topic, message in messages.items():
            sent[topic].append(serialize_message(message))
            speakers[topic].publish(sent[topic][-1])
    assert running.stop() == 0
    found = entries(bag)
    for topic in TYPES:
        assert [entry.raw for entry in found if entry.topic == topic] == sent[topic]
    received_ns = [entry.received_ns for entry in found]
    assert received_ns == sorted(received_ns)
    assert begun_ns <= received_ns[0] <= received_ns[-1] <= time.time_ns()
    summary = [line for line in capfd.readouterr().err.splitlines() if "messages:" in line]
    assert len(summary) == 1
    assert f"{4 * COUNT} messages: /image_raw {COUNT}, /camera_info {COUNT}, /faces {COUNT}" in summary[0]
    assert summary[0].endswith("lost: none")


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_recording_explains_itself(graph, make, bag, storage):
    running = graph.run(BagRecorder, bag=str(bag), storage=storage)
    offered = QoSProfile(depth=3, reliability=ReliabilityPolicy.BEST_EFFORT)
    graph.speak(Image, "image_raw", qos=offered)
    graph.speak(EmotionArray, "emotions")
    running.stop()
    with Reader(bag) as reader:
        connections = {connection.topic: connection for connection in reader.connections}
    assert {topic: connection.msgtype for topic, connection in connections.items()} == {
        "/image_raw": IMAGE,
        "/emotions": EMOTIONS,
    }
    for connection in connections.values():
        assert connection.digest == typestore().hash_rihs01(connection.msgtype)
        assert "std_msgs/Header header" in connection.msgdef.data
    profiles = {topic: connection.ext.offered_qos_profiles[0] for topic, connection in connections.items()}
    reliabilities = {topic: profile.reliability.name for topic, profile in profiles.items()}
    assert reliabilities == {"/image_raw": "BEST_EFFORT", "/emotions": "RELIABLE"}
    # Humble reads no metadata above this
    assert "version: 8\n" in (bag / "metadata.yaml").read_text()


def test_the_hash_of_a_type_is_that_of_the_middleware(graph):
    graph.probe.create_publisher(EmotionArray, "emotions", 10)
    (info,) = graph.probe.get_publishers_info_by_topic("/emotions")
    if not hasattr(info, "topic_type_hash"):
        pytest.skip("this ROS tells no hashes of types")
    assert str(info.topic_type_hash) == typestore().hash_rihs01(EMOTIONS)


@pytest.mark.parametrize("reliability", list(ReliabilityPolicy)[1:3])
def test_every_kind_of_publisher_is_recorded(graph, make, bag, reliability):
    running = graph.run(BagRecorder, bag=str(bag))
    publisher = graph.speak(Image, "image_raw", qos=QoSProfile(depth=50, reliability=reliability))
    for number in range(COUNT):
        publisher.publish(picture(make, number))
    running.stop()
    assert len(entries(bag)) == COUNT


def test_a_best_effort_publisher_that_comes_later_is_recorded_too(graph, make, bag):
    running = graph.run(BagRecorder, bag=str(bag))
    reliable = graph.speak(Image, "image_raw")
    best_effort = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
    other = graph.speak(Image, "image_raw", qos=best_effort)
    graph.wait(lambda: reliable.get_subscription_count() == 1)
    for publisher in (reliable, other):
        publisher.publish(picture(make, 0))
    running.stop()
    assert len(entries(bag)) == 2


def test_what_was_published_before_and_lasts_is_recorded(graph, bag):
    lasting = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    publisher = graph.probe.create_publisher(Point, "place", lasting)
    publisher.publish(Point(x=1.0))
    running = graph.run(BagRecorder, bag=str(bag), topics=["place"])
    graph.wait(lambda: publisher.get_subscription_count() == 1)
    running.stop()
    assert [entry.topic for entry in entries(bag)] == ["/place"]


def test_names_are_relative_and_can_be_remapped(graph, make, bag):
    running = graph.run(BagRecorder, bag=str(bag), topics=["image_raw"], remappings=[("image_raw", "/front/picture")])
    graph.speak(Image, "/front/picture").publish(picture(make, 0))
    running.stop()
    assert [entry.topic for entry in entries(bag)] == ["/front/picture"]


def test_the_time_of_receiving_is_the_nodes(graph, make, bag):
    running = graph.run(BagRecorder, bag=str(bag), use_sim_time=True)
    clock, now = graph.speak(Clock, "/clock"), Clock()
    now.clock.sec = 5000

    def set_clock():
        clock.publish(now)
        return running.node.get_clock().now().nanoseconds == 5000 * NS

    graph.wait(set_clock)
    graph.speak(Image, "image_raw").publish(picture(make, 0))
    running.stop()
    assert [entry.received_ns for entry in entries(bag)] == [5000 * NS]


@pytest.mark.guarantee(
    "With `use_sim_time`, `bag_recorder` records nothing before the first time on `/clock`, and says so.",
    section="Recording and replay",
)
def test_nothing_is_recorded_before_the_first_time_on_the_clock(graph, make, bag, capfd):
    running = graph.run(BagRecorder, bag=str(bag), topics=["image_raw", "place"], use_sim_time=True)
    images = graph.probe.create_publisher(Image, "image_raw", 10)
    lasting = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    places = graph.probe.create_publisher(Point, "place", lasting)
    places.publish(Point(x=1.0))
    graph.wait(lambda: "the time is 0" in capfd.readouterr().err)
    images.publish(picture(make, 0))
    clock, begun = graph.speak(Clock, "/clock"), Clock()
    begun.clock.sec = 50

    def is_subscribed():
        clock.publish(begun)
        return images.get_subscription_count() == places.get_subscription_count() == 1

    graph.wait(is_subscribed)
    images.publish(picture(make, 1))
    assert running.stop() == 0
    assert sorted((entry.topic, entry.received_ns) for entry in entries(bag)) == [
        ("/image_raw", 50 * NS),
        ("/place", 50 * NS),
    ]


def test_a_type_that_is_not_known_is_named_and_the_others_are_recorded(graph, make, bag, monkeypatch, capfd):
    known = bag_recorder.message_class
    monkeypatch.setattr(bag_recorder, "message_class", lambda kind: None if "Point" in kind else known(kind))
    running = graph.run(BagRecorder, bag=str(bag), topics=["place", "image_raw"])
    graph.probe.create_publisher(Point, "place", 10)
    graph.speak(Image, "image_raw").publish(picture(make, 0))
    graph.let_run(0.5)  # two more looks
    running.stop()
    assert [entry.topic for entry in entries(bag)] == ["/image_raw"]
    line = "/place has a publisher of type 'geometry_msgs/msg/Point', which is not installed and not recorded"
    assert capfd.readouterr().err.count(line) == 1


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"bag": ""}, "bag is empty"),
        ({"bag": "{tmp}"}, "exists already"),
        ({"bag": "/proc/bag"}, "bag /proc/bag: No such file or directory"),
        ({"bag": "{tmp}/file/bag"}, "Not a directory"),
        ({"bag": "{tmp}/50%", "storage": "sqlite3"}, "sqlite3 needs a path without"),
        ({"storage": "tape"}, "storage 'tape' is none of mcap, sqlite3"),
        ({"queue_mib": 0}, "queue_mib"),
        ({"topics": ["image_raw", "['faces']"]}, r"topics: '\['faces'\]' is not a topic name"),
    ],
)
def test_what_cannot_be_recorded_is_one_clear_line(graph, bag, tmp_path, parameters, line):
    (tmp_path / "file").write_text("no folder")
    filled = {k: v.format(tmp=tmp_path) if isinstance(v, str) else v for k, v in parameters.items()}
    with pytest.raises(ConfigurationError, match=line) as caught:
        graph.run(BagRecorder, **{"bag": str(bag), **filled})
    assert "\n" not in str(caught.value)


def test_what_the_disk_has_no_time_for_is_counted_and_named(graph, bag, monkeypatch, capfd):
    free, write = threading.Event(), Writer.write

    def slow(*arguments):
        free.wait(WAIT_S)
        write(*arguments)

    monkeypatch.setattr(Writer, "write", slow)
    running = graph.run(BagRecorder, bag=str(bag), queue_mib=1)
    images = graph.speak(Image, "image_raw", qos=50)
    for _ in range(COUNT):  # 0.9 MiB each: one is being written, one waits
        images.publish(bgr_to_image(np.zeros((480, 640, 3), np.uint8), images_header()))
    graph.wait(lambda: running.node._writer.refused["/image_raw"] == COUNT - 2)
    free.set()
    assert running.stop() == 0
    assert len(entries(bag)) == 2
    lines = capfd.readouterr().err
    assert "messages lost, the disk is too slow" in lines
    assert f"2 messages: /image_raw 2, /camera_info 0, /faces 0, /emotions 0; lost: /image_raw {COUNT - 2}" in lines


def images_header():
    return Image().header


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyError("no one expects it")])
def test_a_fault_of_the_writer_ends_it_with_one_line_and_exit_code_1(graph, make, bag, monkeypatch, capfd, fault):
    def fail(*arguments):
        raise fault

    monkeypatch.setattr(Writer, "write", fail)
    running = graph.run(BagRecorder, bag=str(bag))
    graph.speak(Image, "image_raw").publish(picture(make, 0))
    graph.wait(lambda: running.code is not None, "it goes on")
    assert running.code == 1
    errors = [line for line in capfd.readouterr().err.splitlines() if "ERROR" in line]
    assert len(errors) == 1
    assert fault.args[-1] in errors[0]


@pytest.mark.guarantee(
    "A recorder whose file is removed, moved or replaced ends with exit code 1 and one line, and counts no message.",
    section="Recording and replay",
)
@pytest.mark.parametrize(("storage", "harm"), [("mcap", shutil.rmtree), ("sqlite3", _replace)])
def test_a_recording_that_is_removed_ends_it_and_counts_no_message(graph, make, bag, capfd, storage, harm):
    running = graph.run(BagRecorder, bag=str(bag), storage=storage)
    graph.speak(Image, "image_raw").publish(picture(make, 0))
    graph.wait(lambda: running.node._writer.counts["/image_raw"] == 1)
    harm(bag)
    graph.wait(lambda: running.code is not None, "it goes on")
    assert running.code == 1
    lines = capfd.readouterr().err.splitlines()
    (error,) = [line for line in lines if "ERROR" in line]
    assert f"bag {bag}: its file was removed, moved or replaced during the recording" in error
    assert "0 messages: /image_raw 0, /camera_info 0, /faces 0, /emotions 0; lost: /image_raw 1" in lines[-1]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_what_was_written_a_second_ago_can_be_read_while_it_goes_on(bag, storage):
    writer = BagWriter(bag, storage, 1 << 20)
    writer.announce("/place", "geometry_msgs/msg/Point", [])
    raw = serialize_message(Point(x=1.0))
    writer.write("/place", 1, raw)
    deadline_s = time.monotonic() + WAIT_S
    while readable(bag) != [raw]:
        assert time.monotonic() < deadline_s, "nothing comes to the disk"
        threading.Event().wait(0.05)
    writer.close(WAIT_S)
    assert writer.fault is None


def readable(bag):
    """Returns what can be read of a recording that is still written."""
    try:
        with Recording(bag) as recording:
            return [entry.raw for entry in recording.messages(["/place"])]
    except RecordingError:
        return []


def test_the_recorders_default_topics_are_those_of_the_nodes():
    assert RecorderConfig().topics == tuple(topic.lstrip("/") for topic in TYPES)
