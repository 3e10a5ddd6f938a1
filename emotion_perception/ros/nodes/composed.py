# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""emotion_perception_composed: runs camera, face detection, emotion classifier and overlay in one process.

The nodes have the same names, parameters and topics as in processes of their own, and run in a thread each. They pass
images, faces and emotions to each other by reference; other processes get them over ROS as usual. A parameter is given
to one node as `NODE:NAME:=VALUE`, e.g. `camera_node:video_device:=2`, and to all nodes that have it as `NAME:=VALUE`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from emotion_perception.ros.command_line import NodeArgumentParser
from emotion_perception.ros.intra_process import IntraProcessTopics
from emotion_perception.ros.lifecycle_node import PerceptionNode
from emotion_perception.ros.node_runner import run_nodes
from emotion_perception.ros.nodes.camera import CameraNode
from emotion_perception.ros.nodes.emotion_classifier import EmotionClassifierNode
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode
from emotion_perception.ros.nodes.overlay import OverlayNode
from emotion_perception.ros.parameters import parameter_names

NODES = ("camera_node", "face_detection_node", "emotion_classifier_node", "overlay_node")


def main() -> int:
    """Runs the nodes; returns the exit code."""
    parser = NodeArgumentParser("emotion_perception_composed", __doc__, NODES)
    parser.add_argument("--no-camera", dest="camera", action="store_false", help="do not run camera_node")
    parser.add_argument("--no-overlay", dest="overlay", action="store_false", help="do not run overlay_node")
    options = parser.parse_command_line()
    nodes: list[Callable[..., PerceptionNode[Any]]] = [FaceDetectionNode, EmotionClassifierNode]
    if options.camera:
        nodes.insert(0, CameraNode)
    if options.overlay:
        nodes.append(OverlayNode)
    shared, foreign = IntraProcessTopics(), parameter_names(NODES)
    return run_nodes([partial(node, intra_process=shared, foreign_parameters=foreign) for node in nodes])
