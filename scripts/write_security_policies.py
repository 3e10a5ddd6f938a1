#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes SROS 2 policies of the programs from the ROS graph that they make: config/security/policies/*.policy.xml.

    python scripts/write_security_policies.py                  writes those of config/
    python scripts/write_security_policies.py --check          exit code 1 if those of config/ are others
    python scripts/write_security_policies.py --out FOLDER --namespace /robot1 --ros-args --params-file mine.yaml
                                                               writes those of your own configuration

Starts the real programs in a domain of its own, with raw images, with compressed ones and on the time of `/clock`, and
asks the graph what each node publishes, subscribes to, serves and calls. Nothing else is allowed but `ALSO`: what a
node does only while somebody uses its page, or only where a package is installed. Each program has an enclave of its
own, `/emotion_perception/PROGRAM`.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.ros.demo.domain import own_domain
from emotion_perception.ros.node_names import NODES
from emotion_perception.ros.transport.bag_writer import BagWriter
from emotion_perception.ros.transport.message_types import message_class

ROOT = Path(__file__).resolve().parents[1]
POLICIES = ROOT / "config" / "security" / "policies"
ENCLAVE = "/emotion_perception"
VERSION = "0.2.0"  # of the format of policies

Allowed = dict[tuple[str, str], set[str]]
"""What a node may do: (element, attribute) of the policy -> names, relative where they are in the node's namespace."""

Policies = dict[str, dict[str, Allowed]]
"""Program -> node -> what it may do."""

QUERIES = {  # (element, attribute) -> method of rclpy's node that tells it of another node
    ("topics", "publish"): "get_publisher_names_and_types_by_node",
    ("topics", "subscribe"): "get_subscriber_names_and_types_by_node",
    ("services", "reply"): "get_service_names_and_types_by_node",
    ("services", "request"): "get_client_names_and_types_by_node",
}
_BEHIND_CAMERA = NODES[1:]
ALSO: Mapping[str, Allowed] = {
    "overlay_node": {("topics", "publish"): {"image_annotations"}},  # where foxglove_msgs is installed
    "web_viewer_node": {
        ("topics", "subscribe"): {
            f"{name}{end}" for name in ("image_overlay", "image_raw") for end in ("", "/compressed")
        },
        ("services", "request"): {
            "emotion_classifier_node/calibrate_neutral",
            *(f"{node}/{service}" for node in _BEHIND_CAMERA for service in ("get_parameters", "set_parameters")),
        },
    },
}
_START_S, _END_S, _STEP_S, _STABLE_S = 60.0, 10.0, 0.2, 5.0
_ANYTHING = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


class PolicyError(EmotionPerceptionError):
    """The programs do not make their graph."""


@dataclass(frozen=True)
class Run:
    """A program that is started for its part of the graph.

    Attributes:
        program: its name.
        nodes: the names of its nodes.
        options: its arguments outside `--ros-args`.
        parameters: those that it is given.
    """

    program: str
    nodes: tuple[str, ...]
    options: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


def _alone(program: str, *parameters: str) -> Run:
    return Run(program, (program,), parameters=parameters)


_COMPOSED = "emotion_perception_composed"
_CAMERA = _alone("camera_node", 'video_device:="synthetic"')
_OTHERWISE = ("image_transport:=compressed", "use_sim_time:=true")
GRAPHS: Mapping[str, Sequence[Run]] = {  # namespace -> what runs in it; BAG is a recording of its kind of images
    "raw": (
        _CAMERA,
        *(_alone(node) for node in _BEHIND_CAMERA),
        _alone("web_viewer_node", "port:=0"),
        _alone("bag_recorder", "bag:=BAG_recorded"),
        _alone("bag_player", "bag:=BAG", "loop:=true"),
        Run("health_check", ("health_check",), ("/no_such_node", "--timeout", "300")),
    ),
    "compressed": (
        _CAMERA,
        *(_alone(node, *_OTHERWISE) for node in _BEHIND_CAMERA),
        _alone("web_viewer_node", "port:=0", *_OTHERWISE),
        _alone(
            "bag_recorder", "bag:=BAG_recorded", "topics:=[image_raw/compressed, camera_info]", "use_sim_time:=true"
        ),
        _alone("bag_player", "bag:=BAG", "loop:=true"),
    ),
    "composed": (Run(_COMPOSED, NODES, parameters=_CAMERA.parameters),),
    "composed_behind_camera": (_CAMERA, Run(_COMPOSED, _BEHIND_CAMERA, ("--no-camera",))),
    "composed_compressed": (_CAMERA, Run(_COMPOSED, _BEHIND_CAMERA, ("--no-camera",), _OTHERWISE)),
}


class Programs:
    """The programs of `GRAPHS`, running, and a node that asks the graph about theirs.

    Args:
        folder: for their recordings and logs.
        domain: ROS domain.
        probe: a node in that domain.
        arguments: further ROS arguments of all programs.
    """

    def __init__(self, folder: Path, domain: int, probe: Node, arguments: Sequence[str]) -> None:
        self._folder, self._probe, self._arguments = folder, probe, arguments
        self._environment = {**os.environ, "ROS_DOMAIN_ID": str(domain), "ROS_HOME": str(folder)}
        self._subscribed: set[str] = set()
        self._processes: dict[Path, subprocess.Popen[bytes]] = {}  # by log

    def start(self) -> None:
        """Starts all programs."""
        for namespace, runs in GRAPHS.items():
            bag = self._folder / namespace
            for run in runs:
                log = self._folder / f"{namespace}_{run.program}.log"
                values = [word for text in run.parameters for word in ("-p", text.replace("BAG", str(bag)))]
                ros = ["--ros-args", "-r", f"__ns:=/{namespace}", *values, *self._arguments]
                command = [sys.executable, ROOT / "scripts" / run.program, *run.options, *ros]
                with log.open("wb") as output:
                    self._processes[log] = subprocess.Popen(
                        command, env=self._environment, stdout=output, stderr=subprocess.STDOUT, cwd=self._folder
                    )

    def read(self, expected: Policies | None = None) -> Policies:
        """Returns the policies, once the graph has shown the same for some seconds.

        Args:
            expected: returned at once when the graph shows just this.

        Raises:
            PolicyError: a program has ended, or the graph is not complete in time.
        """
        deadline_s, changed_s, before = time.monotonic() + _START_S, time.monotonic(), None
        while time.monotonic() < deadline_s:
            for log, process in self._processes.items():
                if process.poll() is not None:
                    raise PolicyError(f"{log.stem} has ended: {log.read_text(errors='replace').strip()}")
            self._subscribe_to_all()
            found = self._look()
            if found is None or found != before:
                before, changed_s = found, time.monotonic()
            if found is not None and (found == expected or time.monotonic() - changed_s > _STABLE_S):
                return found
            time.sleep(_STEP_S)
        raise PolicyError(f"not all nodes are there, or their topics still change, after {_START_S:.0f} s")

    def stop(self) -> None:
        """Ends all programs."""
        for process in self._processes.values():
            process.send_signal(signal.SIGINT)
        for process in self._processes.values():
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _subscribe_to_all(self) -> None:
        """Subscribes to every topic of the programs, because some are made only for subscribers."""
        for topic, kinds in self._probe.get_topic_names_and_types():
            kind = message_class(kinds[0])
            if topic not in self._subscribed and kind and topic.split("/")[1] in GRAPHS:
                self._subscribed.add(topic)
                self._probe.create_subscription(kind, topic, lambda _: None, _ANYTHING, raw=True)

    def _look(self) -> Policies | None:
        """Returns what the graph shows now, None while a node is missing."""
        found: Policies = {}
        there = set(self._probe.get_node_names_and_namespaces())
        for namespace, runs in GRAPHS.items():
            for run in runs:
                for node in run.nodes:
                    if (node, f"/{namespace}") not in there:
                        return None
                    allowed = found.setdefault(run.program, {}).setdefault(node, {})
                    for key, query in QUERIES.items():
                        names = [name for name, _ in getattr(self._probe, query)(node, f"/{namespace}")]
                        relative = {name.removeprefix(f"/{namespace}/") for name in names}
                        allowed[key] = allowed.get(key, set()) | relative | ALSO.get(node, {}).get(key, set())
        return found


@contextmanager
def running_programs(arguments: Sequence[str] = ()) -> Iterator[Programs]:
    """Runs the programs in a domain of their own; they end with the context.

    Args:
        arguments: further ROS arguments of all programs, e.g. `--params-file` and a path.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        domain = stack.enter_context(own_domain())
        _record(folder / "raw", "/image_raw", Image())
        _record(folder / "compressed", "/image_raw/compressed", CompressedImage())
        context = rclpy.Context()
        rclpy.init(context=context, domain_id=domain)
        stack.callback(context.try_shutdown)
        probe = rclpy.create_node("policy_probe", context=context)
        stack.callback(probe.destroy_node)
        programs = Programs(folder, domain, probe, arguments)
        stack.callback(programs.stop)
        programs.start()
        yield programs


def _record(bag: Path, topic: str, image: Image | CompressedImage) -> None:
    """Makes a recording with one image and its calibration."""
    writer = BagWriter(bag, "mcap", 1 << 20)
    for name, message in ((topic, image), ("/camera_info", CameraInfo())):
        writer.announce(name, f"sensor_msgs/msg/{type(message).__name__}", [])
        writer.write(name, 0, serialize_message(message))
    writer.close(_END_S)


def policy_text(program: str, nodes: Mapping[str, Allowed], namespace: str = "/") -> str:
    """Returns the policy file of a program, in SROS 2's format.

    Args:
        program: its name, and that of its enclave in `ENCLAVE`.
        nodes: node -> what it may do.
        namespace: of the nodes.
    """
    policy = ElementTree.Element("policy", version=VERSION)
    enclave = ElementTree.SubElement(ElementTree.SubElement(policy, "enclaves"), "enclave", path=f"{ENCLAVE}/{program}")
    profiles = ElementTree.SubElement(enclave, "profiles")
    for node, allowed in sorted(nodes.items()):
        profile = ElementTree.SubElement(profiles, "profile", ns=namespace, node=node)
        for (kind, action), names in allowed.items():
            if names:
                group = ElementTree.SubElement(profile, kind, {action: "ALLOW"})
                own = {f"~/{name[len(node) + 1 :]}" if name.startswith(f"{node}/") else name for name in names}
                for name in sorted(own):
                    ElementTree.SubElement(group, kind.removesuffix("s")).text = name
    ElementTree.indent(policy)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!-- Written by scripts/write_security_policies.py. -->\n'
    return f"{head}{ElementTree.tostring(policy, encoding='unicode')}\n"


def read_policies(folder: Path) -> Policies:
    """Returns the policies of a folder of `*.policy.xml`."""
    found: Policies = {}
    for path in sorted(folder.glob("*.policy.xml")):
        nodes = found.setdefault(path.name.removesuffix(".policy.xml"), {})
        for profile in ElementTree.parse(path).iter("profile"):
            node = profile.attrib["node"]
            allowed = nodes.setdefault(node, {key: set() for key in QUERIES})
            for group in profile:
                ((action, _),) = group.attrib.items()
                allowed[group.tag, action] |= {(name.text or "").replace("~", node) for name in group}
    return found


def main() -> int:
    """Writes or compares the policies; returns the exit code."""
    words = sys.argv[1:]
    at = words.index("--ros-args") if "--ros-args" in words else len(words)
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="exit with 1 if those of config/ differ from the graph")
    parser.add_argument("--out", type=Path, default=POLICIES, help="folder to write (default: %(default)s)")
    parser.add_argument("--namespace", default="/", help="of the nodes (default: %(default)s)")
    options, ros = parser.parse_args(words[:at]), words[at + 1 :]
    if any(word.startswith("__ns:=") for word in ros):
        parser.error("give the namespace as --namespace")
    committed = read_policies(POLICIES) if options.check else None
    try:
        with running_programs(ros) as programs:
            policies = programs.read(committed)
    except EmotionPerceptionError as e:
        print(f"{parser.prog}: {e}", file=sys.stderr)
        return 1
    if options.check:
        differing = sorted(name for name in {*policies, *committed} if policies.get(name) != committed.get(name))
        for name in differing:
            print(f"{name}.policy.xml differs from the graph: run scripts/{parser.prog}", file=sys.stderr)
        return 1 if differing else 0
    options.out.mkdir(parents=True, exist_ok=True)
    for program, nodes in policies.items():
        text = policy_text(program, nodes, options.namespace)
        (options.out / f"{program}.policy.xml").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
