# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Resolves what layouts of viewers show, such as `/emotions.faces[0].label`, in the definitions of the messages."""

import ast
import json
import re
from xml.etree import ElementTree

from rosbags.interfaces import Nodetype

_FOXGLOVE_PART = re.compile(
    r"\.(?P<name>\w+)|\[(?P<index>\d+|:)\]|\{(?P<filter>[\w.]+)==(?P<value>\$\w+|\d+|'[^']*')\}"
)
_SLASH_PART = re.compile(r"/(?P<name>\w+)|\[(?P<index>\d+)\]")
# Of nodes without a namespace; test/ros/test_layout_topics.py compares them with what running nodes publish.
TOPICS = {
    "/image_raw": "sensor_msgs/msg/Image",
    "/image_overlay": "sensor_msgs/msg/Image",
    "/image_overlay/compressed": "sensor_msgs/msg/CompressedImage",
    "/image_annotations": "foxglove_msgs/msg/ImageAnnotations",
    "/emotions": "emotion_perception/msg/EmotionArray",
    "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
}
NUMBERS = {"bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64"}


def foxglove_paths(text):
    """Returns the topics, and the kinds of panels with the paths and labels of their series, of a Foxglove layout."""
    panels = json.loads(text)["configById"]
    topics, paths = set(), []
    for name, config in panels.items():
        kind = name.partition("!")[0]
        if kind == "Image":
            topics |= {config["imageMode"]["imageTopic"], *config["imageMode"].get("annotations", {})}
        elif kind == "DiagnosticSummary":
            topics.add(config["topicToRender"])
        paths += [(kind, series["value"], series["label"]) for series in config.get("paths", ())]
    return topics, paths


def plotjuggler_paths(text):
    """Returns the subscribed topics and the names of the curves of a PlotJuggler layout."""
    root = ElementTree.fromstring(text)
    return {topic.get("name") for topic in root.iter("topic")}, [curve.get("name") for curve in root.iter("curve")]


def rqt_settings(text):
    """Returns the running plugins and the settings of each of their instances, of an exported perspective."""

    def values(group):
        assert {entry["type"] for entry in group["keys"].values()} <= {"repr"}
        return {name: ast.literal_eval(entry["repr"]) for name, entry in group["keys"].items()}

    manager = json.loads(text)["groups"]["pluginmanager"]
    return values(manager)["running-plugins"], {
        name: values(group["groups"]["plugin"]) for name, group in manager["groups"].items()
    }


def resolve(store, topics, path):
    """Returns the basic type that a path ends in, e.g. `string`; fails if it leads nowhere.

    Args:
        store: rosbags' types.
        topics: type of each topic.
        path: with dots as in Foxglove, or with slashes as in PlotJuggler and rqt_plot.
    """
    topic = next((name for name in sorted(topics, key=len, reverse=True) if re.match(rf"{name}[./]", path)), None)
    assert topic is not None, f"{path}: no such topic"
    pattern = _FOXGLOVE_PART if path[len(topic)] == "." else _SLASH_PART
    node, position = (Nodetype.NAME, topics[topic]), len(topic)
    while position < len(path):
        part = pattern.match(path, position)
        assert part is not None, f"{path}: not understood from {path[position:]}"
        position = part.end()
        found = part.groupdict()
        if found["name"]:
            node = _field(store, node, found["name"], path)
        elif found["index"]:
            assert node[0] in (Nodetype.ARRAY, Nodetype.SEQUENCE), f"{path}: an index, but no array"
            element, length = node[1]
            assert node[0] == Nodetype.SEQUENCE or int(found["index"]) < length, f"{path}: beyond the array"
            node = element
        else:
            compared = node
            for name in found["filter"].split("."):
                compared = _field(store, compared, name, path)
            assert compared[0] == Nodetype.BASE, f"{path}: compares {compared}"
    assert node[0] == Nodetype.BASE, f"{path} ends in {node}"
    return node[1][0]


def _field(store, node, name, path):
    assert node[0] == Nodetype.NAME, f"{path}: {name} of {node}"
    fields = dict(store.fielddefs[node[1]][1])
    assert name in fields, f"{path}: {node[1]} has no field {name}"
    return fields[name]
