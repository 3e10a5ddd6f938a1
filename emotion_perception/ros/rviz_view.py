# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The view that the launch files open in RViz: topics of each camera, and the frame that the cameras have."""

import copy
from collections.abc import Sequence
from pathlib import Path

import yaml

from emotion_perception.core.errors import ConfigurationError, one_line
from emotion_perception.ros.config import CameraNodeConfig
from emotion_perception.ros.parameters import read_sections, section_fits


def rviz_view(template: str, namespaces: Sequence[str], frame: str, *, image_topic: str = "") -> str:
    """Returns an RViz configuration with the displays of the template for each camera.

    Args:
        template: content of rviz/emotion_perception.rviz; the topics in it are relative.
        namespaces: of the cameras, such as "/robot/front"; "/" where there is no namespace.
        frame: fixed frame; the markers are in the frame of the images.
        image_topic: topic of the images, relative to the camera's namespace unless it starts with a slash; it is shown
            instead of the overlay. Empty shows the overlay.
    """
    view = yaml.safe_load(template)
    manager = view["Visualization Manager"]
    manager["Global Options"]["Fixed Frame"] = frame
    displays = manager["Displays"]
    manager["Displays"] = []
    for namespace in namespaces:
        for display in copy.deepcopy(displays):
            topic = display["Topic"]
            if image_topic and topic["Value"] == "image_overlay":
                topic["Value"] = image_topic
                topic["Reliability Policy"] = "Best Effort"  # a camera driver may offer no more
            topic["Value"] = absolute_topic(namespace, topic["Value"])
            if len(namespaces) > 1:
                display["Name"] += f" {namespace.rpartition('/')[2]}"
            manager["Displays"].append(display)
    return yaml.safe_dump(view, sort_keys=False)


def absolute_topic(namespace: str, topic: str) -> str:
    """Returns a topic with its namespace; one that starts with a slash has it already."""
    return topic if topic.startswith("/") else f"/{namespace.strip('/')}/{topic}".replace("//", "/")


def camera_frame(params_file: Path, namespace: str) -> str:
    """Returns the parameter `frame_id` that a parameter file sets for the camera node of a namespace, or its default.

    Args:
        params_file: in the format of rcl: nested names of nodes, with `*` for a name and `**` for any number of them.
        namespace: of the camera node, such as "/robot/front"; "/" where there is none.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    name = absolute_topic(namespace, "camera_node")
    frame = CameraNodeConfig().frame_id
    try:
        sections = read_sections(params_file)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as e:
        raise ConfigurationError(f"{params_file}: not a parameter file: {one_line(e)}") from e
    for pattern, parameters in sections:
        if section_fits(pattern, name) and "frame_id" in parameters:
            frame = str(parameters["frame_id"])
    return frame
