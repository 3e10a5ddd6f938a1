# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which processes the launch files start, with which parameters; no process is started here."""

import dataclasses
import functools
import importlib.machinery
import importlib.util
import os
import types
from pathlib import Path

import numpy as np
import pytest
import yaml
from bag_files import write_bag
from file_loading import load_file

from emotion_perception.bags.io.messages import NS
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.options import option_fields
from emotion_perception.ros.config import (
    TRANSPORTS,
    CameraNodeConfig,
    ClassifierNodeConfig,
    DetectionNodeConfig,
    OverlayNodeConfig,
    PlayerConfig,
    RecorderConfig,
)

pytest.importorskip("launch_ros", reason="launch files need launch_ros, which comes with a ROS from apt, not from PyPI")
from launch.actions import ExecuteProcess, TimerAction
from launch.utilities import perform_substitutions
from launch_ros.actions import Node

from launch import LaunchContext

FOLDER = Path(__file__).resolve().parents[1] / "launch"
LAUNCH_FILES = ["emotion_perception", "replay", "record"]
CONFIGS = {
    "camera_node": CameraNodeConfig,
    "face_detection_node": DetectionNodeConfig,
    "emotion_classifier_node": ClassifierNodeConfig,
    "overlay_node": OverlayNodeConfig,
}


def load(name):
    return load_file(FOLDER / f"{name}.launch.py")


def option_names(config):
    """Returns the names of a configuration's parameters."""
    return {field.name for field in option_fields(config)}


@dataclasses.dataclass(frozen=True)
class Process:
    """A process that a launch file starts.

    Attributes:
        name: the node's executable, or the first three words of another command.
        namespace: of the node.
        parameters: those that are set beside the parameter file.
        remappings: topic -> topic.
        words: of the command line.
    """

    name: str
    namespace: str
    parameters: dict
    remappings: dict
    words: list


@pytest.fixture
def launched(monkeypatch):
    """A function that returns the processes that a launch file starts: (namespace, name) -> process."""
    for name in load("emotion_perception").PROFILE_VARIABLES:
        monkeypatch.setenv(name, "profile.xml")  # the launch context writes to this process's own environment

    def run(launch_file, **arguments):
        context = LaunchContext()
        context.launch_configurations.update(arguments)
        found = run.started = []
        for process in _processes(load(launch_file).generate_launch_description(), context):
            found.append(process)
        assert len({(process.namespace, process.name) for process in found}) == len(found)
        return {(process.namespace, process.name): process for process in found}

    return run


def _processes(entity, context):
    if isinstance(entity, ExecuteProcess):
        if entity.condition is None or entity.condition.evaluate(context):
            yield _process(entity, context)
    elif isinstance(entity, TimerAction):
        if entity.condition is None or entity.condition.evaluate(context):
            yield from (process for action in entity.actions for process in _processes(action, context))
    else:
        yield from (process for part in entity.visit(context) or () for process in _processes(part, context))


def _process(action, context):
    if not isinstance(action, Node):
        words = [perform_substitutions(context, word) for word in action.cmd]
        return Process(" ".join(words[:3]), "", {}, {}, words)
    action._perform_substitutions(context)
    files = [Path(path) for path, _ in action._Node__expanded_parameter_arguments or []]
    # lists are written as Python's tuples
    parameters = [part for path in files[-1:] for part in yaml.load(path.read_text(), yaml.FullLoader).values()]
    words = [part.text for word in action.cmd for part in word if hasattr(part, "text")]
    return Process(
        action.node_executable,
        action.expanded_node_namespace.rstrip("/").replace(action.UNSPECIFIED_NODE_NAMESPACE, ""),
        parameters[0]["ros__parameters"] if parameters else {},
        dict(action.expanded_remapping_rules or []),
        words,
    )


@pytest.fixture
def nodes(launched):
    """A function that returns the processes of the main launch file, one for each node unless `composed` is given."""
    return lambda **arguments: launched("emotion_perception", **{"composed": "false", **arguments})


def given(process):
    """Returns the parameters that arguments have set."""
    return {name: value for name, value in process.parameters.items() if name != "use_sim_time"}


@pytest.mark.parametrize("name", LAUNCH_FILES)
def test_every_argument_is_described(name):
    arguments = load(name).generate_launch_description().get_launch_arguments()
    assert {argument.name for argument in arguments} >= {argument.name for argument in load(name).ARGUMENTS}
    assert all(argument.description for argument in arguments)


def test_what_an_argument_sets_is_a_parameter_of_that_node():
    for node, names in load("emotion_perception").PARAMETERS.items():
        assert set(names) <= option_names(CONFIGS[node])


def test_four_nodes_are_started(nodes):
    assert list(nodes()) == [("", name) for name in CONFIGS]
    assert list(nodes(namespace="robot")) == [("/robot", name) for name in CONFIGS]


@pytest.mark.parametrize(("switch", "node"), [("use_camera", "camera_node"), ("use_overlay", "overlay_node")])
def test_camera_and_overlay_can_be_left_out(nodes, switch, node):
    assert [name for _, name in nodes(**{switch: "false"})] == [name for name in CONFIGS if name != node]


@pytest.mark.parametrize(("compressed", "transport"), [("false", None), ("true", "compressed")])
def test_compressed_images_are_one_argument(nodes, compressed, transport):
    transports = {
        name: process.parameters.get("image_transport") for (_, name), process in nodes(compressed=compressed).items()
    }
    assert transports == {node: None if node == "camera_node" else transport for node in CONFIGS}
    assert transport is None or transport in TRANSPORTS


def test_an_argument_that_is_left_empty_keeps_the_parameter_files_value(nodes):
    assert [given(process) for process in nodes().values()] == [{}] * 4
    started = nodes(
        video_device="0",
        model="m",
        device="cpu",
        detector="haar",
        depth_topic="depth/image_rect",
        publish_hri="true",
        publish_tf="False",
    )
    assert {name: given(process) for (_, name), process in started.items()} == {
        "camera_node": {"video_device": "0"},
        "face_detection_node": {"detector": "haar", "depth_topic": "depth/image_rect"},
        "emotion_classifier_node": {"device": "cpu", "model": "m", "publish_hri": True, "publish_tf": False},
        "overlay_node": {},
    }


@pytest.mark.parametrize("composed", ["true", "false"])
def test_the_page_for_the_browser_is_one_more_process(nodes, composed):
    without, started = nodes(composed=composed), nodes(composed=composed, web="true", compressed="true")
    assert set(started) - set(without) == {("", "web_viewer_node")}
    assert given(started["", "web_viewer_node"]) == {"image_transport": "compressed"}
    several = nodes(composed=composed, web="true", cameras="front,rear", namespace="robot")
    assert given(several["/robot", "web_viewer_node"]) == {"image_topics": ("front/image_raw", "rear/image_raw")}


def enclave_of(process):
    words = process.words
    return words[words.index("--enclave") + 1] if "--enclave" in words else None


@pytest.mark.guarantee(
    "`enclave:=PATH` gives each process the enclave PATH/PROGRAM, with several cameras PATH/CAMERA/PROGRAM; without it "
    "none has one.",
    section="Security",
)
def test_each_process_gets_an_enclave_of_its_own(nodes, launched):
    assert {enclave_of(process) for process in nodes().values()} == {None}
    started = nodes(enclave="/ours", web="true")
    assert {enclave_of(process) for process in started.values()} == {f"/ours/{name}" for _, name in started}
    assert [enclave_of(process) for process in nodes(enclave="ours/", composed="true").values()] == [
        "/ours/emotion_perception_composed"
    ]
    several = {enclave_of(process) for process in nodes(enclave="/ours", cameras="front,rear").values()}
    of_cameras = {f"/ours/{camera}/{name}" for camera in ("front", "rear") for name in CONFIGS}
    assert several == {*of_cameras, "/ours/emotion_classifier_node"} - {
        f"/ours/{camera}/emotion_classifier_node" for camera in ("front", "rear")
    }
    recorder = launched("record", bag="out", recorder="bag_recorder", enclave="/ours")
    assert [enclave_of(process) for process in recorder.values()] == ["/ours/bag_recorder"]
    with pytest.raises(ConfigurationError, match="enclave: 'a b' is not a namespace"):
        nodes(enclave="a b")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("false", False)])
def test_the_clock_of_a_recording_is_a_switch(nodes, text, value):
    assert {process.parameters["use_sim_time"] for process in nodes(use_sim_time=text).values()} == {value}


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("detector", "hog"),
        ("composed", "maybe"),
        ("use_camera", "maybe"),
        ("use_overlay", ""),
        ("rviz", "maybe"),
        ("web", "maybe"),
        ("compressed", "maybe"),
        ("use_sim_time", "maybe"),
        ("publish_hri_cropped", "maybe"),
        ("respawn", "maybe"),
        ("log_level", "loud"),
    ],
)
def test_a_value_that_an_argument_cannot_have_ends_the_launch(nodes, argument, value):
    with pytest.raises(RuntimeError, match=f'Argument "{argument}" provided value "{value}" is not valid') as caught:
        nodes(**{argument: value})
    assert "\n" not in str(caught.value)


@pytest.mark.guarantee(
    "An argument of a launch file with a value that it cannot have ends the launch with one line before any process "
    "starts.",
    section="Launch files",
)
@pytest.mark.parametrize(
    ("launch_file", "argument", "value", "line"),
    [
        ("emotion_perception", "image_topic", "bad topic", "image_topic: 'bad topic' is not a topic name (.*)"),
        ("emotion_perception", "depth_topic", "1st", "depth_topic: '1st' is not a topic name (.*)"),
        ("emotion_perception", "namespace", "a b", "namespace: 'a b' is not a namespace (.*)"),
        ("emotion_perception", "enclave", "a b", "enclave: 'a b' is not a namespace (.*)"),
        ("emotion_perception", "device", "abacus", "device 'abacus' is none of auto, cpu, cuda, cuda:N"),
        ("emotion_perception", "params_file", "absent.yaml", "params_file: absent.yaml: no such file"),
        ("emotion_perception", "cameras", ",", "cameras: ',' names no camera"),
        ("emotion_perception", "cameras", " , ", "cameras: ' , ' names no camera"),
        ("record", "topics", " ", "topics: ' ' names no topic"),
        ("record", "topics", "image_raw 1st", "topics: '1st' is not a topic name (.*)"),
        ("record", "namespace", "a//b", "namespace: 'a//b' is not a namespace (.*)"),
        ("record", "bag", "", "bag: a path is empty"),
        ("record", "recorder", "ros2bag", "recorder: ros2bag is not installed; recorder:=auto takes .*"),
        ("replay", "bag", "http://x/y", "bag: http://x/y: a URL, but only files of this machine are read"),
        ("replay", "namespace", "a b", "namespace: 'a b' is not a namespace (.*)"),
        ("replay", "enclave", "a b", "enclave: 'a b' is not a namespace (.*)"),
        ("replay", "params_file", "absent.yaml", "params_file: absent.yaml: no such file"),
        ("replay", "player", "ros2bag", "player: ros2bag is not installed; player:=auto takes .*"),
        ("replay", "rate", "abc", "rate: 'abc' is not a number"),
        ("replay", "rate", "1,5", "rate: '1,5' is not a number"),
        ("replay", "rate", "", "rate: '' is not a number"),
        ("replay", "rate", "nan", "rate nan is below 0.01"),
        ("replay", "rate", "0", "rate 0.0 is below 0.01"),
    ],
)
def test_a_value_that_cannot_be_used_ends_the_launch_before_any_process(
    launched, bag, launch_file, argument, value, line
):
    if importlib.util.find_spec("ros2bag") and value == "ros2bag":
        pytest.skip("ros2bag is installed")
    with pytest.raises(ConfigurationError, match=f"^{line}$".replace("(", "[(]").replace(")", "[)]")):
        launched(launch_file, **{"bag": bag(), argument: value})
    assert launched.started == []


def test_a_parameter_file_that_rviz_cannot_take_its_frame_from_ends_the_launch_before_any_process(
    launched, view, tmp_path
):
    (tmp_path / "parameters.yaml").write_text("{")
    with pytest.raises(ConfigurationError, match="parameters.yaml"):
        view(params_file=str(tmp_path / "parameters.yaml"))
    assert launched.started == []


@pytest.mark.parametrize("name", LAUNCH_FILES)
def test_a_misspelled_argument_ends_the_launch(launched, monkeypatch, name):
    monkeypatch.setattr("sys.argv", ["ros2", "launch", "emotion_perception", f"{name}.launch.py"])
    monkeypatch.setattr(LaunchContext, "argv", property(lambda context: ["namespac:=robot"]))
    with pytest.raises(ConfigurationError, match="there is no argument namespac, did you mean namespace"):
        launched(name, bag="absent")


def test_the_nodes_share_one_process_by_default(launched):
    assert list(launched("emotion_perception")) == [("", "emotion_perception_composed")]


@pytest.mark.parametrize("cameras", ["", "front,rear"])
def test_a_parameter_file_that_is_not_there_ends_the_launch(nodes, tmp_path, cameras):
    with pytest.raises(ConfigurationError, match=f"^params_file: {tmp_path / 'absent.yaml'}: no such file$"):
        nodes(params_file=str(tmp_path / "absent.yaml"), cameras=cameras)


def test_several_cameras_share_one_classifier(nodes):
    started = nodes(cameras="front, rear", video_device="0,2", namespace="robot")
    parameters = {key: given(process) for key, process in started.items()}
    cameras = {"front": "0", "rear": "2"}
    assert parameters == {
        **{(f"/robot/{name}", "camera_node"): {"video_device": device} for name, device in cameras.items()},
        **{(f"/robot/{name}", "face_detection_node"): {} for name in cameras},
        **{(f"/robot/{name}", "overlay_node"): {} for name in cameras},
        ("/robot", "emotion_classifier_node"): {"image_topics": ("front/image_raw", "rear/image_raw")},
    }


def test_several_cameras_share_one_process(launched):
    sources = {"cameras": "front, /rear", "video_device": "0,rtsp://x/y?z=1", "image_topic": "images"}
    ((key, process),) = launched("emotion_perception", namespace="robot", use_overlay="false", **sources).items()
    assert key == ("/robot", "emotion_perception_composed")
    assert given(process) == {}
    words = process.words[: process.words.index("--ros-args")]
    cameras = ["--camera", "front=0", "--camera", "/rear=rtsp://x/y?z=1"]
    assert words == ["--no-overlay", *cameras, "--image-topic", "images"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"video_device": "0"}, "video_device: 1 sources for 2 cameras"),
        ({"image_topic": "/image"}, "needs a single camera"),
    ],
)
def test_what_several_cameras_cannot_have_ends_the_launch(nodes, arguments, complaint):
    with pytest.raises(RuntimeError, match=complaint):
        nodes(cameras="front,rear", **arguments)


@pytest.mark.parametrize("name", ["../c", "a b", "1st", "a//b", "a/", "a__b", "caméra"])
def test_a_camera_whose_name_is_no_namespace_ends_the_launch_before_any_node(nodes, name):
    with pytest.raises(ConfigurationError, match=f"cameras: '{name}' is not a namespace"):
        nodes(cameras=f"front,{name}", video_device="0,1")


@pytest.mark.parametrize("cameras", ["front,front", "front,/robot/front"])
def test_a_camera_that_is_named_twice_ends_the_launch(nodes, cameras):
    with pytest.raises(RuntimeError, match=f"cameras: {cameras} has a name twice"):
        nodes(cameras=cameras, namespace="robot")


@pytest.mark.parametrize("camera", ["true", "false"])
@pytest.mark.parametrize("overlay", ["true", "false"])
def test_composed_nodes_are_one_process_with_the_same_parameters(nodes, camera, overlay):
    started = nodes(composed="true", use_camera=camera, use_overlay=overlay, model="m", video_device="0")
    ((key, process),) = started.items()
    assert key == ("", "emotion_perception_composed")
    assert given(process) == {"model": "m", **({"video_device": "0"} if camera == "true" else {})}
    left_out = ("--no-camera" in process.words, "--no-overlay" in process.words)
    assert left_out == (camera == "false", overlay == "false")


@pytest.mark.parametrize(
    ("image_topic", "info_topic"),
    [("image_raw", "camera_info"), ("/front/image_raw", "/front/camera_info"), ("cam/image", "cam/camera_info")],
)
def test_the_calibration_is_beside_the_images(nodes, image_topic, info_topic):
    for process in nodes(image_topic=image_topic).values():
        assert process.remappings == {"image_raw": image_topic, "camera_info": info_topic}


@pytest.fixture
def bag(tmp_path):
    def make(**options):
        image = np.zeros((48, 64, 3), np.uint8)
        return str(write_bag(tmp_path / "bag", [image, image], [NS, 2 * NS], **options))

    return make


@pytest.fixture(params=[True, False], ids=["rosbag2", "no rosbag2"])
def has_rosbag2(request, monkeypatch):
    find_spec = importlib.util.find_spec
    there = importlib.machinery.ModuleSpec("ros2bag", None) if request.param else None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: there if name == "ros2bag" else find_spec(name))
    return request.param


def player_of(processes):
    """Returns the process that is not of the main launch file."""
    main = {*CONFIGS, "emotion_perception_composed"}
    (player,) = [process for process in processes.values() if process.name not in main]
    return player


@pytest.mark.parametrize(("compressed", "transport"), [(False, None), (True, "compressed")])
def test_a_replay_is_the_main_launch_file_without_camera_on_the_recordings_clock(launched, bag, compressed, transport):
    arguments = {"detector": "haar", "namespace": "front", "composed": "false"}
    processes = launched("replay", bag=bag(compressed=compressed), **arguments)
    player = player_of(processes)
    started = {key: process for key, process in processes.items() if process is not player}
    assert list(started) == [("/front", name) for name in CONFIGS if name != "camera_node"]
    assert all(process.parameters["use_sim_time"] for process in started.values())
    assert {process.parameters.get("image_transport") for process in started.values()} == {transport}
    assert given(started["/front", "face_detection_node"]).get("detector") == "haar"


def test_a_recording_is_played_by_ros2_bag_where_that_is_installed(launched, bag, has_rosbag2):
    path = bag(topic="/cam/image_raw")
    player = player_of(launched("replay", bag=path, namespace="front", rate="2", use_overlay="false"))
    if not has_rosbag2:
        assert (player.namespace, player.name) == ("/front", "bag_player")
        expected = {"bag": path, "topic": "", "rate": 2.0, "loop": False, "subscribers": 2}
        assert player.parameters == expected
        assert isinstance(player.parameters["rate"], float)  # an int would be refused
        assert expected.keys() <= option_names(PlayerConfig)
        return
    words = player.words
    assert words[:4] == ["ros2", "bag", "play", path]
    assert words[words.index("--rate") + 1] == "2"
    assert words[words.index("--topics") + 1 : words.index("--remap")] == ["/cam/image_raw", "/cam/camera_info"]
    assert words[words.index("--remap") + 1 :] == [
        "/cam/image_raw:=/front/image_raw",
        "/cam/camera_info:=/front/camera_info",
    ]


@pytest.mark.usefixtures("has_rosbag2")
@pytest.mark.parametrize("has_rosbag2", [True], indirect=True)
def test_compressed_images_keep_their_suffix(launched, bag):
    player = player_of(launched("replay", bag=bag(topic="/image_raw/compressed", compressed=True), player="ros2bag"))
    assert "/image_raw/compressed:=/image_raw/compressed" in player.words
    assert "--loop" not in player.words


def test_a_player_that_is_named_is_taken(launched, bag, has_rosbag2):
    path = bag()
    assert player_of(launched("replay", bag=path, player="bag_player")).name == "bag_player"
    if has_rosbag2:
        assert "--loop" in player_of(launched("replay", bag=path, player="ros2bag", loop="true")).words


def test_a_recording_whose_name_looks_like_an_option_is_played(launched, bag, tmp_path, monkeypatch):
    bag()
    (tmp_path / "bag").rename(tmp_path / "-bag")
    monkeypatch.chdir(tmp_path)
    assert player_of(launched("replay", bag="-bag", player="bag_player")).parameters["bag"] == "-bag"


@pytest.mark.guarantee(
    "A player that fails ends the replay with a line that has its exit code, and the launch with exit code 1.",
    section="Launch files",
)
def test_a_player_that_fails_ends_the_replay_with_an_error():
    at_end = load("replay")._at_end
    ended = functools.partial(types.SimpleNamespace, process_name="bag_player-1")
    running, over = (types.SimpleNamespace(is_shutdown=value) for value in (False, True))
    with pytest.raises(RuntimeError, match="^the player bag_player-1 ended with exit code 78$"):
        at_end(ended(returncode=78), running)
    (after,) = at_end(ended(returncode=0), running)
    assert [action.event.reason for action in after.actions] == ["the recording has ended"]
    assert at_end(ended(returncode=-2), over) == [], "after Ctrl-C"


def test_a_recording_that_is_not_there_is_named(launched, tmp_path):
    with pytest.raises(RuntimeError, match="^[^\n]*absent: no such file or folder$"):
        launched("replay", bag=str(tmp_path / "absent"))


@pytest.mark.usefixtures("has_rosbag2")
@pytest.mark.parametrize("has_rosbag2", [True], indirect=True)
def test_ros2_bag_gets_the_path_that_a_url_names(launched, bag, tmp_path):
    path = bag()
    assert player_of(launched("replay", bag=f"file://{path}", player="ros2bag")).words[3] == path
    recorder = player_of(launched("record", bag=f"file://{tmp_path}/made", recorder="ros2bag"))
    assert recorder.words[4] == f"{tmp_path}/made"


@pytest.mark.parametrize(("distro", "option"), [("humble", []), ("jazzy", ["--topics"])])
def test_ros2_bag_records_where_it_is_installed(launched, has_rosbag2, monkeypatch, distro, option):
    monkeypatch.setenv("ROS_DISTRO", distro)
    recorder = player_of(launched("record", bag="out", topics="image_raw /tf", namespace="front"))
    if not has_rosbag2:
        assert (recorder.namespace, recorder.name) == ("/front", "bag_recorder")
        assert given(recorder) == {"bag": "out", "storage": "mcap", "topics": ("image_raw", "/tf")}
        assert given(recorder).keys() <= option_names(RecorderConfig)
        return
    command = ["ros2", "bag", "record", "--output", "out", "--storage", "mcap", *option, "/front/image_raw", "/tf"]
    assert recorder.words == command


@pytest.fixture
def view(nodes, tmp_path, monkeypatch):
    """A function that returns what RViz is started with: its displays' topics, its fixed frame, its parameters."""
    prefix = tmp_path / "prefix"
    for path in ("share/ament_index/resource_index/packages/rviz2", "lib/rviz2/rviz2"):
        (prefix / path).parent.mkdir(parents=True)
        (prefix / path).touch(mode=0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{prefix}:{os.environ['AMENT_PREFIX_PATH']}")

    def start(**arguments):
        rviz = nodes(rviz="true", **arguments)["", "rviz2"]
        path = Path(rviz.words[rviz.words.index("-d") + 1])
        manager = yaml.safe_load(path.read_text(encoding="utf-8"))["Visualization Manager"]
        topics = [display["Topic"]["Value"] for display in manager["Displays"]]
        return topics, manager["Global Options"]["Fixed Frame"], rviz.parameters

    return start


@pytest.mark.guarantee(
    "`rviz:=true` shows the topics of each camera in its namespace, with the nodes' clock and the camera's frame.",
    section="Launch files",
)
def test_rviz_has_the_topics_the_clock_and_the_frame_of_the_cameras(view, tmp_path):
    frame = "camera_optical_frame"
    assert view() == (["/image_overlay", "/markers"], frame, {"use_sim_time": False})
    assert view(namespace="robot", use_sim_time="true") == (
        ["/robot/image_overlay", "/robot/markers"],
        frame,
        {"use_sim_time": True},
    )
    of_both = [f"/robot/{name}/{topic}" for name in ("front", "rear") for topic in ("image_overlay", "markers")]
    assert view(namespace="robot", cameras="front,rear")[0] == of_both
    assert view(use_overlay="false", image_topic="cam/image")[0] == ["/cam/image", "/markers"]
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text("/robot/front/camera_node: {ros__parameters: {frame_id: front_optical}}")
    assert view(namespace="robot", cameras="front,rear", params_file=str(parameters))[1] == "front_optical"
    assert view(rviz_frame="map")[1] == "map"


@pytest.mark.guarantee(
    "Without rviz2 `rviz:=true` is one warning, and the nodes start without it.", section="Launch files"
)
def test_without_rviz2_the_nodes_start_and_one_warning_says_so(nodes, monkeypatch):
    warnings = []
    monkeypatch.setattr("launch.logging.LaunchLogger.warning", lambda _, text, *more: warnings.append(text))
    assert list(nodes(rviz="true")) == [("", name) for name in CONFIGS]
    assert warnings == ["rviz:=true: rviz2 is not installed; the nodes start without it"]


def test_a_replay_shows_its_images_in_the_frame_of_the_recording(view, launched, bag):
    processes = launched("replay", bag=bag(frame_id="lens"), rviz="true", namespace="front")
    assert ("", "rviz2") in processes
    words = processes["", "rviz2"].words
    manager = yaml.safe_load(Path(words[words.index("-d") + 1]).read_text())["Visualization Manager"]
    assert manager["Global Options"]["Fixed Frame"] == "lens"


def test_a_recording_without_a_frame_is_replayed(launched, bag):
    assert player_of(launched("replay", bag=bag(frame_id=""))).parameters["topic"] == ""
