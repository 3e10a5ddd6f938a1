# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""emotion_perception_composed: runs camera, face detection, emotion classifier and overlay in one process.

The nodes have the same names, parameters and topics as in processes of their own, and run in a thread each. They pass
images, faces and emotions to each other by reference; other processes get them over ROS as usual. A parameter is given
to one node as `NODE:NAME:=VALUE`, e.g. `camera_node:video_device:=2`, and to all nodes that have it as `NAME:=VALUE`.

With `--camera front=0 --camera rear=2` the process has camera, detection and overlay nodes in the namespaces front and
rear, and one classifier for both; `camera_node:NAME:=VALUE` is then for both camera nodes.
"""

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.ros.command_line import NodeArgumentParser
from emotion_perception.ros.intra_process import IntraProcessTopics
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.node_names import NODES
from emotion_perception.ros.node_runner import run_nodes
from emotion_perception.ros.nodes.camera import CameraNode
from emotion_perception.ros.nodes.emotion_classifier import EmotionClassifierNode
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode
from emotion_perception.ros.nodes.overlay import OverlayNode
from emotion_perception.ros.parameters import parameter_names
from emotion_perception.ros.topic_names import check_namespace

NodeFactory = Callable[..., PerceptionNode[Any]]


def main() -> int:
    """Runs the nodes; returns the exit code."""
    parser = NodeArgumentParser("emotion_perception_composed", __doc__, NODES)
    parser.add_argument("--no-camera", dest="use_camera", action="store_false", help="do not run camera_node")
    parser.add_argument("--no-overlay", dest="use_overlay", action="store_false", help="do not run overlay_node")
    parser.add_argument(
        "--camera",
        action="append",
        default=[],
        type=_camera,
        metavar="NAMESPACE[=VIDEO_DEVICE]",
        help="one of several cameras: camera, face detection and overlay in this namespace; repeatable",
    )
    parser.add_argument(
        "--image-topic",
        default="image_raw",
        metavar="TOPIC",
        help="with --camera: topic of the images in each namespace, for the classifier (default: %(default)s)",
    )
    options = parser.parse_command_line()
    if len({namespace for namespace, _ in options.camera}) < len(options.camera):
        parser.error("--camera: a namespace is given twice")
    return run_nodes(_nodes(options))


def _camera(text: str) -> tuple[str, str]:
    """Reads NAMESPACE[=VIDEO_DEVICE]; the namespace is made absolute, in that of the process."""
    namespace, _, device = text.partition("=")
    if not namespace.strip("/") or text.startswith("/dev/"):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAMESPACE or NAMESPACE=VIDEO_DEVICE, e.g. front=/dev/video0")
    try:
        check_namespace(namespace, "--camera")
    except ConfigurationError as e:
        raise argparse.ArgumentTypeError(str(e).partition(": ")[2]) from e
    return (namespace if namespace.startswith("/") else f"{_namespace_of_process()}/{namespace}"), device


def _namespace_of_process() -> str:
    """Returns the namespace that the command line gives to all nodes, without a slash at its end."""
    rules = (word.partition(":=") for word in sys.argv)
    return next((f"/{namespace.strip('/')}" for name, _, namespace in rules if name == "__ns"), "/").rstrip("/")


def _parameters_of(name: str) -> list[str]:
    """Returns the parameters that the command line gives to a node by its name, as ROS arguments without the name.

    ROS itself applies them to a node of that name outside all namespaces only.
    """
    words = [word.removeprefix(f"{name}:") for word in sys.argv if word.startswith(f"{name}:")]
    return [argument for word in words for argument in ("-p", word)]


def _nodes(options: argparse.Namespace) -> list[NodeFactory]:
    """Returns the nodes: with `--camera` all but the classifier for each of them, in its namespace."""
    shared = {"intra_process": IntraProcessTopics(), "foreign_parameters": parameter_names(NODES)}

    def node(kind: NodeFactory, *arguments: str) -> NodeFactory:
        return partial(kind, **shared, cli_args=["--ros-args", *arguments])

    cameras, detectors, overlays = [], [], []
    for namespace, device in options.camera or [("", "")]:
        where = ("-r", f"__ns:={namespace}") if namespace else ()
        own = {name: _parameters_of(name) if namespace else [] for name in NODES}
        if options.use_camera:
            source = ("-p", f"video_device:={json.dumps(device)}") if device else ()
            cameras.append(node(CameraNode, *where, *own["camera_node"], *source))
        detectors.append(node(FaceDetectionNode, *where, *own["face_detection_node"]))
        if options.use_overlay:
            overlays.append(node(OverlayNode, *where, *own["overlay_node"]))
    topics = json.dumps([f"{namespace}/{options.image_topic}" for namespace, _ in options.camera])
    of_cameras = ("-p", f"image_topics:={topics}") if options.camera else ()
    return [*cameras, *detectors, node(EmotionClassifierNode, *of_cameras), *overlays]
