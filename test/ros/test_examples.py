# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The nodes in examples/: what they do with messages, and that each works beside the demonstration."""

import contextlib
import csv
import io
import itertools
import math
import os
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from file_loading import load_file
from geometry_msgs.msg import Point, PointStamped, Twist
from node_processes import END_S, ROOT, START_S, lines_of
from real_face import need_real_face
from ros_graph import Graph, header
from sensor_msgs.msg import RegionOfInterest
from std_msgs.msg import String

from emotion_perception.msg import EmotionArray, Face, FaceEmotion

EXAMPLES = ROOT / "examples"


@pytest.fixture
def example(graph):
    """Makes the node of an example: its file, its class, and what it needs."""
    nodes = []

    def make(name, kind, *arguments, **options):
        node = getattr(load_file(EXAMPLES / f"{name}.py"), kind)(*arguments, context=graph.context, **options)
        nodes.append(node)
        return node

    yield make
    for node in nodes:
        node.destroy_node()


def array(tenths, *faces):
    return EmotionArray(header=header(tenths), faces=list(faces))


def smiling(track_id=1, label="happiness", **fields):
    return FaceEmotion(face=Face(track_id=track_id), label=label, score=0.9, **fields)


class TestSmileReaction:
    @pytest.fixture
    def react(self, example):
        """Feeds messages of a tenth of a second each; returns the reactions, each with its tenth."""
        node, reactions, now = example("smile_reaction", "SmileReaction"), [], [0]
        node.react = lambda text: reactions.append((now[0], text))

        def feed(*messages):
            for message in messages:
                stamp = message.header.stamp
                now[0] = (stamp.sec - 1000) * 10 + stamp.nanosec // 100_000_000
                node.on_emotions(message)
            return reactions

        return feed

    def test_a_smile_of_a_second_is_one_reaction_and_its_end_another(self, react):
        messages = [array(tenth, smiling()) for tenth in range(20)] + [array(tenth) for tenth in range(20, 40)]
        assert react(*messages) == [(10, "track 1 smiles"), (25, "track 1 no longer smiles")]

    def test_a_shorter_smile_is_none(self, react):
        assert react(*[array(tenth, *[smiling()] * (tenth < 10)) for tenth in range(40)]) == []

    @pytest.mark.parametrize(
        "other",
        [
            smiling(label="neutral"),
            smiling(uncertain=True),
            smiling(prediction_age_s=0.6),
            smiling(label="", prediction_age_s=math.nan),
        ],
        ids=["another label", "uncertain", "old", "no prediction"],
    )
    def test_what_is_no_certain_smile_begins_none_and_interrupts_one_only_after_half_a_second(self, react, other):
        assert react(*[array(tenth, other) for tenth in range(20)]) == []
        flickering = [array(tenth, smiling() if tenth % 4 == 0 else other) for tenth in range(20, 41)]
        assert react(*flickering) == [(32, "track 1 smiles")]
        assert react(*[array(tenth, other) for tenth in range(41, 60)])[1:] == [(46, "track 1 no longer smiles")]

    def test_faces_are_told_apart_and_forgotten(self, react):
        reactions = react(*[array(tenth, smiling(1 + tenth // 6)) for tenth in range(24)])
        assert reactions == [], "each smiled for six tenths"
        both = [array(tenth, smiling(7), smiling(8)) for tenth in range(30, 45)]
        assert react(*both) == [(40, "track 7 smiles"), (40, "track 8 smiles")]

    def test_a_pause_of_the_messages_is_no_smile(self, react):
        assert react(array(0, smiling()), array(100, smiling())) == []
        assert react(*[array(tenth, smiling()) for tenth in (104, 108, 112)]) == [(112, "track 1 smiles")]
        reactions = react(array(200, smiling()), array(204, smiling()))
        assert reactions[1:] == [(200, "track 1 no longer smiles")]

    def test_a_recording_that_begins_again_begins_again(self, react):
        reactions = react(*[array(tenth, smiling()) for tenth in (*range(3, 12), *range(12))])
        assert reactions == [(10, "track 1 smiles")]
        assert react(array(5))[1:] == [(5, "track 1 no longer smiles")]


def face(track_id=1, x=0.0, z=2.0, *, facing=Face.FACING_YES):
    return FaceEmotion(face=Face(track_id=track_id, facing_camera=facing, position=Point(x=x, y=0.1, z=z)))


class TestFollowPerson:
    @pytest.fixture
    def follower(self, example):
        """The node, with a clock that the test sets, and lists of what it publishes."""
        clock = SimpleNamespace(s=0.0)
        node = example("follow_person", "FollowPerson", clock_s=lambda: clock.s)
        targets, velocities = [], []
        node._target_publisher = SimpleNamespace(publish=targets.append)
        node._velocity_publisher = SimpleNamespace(publish=velocities.append)
        return SimpleNamespace(node=node, clock=clock, targets=targets, velocities=velocities)

    def target(self, follower, *faces):
        """Returns x and z of the target that a message makes, None for none."""
        before = len(follower.targets)
        follower.node.on_emotions(array(3, *faces))
        new = follower.targets[before:]
        assert all(target.header == header(3) for target in new)
        return (new[0].point.x, new[0].point.z) if new else None

    def test_the_nearest_face_that_faces_the_robot_is_the_target_and_stays_it(self, follower):
        away = face(1, z=0.5, facing=Face.FACING_NO)
        unknown = face(2, z=0.4, facing=Face.FACING_UNKNOWN)
        without_position = face(3, x=math.nan, z=math.nan)
        others = (away, unknown, without_position)
        assert self.target(follower, *others) is None
        assert self.target(follower, *others, face(4, z=3.0), face(5, z=2.0)) == (0.0, 2.0)
        assert self.target(follower, *others, face(4, z=1.0), face(5, z=2.5)) == (0.0, 2.5), "it stays the target"
        assert self.target(follower, face(4, z=1.0), face(5, z=2.5, facing=Face.FACING_NO)) == (0.0, 1.0)

    @pytest.mark.parametrize(
        ("x", "z", "speed", "turn"),
        [
            (0.0, 1.2, 0.0, 0.0),
            (0.0, 1.6, 0.2, 0.0),
            (0.0, 9.0, 0.3, 0.0),  # max_speed
            (0.0, 0.5, 0.0, 0.0),  # it does not drive backwards
            (0.2, 1.6, 0.206, -0.124),  # to the right is negative
            (-0.2, 1.6, 0.206, 0.124),
            (3.0, 3.0, 0.0, -0.6),  # it turns first; max_turn
        ],
    )
    def test_it_turns_to_the_target_and_drives_within_its_limits(self, follower, x, z, speed, turn):
        self.target(follower, face(x=x, z=z))
        follower.node.drive()
        (velocity,) = follower.velocities
        assert velocity.linear.x == pytest.approx(speed, abs=1e-3)
        assert velocity.angular.z == pytest.approx(turn, abs=1e-3)

    def test_it_stops_once_when_the_target_is_gone(self, follower):
        follower.node.drive()
        assert follower.velocities == [], "nobody was there"
        self.target(follower, face(z=3.0))
        for tenth in range(10):
            follower.clock.s = tenth / 10
            self.target(follower, face(z=3.0, facing=Face.FACING_NO))
            follower.node.drive()
        assert [velocity.linear.x for velocity in follower.velocities] == [0.3] * 6 + [0.0]
        assert self.target(follower, face(7, z=2.0)) == (0.0, 2.0)


def test_a_row_has_what_is_known(example):
    file = io.StringIO()
    node = example("log_to_csv", "LogToCsv")
    node.write_to(file)
    roi = RegionOfInterest(x_offset=3, y_offset=4, width=50, height=60)
    unknown = smiling(7, uncertain=True, valence=math.nan, arousal=math.nan)
    unknown.face.head_yaw = unknown.face.head_pitch = unknown.face.head_roll = math.nan
    unknown.face.position = Point(x=math.nan, y=math.nan, z=math.nan)
    known = FaceEmotion(face=Face(track_id=2**64 - 1, roi=roi, head_yaw=-0.25, facing_camera=2), valence=0.5)
    known.face.position.z = 1.5
    node.on_emotions(array(12, unknown, known))
    node.on_emotions(array(13))
    first, second = csv.DictReader(io.StringIO(file.getvalue()))
    assert (first["stamp"], first["track_id"], first["label"], first["score"]) == (
        "1001.200000007",
        "7",
        "happiness",
        "0.9000",
    )
    assert (first["uncertain"], first["valence"], first["head_roll"], first["position_z"]) == ("1", "", "", "")
    assert (second["track_id"], second["x"], second["height"]) == (str(2**64 - 1), "3", "60")
    assert (second["head_yaw"], second["facing_camera"], second["position_z"]) == ("-0.2500", "2", "1.5000")
    assert second["valence"] == "0.5000"


@pytest.mark.parametrize(
    ("sec", "nanosec", "text"),
    [
        (12, 5, "12.000000005"),
        (12, 4_000_000_001, "16.000000001"),
        (-1, 500_000_000, "-0.500000000"),
        (-2, 0, "-2.000000000"),
    ],
)
def test_a_stamp_is_written_in_seconds_also_where_its_nanoseconds_are_more_than_a_second(example, sec, nanosec, text):
    file = io.StringIO()
    node = example("log_to_csv", "LogToCsv")
    node.write_to(file)
    message = array(0, smiling())
    message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
    node.on_emotions(message)
    assert next(csv.DictReader(io.StringIO(file.getvalue())))["stamp"] == text


def test_a_csv_file_that_exists_is_not_written_over(tmp_path):
    (tmp_path / "emotions.csv").write_text("precious")
    program = [sys.executable, EXAMPLES / "log_to_csv.py"]
    ended = subprocess.run(program, capture_output=True, text=True, cwd=tmp_path, timeout=START_S)
    assert (ended.returncode, ended.stderr) == (1, "log_to_csv: emotions.csv: File exists\n")
    assert (tmp_path / "emotions.csv").read_text() == "precious"


@pytest.mark.parametrize("name", ["smile_reaction", "log_to_csv", "follow_person"])
@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["--no-such-option"], 2)])
def test_help_and_unknown_options_start_nothing(tmp_path, name, arguments, code):
    program = [sys.executable, EXAMPLES / f"{name}.py", *arguments]
    ended = subprocess.run(program, capture_output=True, text=True, cwd=tmp_path, timeout=START_S)
    assert ended.returncode == code
    assert f"usage: {name}.py" in ended.stdout + ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["smile_reaction", "log_to_csv", "follow_person"])
def test_malformed_ros_arguments_are_one_line(tmp_path, name):
    program = [sys.executable, EXAMPLES / f"{name}.py", "--ros-args", "-r", "a b"]
    ended = subprocess.run(program, capture_output=True, text=True, cwd=tmp_path, timeout=START_S)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{name}: Failed to parse ROS arguments")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", ["smile_reaction", "log_to_csv", "follow_person"])
def test_a_parameter_of_another_type_is_one_line_and_leaves_no_file(ros_domain, tmp_path, name):
    program = [sys.executable, EXAMPLES / f"{name}.py", "--ros-args", "-p", "use_sim_time:=3"]
    ended = subprocess.run(program, capture_output=True, text=True, cwd=tmp_path, timeout=START_S)
    assert ended.returncode == 1
    (line,) = lines_of(ended.stderr)
    assert line.startswith(f"{name}: Trying to set parameter 'use_sim_time' to '3' of type 'INTEGER'")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["distance:=1", "max_speed:=-0.3", "max_speed:=.nan", "max_turn:=1000.0"])
def test_a_robot_that_cannot_be_driven_so_is_one_line(ros_domain, value):
    program = [sys.executable, EXAMPLES / "follow_person.py", "--ros-args", "-p", value]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=START_S)
    assert ended.returncode == 1
    (line,) = lines_of(ended.stderr)
    assert line.startswith("follow_person: ")
    assert value.partition(":")[0] in line


CALIBRATION = """\
image_width: 640
image_height: 480
camera_name: camera
camera_matrix: {rows: 3, cols: 3, data: [600, 0, 320, 0, 600, 240, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [600, 0, 320, 0, 0, 600, 240, 0, 0, 0, 1, 0]}
"""


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    """A demonstration that runs while the tests do; its ROS domain."""
    need_real_face()
    coordinator = pytest.importorskip("domain_coordinator")
    folder, domains = tmp_path_factory.mktemp("demonstration"), itertools.cycle(range(1, 101))
    (folder / "camera.yaml").write_text(CALIBRATION)
    command = [sys.executable, "-m", "emotion_perception.ros.demo", "--source", "synthetic", "--out", folder / "out"]
    command += ["--camera", f"camera_info_url:=file://{folder / 'camera.yaml'}"]
    with coordinator.domain_id(lambda: next(domains)) as domain, open(folder / "log.txt", "w") as log:
        environment = os.environ | {"ROS_DOMAIN_ID": str(domain)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        graph = Graph(domain)
        emotions, deadline_s = graph.listen(EmotionArray, "emotions"), time.monotonic() + START_S
        while not any(message.faces for message in emotions):
            assert process.poll() is None, (folder / "log.txt").read_text()
            assert time.monotonic() < deadline_s, "no emotions"
            graph.let_run(0.1)
        graph.close()
        yield domain
        process.terminate()  # not kill: its nodes have to end as well
        assert process.wait(START_S) == 0, (folder / "log.txt").read_text()


@pytest.fixture
def beside(demonstration):
    """A graph in the domain of the demonstration."""
    graph = Graph(demonstration)
    yield graph
    graph.close()


@contextlib.contextmanager
def run_example(name, *arguments, domain, end):
    """Runs an example meanwhile; it has to end properly on a signal."""
    command, environment = [EXAMPLES / f"{name}.py", *arguments], os.environ | {"ROS_DOMAIN_ID": str(domain)}
    process = subprocess.Popen(
        [sys.executable, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield
        process.send_signal(end)
        output, _ = process.communicate(timeout=END_S * 2)
        assert (process.returncode, "Traceback" in output) == (0, False), output
    finally:
        process.kill()
        process.wait()


@pytest.mark.guarantee(
    "The example that follows a person stops the robot, and ends, also while the time of `/clock` stands still.",
    section="Programs",
)
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGHUP])
def test_with_a_clock_that_stands_still_the_robot_stops(graph, end):
    velocities, arguments = graph.listen(Twist, "cmd_vel"), ["--ros-args", "-p", "use_sim_time:=true"]
    with run_example("follow_person", *arguments, domain=graph.context.get_domain_id(), end=end):
        graph.speak(EmotionArray, "emotions").publish(array(3, face(z=3.0)))
        graph.wait(lambda: velocities and velocities[-1] == Twist(), "it did not stop")
    assert velocities[0].linear.x == pytest.approx(0.3)


@pytest.mark.slow
class TestBesideTheDemonstration:
    @pytest.mark.guarantee("Each example in `examples/` works beside the demonstration.", section="Programs")
    def test_a_smile_is_reported(self, demonstration, beside):
        smiles = beside.listen(String, "smiles")
        with run_example("smile_reaction", domain=demonstration, end=signal.SIGINT):
            beside.wait_for(smiles)
        assert re.fullmatch(r"track \d+ smiles", smiles[0].data)

    @pytest.mark.guarantee("Each example in `examples/` works beside the demonstration.", section="Programs")
    def test_every_face_of_every_image_is_a_row(self, demonstration, beside, tmp_path):
        path, emotions = tmp_path / "emotions.csv", []

        def rows():
            return path.read_text().splitlines() if path.exists() else []

        with run_example("log_to_csv", path, domain=demonstration, end=signal.SIGTERM):
            beside.wait(lambda: len(rows()) > 1)
            emotions = beside.listen(EmotionArray, "emotions")
            beside.wait_for(emotions, 30)
            last = emotions[-1].header.stamp
            beside.wait(lambda: rows()[-1] >= f"{last.sec}.{last.nanosec:09d}")
        with open(path, newline="") as file:
            written = {(row["stamp"], int(row["track_id"])): row for row in csv.DictReader(file)}
        assert len(written) == len(rows()) - 1
        assert None not in {key for row in written.values() for key in row}
        for message in emotions[:30]:
            for emotion in message.faces:
                row = written[f"{message.header.stamp.sec}.{message.header.stamp.nanosec:09d}", emotion.face.track_id]
                assert row["label"] == emotion.label

    @pytest.mark.guarantee("Each example in `examples/` works beside the demonstration.", section="Programs")
    @pytest.mark.guarantee("The example that follows a person stops the robot when it ends.", section="Programs")
    @pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
    def test_a_face_that_faces_the_camera_is_followed_and_the_robot_stops_at_the_end(self, demonstration, beside, end):
        targets, velocities = beside.listen(PointStamped, "target"), beside.listen(Twist, "cmd_vel")
        with run_example("follow_person", "--ros-args", "-p", "distance:=0.3", domain=demonstration, end=end):
            beside.wait_for(targets)
            beside.wait_for(velocities, 3)
        assert 0.2 < targets[0].point.z < 5.0
        assert targets[0].header.frame_id == "camera_optical_frame"
        assert any(velocity.linear.x > 0 for velocity in velocities)
        beside.wait(lambda: velocities[-1] == Twist(), "it did not stop")
