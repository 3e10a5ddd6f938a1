# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Benchmark of bag evaluation: speed relative to real time, memory, and time of reading."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from tqdm import tqdm

from emotion_perception.bags.io.images import image_topic, read_bag_images
from emotion_perception.bags.io.messages import BAG_VERSION, COMPRESSED, IMAGE, NS, typestore
from emotion_perception.bags.io.recording import Recording
from emotion_perception.benchmark.int8_detector import int8_detector
from emotion_perception.benchmark.scene import VGA
from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table
from emotion_perception.core.classification import ClassifierOptions
from emotion_perception.core.images import JPEG_FORMAT, bgr_to_jpeg
from emotion_perception.core.pipeline import Pipeline, PipelineOptions
from emotion_perception.core.tracking import TrackerOptions

_RATE = 30
_JPEG_QUALITY = 80
_MAX_RAW_MINUTES = 1.0  # ten minutes of raw VGA images are 17 GB
_COMPARED_FRAMES = 300


def run(setup: Setup) -> list[Table]:
    """Measures and returns the tables of the section."""
    rows: list[list[Any]] = []
    reading = []
    for minutes in setup.minutes:
        for compressed in (False, True):
            if not compressed and minutes > _MAX_RAW_MINUTES:
                continue
            bag = _write(setup, minutes, compressed=compressed)
            size_mb = sum(path.stat().st_size for path in bag.iterdir()) / 1e6
            name = f"{minutes:g} min, {'JPEG' if compressed else 'raw'}"
            variants = _variants(int8_detector(setup)) if compressed and minutes <= _MAX_RAW_MINUTES else {"": []}
            for variant, options in variants.items():
                timing = _evaluate(bag, setup.out / "evaluation", options)
                cells = (timing[key] for key in ("seconds", "times_real_time", "peak_memory_mib"))
                rows.append([name + variant, size_mb, *cells])
            if minutes <= _MAX_RAW_MINUTES:
                reading.append([name, *_reading(bag)])
            shutil.rmtree(bag)
    return [
        Table(
            "Evaluating a recording, every frame",
            ["recording", "MB", "s", "times real time", "peak memory, MiB"],
            rows,
            f"`evaluate-bag --every-frame`, 640x480 at {_RATE} Hz, one face, mcap; including the start of the program.",
        ),
        Table(
            "Time of reading",
            ["recording", "pipeline, ms per frame", "reading and decoding, ms per frame", "reading / pipeline"],
            reading,
            f"Means over {_COMPARED_FRAMES} frames.",
        ),
    ]


def _write(setup: Setup, minutes: float, *, compressed: bool) -> Path:
    """Writes a recording of the clip in a loop."""
    path = setup.out / f"bag_{minutes:g}_{'jpeg' if compressed else 'raw'}"
    shutil.rmtree(path, ignore_errors=True)
    store, kind = typestore(), COMPRESSED if compressed else IMAGE
    frames = [_payload(image, compressed=compressed) for image in setup.scene.images(VGA, count=300)]
    with Writer(path, version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP) as writer:
        topic = "/image_raw/compressed" if compressed else "/image_raw"
        connection = writer.add_connection(topic, kind, typestore=store)
        for number in tqdm(
            range(round(minutes * 60 * _RATE)), desc="writing", unit=" frames", disable=None, leave=False
        ):
            stamp_ns = NS + number * NS // _RATE
            time_of = store.types["builtin_interfaces/msg/Time"](sec=stamp_ns // NS, nanosec=stamp_ns % NS)
            header = store.types["std_msgs/msg/Header"](stamp=time_of, frame_id="camera")
            message = store.types[kind](header=header, **frames[number % len(frames)])
            writer.write(connection, stamp_ns, store.serialize_cdr(message, kind))
    return path


def _payload(image: "np.ndarray[Any, Any]", *, compressed: bool) -> dict[str, Any]:
    if compressed:
        return {"format": JPEG_FORMAT, "data": np.frombuffer(bgr_to_jpeg(image, _JPEG_QUALITY), np.uint8)}
    height, width = image.shape[:2]
    shape = {"height": height, "width": width, "encoding": "bgr8", "is_bigendian": 0, "step": 3 * width}
    return {**shape, "data": image.ravel()}


def _variants(detector: Path | None) -> dict[str, list[str]]:
    """Returns the options of `evaluate-bag` for each variant, by suffix of the name in the table."""
    if detector is None:
        return {"": []}
    int8_options = ["--detector", "centerface", "--set", "detection_size=320", "--set", f"detector_model={detector}"]
    both = [*int8_options, "--model", f"{ClassifierOptions.model}.int8"]
    return {"": [], ", CenterFace int8": int8_options, f", CenterFace int8, {ClassifierOptions.model}.int8": both}


def _evaluate(bag: Path, out: Path, options: Sequence[str]) -> dict[str, Any]:
    """Evaluates in a new process and returns the block `timing` of the report."""
    command = [sys.executable, "-m", "emotion_perception.cli", "evaluate-bag", str(bag), "--out", str(out), *options]
    subprocess.run(command, check=True, capture_output=True)
    return dict(json.loads((out / "report.json").read_text(encoding="utf-8"))["timing"])


def _reading(bag: Path) -> tuple[float, float, str]:
    """Returns mean times per frame in milliseconds of the pipeline and of reading, and their ratio."""
    options = PipelineOptions(tracker=TrackerOptions(detection_interval=1), classifier=ClassifierOptions(device="cpu"))
    pipeline = Pipeline(options)
    reading_ms, working_ms = [], []
    with Recording(bag) as recording:
        source = read_bag_images(recording, image_topic(recording, None))
        for _ in range(_COMPARED_FRAMES):
            times_s = [time.perf_counter()]
            if (image := next(source, None)) is None:
                break
            image_bgr = image.to_bgr()
            times_s.append(time.perf_counter())
            pipeline.process(image_bgr, image.stamp_s)
            times_s.append(time.perf_counter())
            read_s, worked_s = np.diff(times_s)
            reading_ms.append(read_s * 1e3)
            working_ms.append(worked_s * 1e3)
    working, reading = float(np.mean(working_ms)), float(np.mean(reading_ms))
    return working, reading, f"{reading / working:.1%}"
