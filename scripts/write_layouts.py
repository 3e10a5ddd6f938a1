#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes the layouts of Foxglove, PlotJuggler and rqt into config/; ``--check`` only compares.

Labels and their order are those of the default model, the colors those of the overlay.

python scripts/write_layouts.py                                    writes those of config/
python scripts/write_layouts.py --namespace /front --out FOLDER    writes them for nodes in a namespace
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from emotion_perception.core.classification.labels import (  # noqa: E402 - works in a checkout that is not installed
    LABELS,
)
from emotion_perception.core.rendering import EMOTION_COLORS  # noqa: E402
from emotion_perception.ros.rviz_view import absolute_topic  # noqa: E402

FOXGLOVE, PLOTJUGGLER, RQT = "foxglove_layout.json", "plotjuggler_layout.xml", "rqt.perspective"
_CURVE_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")  # of curves that belong to no label
_TIMES = ("age_ms", "detect_ms", "classify_ms")
_COUNTS = ("frames_received", "frames_processed", "frames_dropped", "frames_failed")
_FACES_SHOWN = 3  # rows of labels


def foxglove(namespace: str) -> str:
    """Returns the layout of Foxglove for nodes in a namespace."""
    emotions = absolute_topic(namespace, "emotions")
    face = f"{emotions}.faces[0]"
    probabilities = [
        _series(f"{face}.smoothed_probabilities[{index}]", label, EMOTION_COLORS[label])
        for index, label in enumerate(LABELS)
    ]
    times = [_series(f"{emotions}.{name}", name, color) for name, color in zip(_TIMES, _CURVE_COLORS, strict=False)]
    states = {
        "type": "discrete",
        "states": [{"value": label, "label": label, "color": EMOTION_COLORS[label]} for label in LABELS],
    }
    rows = [(f"{emotions}.faces[{index}].label", f"face {index}") for index in range(_FACES_SHOWN)]
    rows.append((f"{emotions}.faces[:]{{face.track_id==$track}}.label", "track $track"))
    panels: dict[str, dict[str, Any]] = {
        "Image!camera": {
            "foxglovePanelTitle": "Camera with annotations",
            "imageMode": {
                "imageTopic": absolute_topic(namespace, "image_raw"),
                "annotations": {absolute_topic(namespace, "image_annotations"): {"visible": True}},
                "synchronize": True,
            },
        },
        "Image!overlay": {
            "foxglovePanelTitle": "Overlay",
            "imageMode": {"imageTopic": absolute_topic(namespace, "image_overlay/compressed")},
        },
        "StateTransitions!labels": {
            "foxglovePanelTitle": "Labels",
            "isSynced": True,
            "paths": [
                {"value": value, "label": name, "timestampMethod": "headerStamp", "customStates": states}
                for value, name in rows
            ],
        },
        "Plot!probabilities": _plot("Smoothed probabilities of the first face", probabilities, (0, 1)),
        "Plot!times": _plot("Milliseconds", times, (0, None)),
        "DiagnosticSummary!nodes": {
            "topicToRender": "/diagnostics",
            "minLevel": 0,
            "pinnedIds": [],
            "hardwareIdFilter": "",
            "sortByLevel": True,
        },
        "Tab!images": {
            "activeTabIdx": 0,
            "tabs": [
                {"title": "Camera with annotations", "layout": "Image!camera"},
                {"title": "Overlay", "layout": "Image!overlay"},
            ],
        },
    }
    layout = {
        "configById": panels,
        "globalVariables": {"track": 1},
        "userNodes": {},
        "playbackConfig": {"speed": 1},
        "layout": _split(
            "row",
            _split("column", "Tab!images", "DiagnosticSummary!nodes", 70),
            _split(
                "column",
                "StateTransitions!labels",
                _split("column", "Plot!probabilities", "Plot!times", 62),
                34,
            ),
            50,
        ),
    }
    return json.dumps(layout, indent=2) + "\n"


def _series(path: str, name: str, color: str) -> dict[str, Any]:
    return {"value": path, "label": name, "color": color, "enabled": True, "timestampMethod": "headerStamp"}


def _plot(title: str, series: Sequence[Mapping[str, Any]], limits: tuple[float, float | None]) -> dict[str, Any]:
    low, high = limits
    return {
        "foxglovePanelTitle": title,
        "paths": list(series),
        "minYValue": low,
        **({} if high is None else {"maxYValue": high}),
        "showLegend": True,
        "legendDisplay": "left",
        "sidebarDimension": 150,
        "showPlotValuesInLegend": True,
        "showXAxisLabels": True,
        "showYAxisLabels": True,
        "isSynced": True,
        "xAxisVal": "timestamp",
    }


def _split(direction: str, first: Any, second: Any, percent: int) -> dict[str, Any]:
    return {"direction": direction, "first": first, "second": second, "splitPercentage": percent}


def plotjuggler(namespace: str) -> str:
    """Returns the layout of PlotJuggler 3 for nodes in a namespace."""
    emotions = absolute_topic(namespace, "emotions")
    face = f"{emotions}/faces[0]"
    plots = [
        (
            "smoothed probabilities of the first face: " + ", ".join(f"{k} {label}" for k, label in enumerate(LABELS)),
            [(f"{face}/smoothed_probabilities[{k}]", EMOTION_COLORS[label]) for k, label in enumerate(LABELS)],
            (0.0, 1.0),
        ),
        (
            "score of the first face, and whether it is uncertain",
            [(f"{face}/{name}", color) for name, color in zip(("score", "uncertain"), _CURVE_COLORS, strict=False)],
            (0.0, 1.0),
        ),
        (
            "milliseconds",
            [(f"{emotions}/{name}", color) for name, color in zip(_TIMES, _CURVE_COLORS, strict=False)],
            (0.0, None),
        ),
        (
            "frames of the detection node",
            [(f"{emotions}/{name}", color) for name, color in zip(_COUNTS, _CURVE_COLORS, strict=False)],
            None,
        ),
    ]
    root = ElementTree.Element("root")
    tabs = ElementTree.SubElement(root, "tabbed_widget", name="Main Window", parent="main_window")
    tab = ElementTree.SubElement(tabs, "Tab", containers="1", tab_name="emotions")
    container = ElementTree.SubElement(tab, "Container")
    sizes = {"count": str(len(plots)), "sizes": "0.4;0.2;0.2;0.2"}
    splitter = ElementTree.SubElement(container, "DockSplitter", orientation="-", **sizes)
    for title, curves, limits in plots:
        _plotjuggler_plot(ElementTree.SubElement(splitter, "DockArea", name=title), curves, limits)
    ElementTree.SubElement(tabs, "currentTabIndex", index="0")
    ElementTree.SubElement(root, "use_relative_time_offset", enabled="1")
    ElementTree.SubElement(root, "streaming_buffer_size", value="60")
    plugins = ElementTree.SubElement(root, "Plugins")
    subscriber = ElementTree.SubElement(plugins, "plugin", ID="ROS2 Topic Subscriber")
    settings = {"use_header_stamp": "true", "discard_large_arrays": "false", "max_array_size": "100"}
    for name, value in settings.items():
        ElementTree.SubElement(subscriber, name, value=value)
    ElementTree.SubElement(ElementTree.SubElement(subscriber, "selected_topics"), "topic", name=emotions)
    ElementTree.SubElement(root, "previouslyLoaded_Streamer", name="ROS2 Topic Subscriber")
    ElementTree.indent(root)
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{ElementTree.tostring(root, encoding='unicode')}\n"


def _plotjuggler_plot(
    area: ElementTree.Element, curves: Sequence[tuple[str, str]], limits: tuple[float, float | None] | None
) -> None:
    plot = ElementTree.SubElement(
        area, "plot", mode="TimeSeries", style="Lines", line_width="1.5", flip_x="false", flip_y="false"
    )
    low, high = limits or (None, None)
    given = {name: f"{value:g}" for name, value in (("min", low), ("max", high)) if value is not None}
    ElementTree.SubElement(plot, "limitY", given)
    for name, color in curves:
        ElementTree.SubElement(plot, "curve", name=name, color=color.lower())


def rqt(namespace: str) -> str:
    """Returns the perspective of rqt for nodes in a namespace."""
    emotions = absolute_topic(namespace, "emotions")
    probabilities = [f"{emotions}/faces[0]/smoothed_probabilities[{k}]" for k in range(len(LABELS))]
    plugins: dict[str, list[dict[str, Any]]] = {
        "rqt_image_view/ImageView": [{"topic": absolute_topic(namespace, "image_overlay")}],
        "rqt_plot/Plot": [
            _rqt_plot(probabilities, [0.0, 1.0]),
            _rqt_plot([f"{emotions}/{name}" for name in _TIMES], [0.0, 100.0]),
        ],
        "rqt_runtime_monitor/RuntimeMonitor": [{}],  # of /diagnostics
    }
    settings = {
        f"plugin__{plugin.replace('/', '__')}__{number}": _group(groups={"plugin": _group(values)})
        for plugin, instances in plugins.items()
        for number, values in enumerate(instances, start=1)
    }
    running = {plugin: list(range(1, 1 + len(instances))) for plugin, instances in plugins.items()}
    manager = _group({"running-plugins": running}, settings)
    return json.dumps(_group(groups={"pluginmanager": manager}), indent=2) + "\n"


def _rqt_plot(topics: Sequence[str], limits: Sequence[float]) -> dict[str, Any]:
    return {"autoscroll": True, "plot_type": 0, "topics": topics, "x_limits": [0.0, 20.0], "y_limits": limits}


def _group(values: Mapping[str, Any] | None = None, groups: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns a group of settings as qt_gui exports it: every value is the text of a Python literal."""
    keys = {name: {"repr": repr(value), "type": "repr"} for name, value in (values or {}).items()}
    return {"keys": keys, "groups": dict(groups or {})}


LAYOUTS = {FOXGLOVE: foxglove, PLOTJUGGLER: plotjuggler, RQT: rqt}


def main() -> int:
    """Writes or compares the files; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--namespace", default="/", help="namespace of the camera's nodes (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "config", help="folder (default: config/)")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a file differs from what is generated")
    arguments = parser.parse_args()
    outdated = []
    for name, make in LAYOUTS.items():
        path, text = arguments.out / name, make(arguments.namespace)
        if not arguments.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            outdated.append(name)
    if outdated:
        print(f"{', '.join(outdated)}: not up to date, run scripts/{parser.prog}", file=sys.stderr)
    return int(bool(outdated))


if __name__ == "__main__":
    sys.exit(main())
