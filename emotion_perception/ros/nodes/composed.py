# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""emotion_perception_composed: camera, face detection, emotion classifier and overlay in one process.

The same nodes with the same names, parameters and topics, each in a thread of its own. Images, faces and emotions go
from one to the other by reference; everything else, and what other processes want of these, goes over ROS as ever.
"""

import argparse
from functools import partial

from rclpy.utilities import remove_ros_args

from emotion_perception.ros.node_runner import run_nodes
from emotion_perception.ros.nodes.camera import CameraNode
from emotion_perception.ros.nodes.emotion_classifier import EmotionClassifierNode
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode
from emotion_perception.ros.nodes.overlay import OverlayNode
from emotion_perception.ros.transport.intra_process import IntraProcessTopics


def main() -> int:
    """Runs the nodes; returns the exit code."""
    options = _parser().parse_args(remove_ros_args()[1:])
    nodes = [FaceDetectionNode, EmotionClassifierNode]
    if options.camera:
        nodes.insert(0, CameraNode)
    if options.overlay:
        nodes.append(OverlayNode)
    shared = IntraProcessTopics()
    return run_nodes([partial(node, intra_process=shared) for node in nodes])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="emotion_perception_composed", description=__doc__.splitlines()[0])
    parser.add_argument("--no-camera", dest="camera", action="store_false", help="leaves camera_node out")
    parser.add_argument("--no-overlay", dest="overlay", action="store_false", help="leaves overlay_node out")
    return parser
