"""How the time of a frame grows with faces and the size of the picture (without ROS), and with cameras (the nodes)."""

from functools import partial
from typing import Any

import numpy as np

from emotion_perception.benchmark import nodes
from emotion_perception.benchmark.scene import FACES, VGA
from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table
from emotion_perception.benchmark.timing import in_turns
from emotion_perception.core.config import ClassifierConfig, DetectionConfig
from emotion_perception.core.pipeline import Pipeline

_CAMERAS = ((1, 0), (2, 0), (3, 0), (4, 0), (4, 20))  # how many, max_wait_ms
_CAMERA_HZ = 10
_CLASSIFIER = "emotion_classifier_node"
_SIZES = ((320, 240), (640, 480), (1280, 720), (1920, 1080))
_DETAIL = 640  # working size of the detector where there are many small faces


def run(setup: Setup) -> list[Table]:
    """Measures."""
    return [_faces(setup), _sizes(setup), _cameras(setup)]


def _pipeline(detection_size: int) -> Pipeline:
    return Pipeline(DetectionConfig(detection_size=detection_size), ClassifierConfig(device="cpu"))


def _faces(setup: Setup) -> Table:
    pipeline = _pipeline(_DETAIL)
    rows: list[list[Any]] = []
    for wanted in FACES:
        picture = setup.scene.picture(0, VGA, wanted)
        faces = pipeline.find(picture, 0.0)
        times = in_turns(
            {
                "find": partial(pipeline.find, picture, 0.0),
                "recognize": partial(pipeline.recognize, picture, faces, 0.0),
            },
            rounds=setup.rounds,
            what=f"{wanted} faces",
        )
        rows.append([wanted, len(faces), times["find"]["p50"], times["recognize"]["p50"]])
    slope = np.polyfit([row[1] for row in rows], [row[3] for row in rows], 1)[0]
    note = (
        f"640x480, detector at {_DETAIL} pixels (one thread), classifier with two threads; medians. Each further face "
        f"costs the classifier {slope:.2f} ms."
    )
    return Table("Faces", ["faces", "found", "find, ms", "recognise, ms"], rows, note)


def _sizes(setup: Setup) -> Table:
    pipeline = _pipeline(DetectionConfig.detection_size)
    pictures = {f"{width}x{height}": setup.scene.picture(0, (width, height)) for width, height in _SIZES}
    calls = {name: partial(pipeline.process, picture, 0.0) for name, picture in pictures.items()}
    times = in_turns(calls, rounds=setup.rounds, what="sizes")
    rows = [[name, found["p50"], found["p99"]] for name, found in times.items()]
    return Table("Size of the picture", ["picture", "ms a frame, p50", "p99"], rows, "One face, everything but ROS.")


def _cameras(setup: Setup) -> Table:
    """Measures one classifier node for several cameras, each with a detection node and an overlay node of its own."""
    video = nodes.video(setup, VGA, 1)
    rows: list[list[Any]] = []
    for cameras, wait_ms in _CAMERAS:
        arguments = ["--source", str(video), "--rate", str(_CAMERA_HZ)]
        arguments += ["--cameras", str(cameras), "--max-wait-ms", str(wait_ms)]
        found = nodes.measure(setup, "photon_cameras", VGA, arguments)
        if "error" in found:
            rows.append([cameras, wait_ms, f"not measured: {found['error']}", *[None] * 7])
            continue
        cpu, answers = found["cpu_percent"], found["answers"]
        times = (*(found["latency_ms"][key] for key in ("p50", "p99")), found["classify_ms"]["p50"])
        rates = sum(found["answers_per_s"]), sum(answers.values()) - answers.get("ok", 0), found["frames_dropped"]
        rows.append([cameras, wait_ms, *times, *rates, cpu[_CLASSIFIER], cpu["all"]])
    columns = ["cameras", "max_wait_ms", "p50, ms", "p99", "classify p50, ms", "answers a second"]
    columns += ["not ok", "dropped", "CPU of the classifier, %", "CPU of all, %"]
    note = (
        f"640x480, one face, {_CAMERA_HZ} Hz each, {setup.seconds:.0f} s; a camera, a detection and an overlay node "
        "for each, one classifier node for all."
    )
    measured = [row for row in rows if row[1] == 0 and row[-1] is not None]
    if len(measured) > 1:
        counts = [row[0] for row in measured]
        own, whole = (np.polyfit(counts, [row[column] for row in measured], 1)[0] for column in (-2, -1))
        note += f" Each further camera costs the classifier {own:.1f} % of a core, and all nodes {whole:.1f} %."
    return Table("Cameras", columns, rows, note)
