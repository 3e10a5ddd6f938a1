# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command line, timing and accuracy of the programs in this folder.

Each program makes a `Peer` and calls `main`. It runs in the environment of the peer, so this module needs only tqdm,
NumPy and OpenCV, which every peer installs.

The time of a frame is that of one call with the image in memory: face detection and classification, one frame after the
other in one process. Reading files, start-up and the first `WARM_UP` calls are not measured.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

WARM_UP = 10
SPLIT = "PublicTest"
OTHER_NAMES = {"angry": "anger", "happy": "happiness", "sad": "sadness"}
Image = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A system to be measured.

    Attributes:
        what: detector and network, in a few words.
        packages: distributions whose versions are recorded; the first is the peer itself.
        predict: maps a frame, uint8 (H, W, 3) BGR, to one prediction for each face; only their number is used.
        classify: maps a face crop, uint8 (48, 48) gray, to its label; None if the peer has no classifier.
        notes: remarks for the table.
    """

    what: str
    packages: tuple[str, ...]
    predict: Callable[[Image], Sequence[Any]]
    classify: Callable[[Image], str] | None = None
    notes: tuple[str, ...] = ()


def main(make_peer: Callable[[int], Peer], description: str | None) -> int:
    """Reads the command line, measures a peer and writes the result; returns the exit code.

    Args:
        make_peer: makes the peer for a number of threads; 0 is the default of the peer.
        description: docstring of the program, for `--help`.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=Path, required=True, help="folder of PNG files, see export_frames.py")
    parser.add_argument("--data", type=Path, help="fer2013.npz for the accuracy (default: not measured)")
    parser.add_argument(
        "--threads", type=int, default=0, help="number of threads where it can be set (default: 0, that of the peer)"
    )
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    options = parser.parse_args()
    if options.out.exists() and not is_result(options.out):
        parser.error(f"{options.out}: exists, and is no result of such a measurement: give the path of another file")
    peer = make_peer(options.threads)
    result = {
        "what": peer.what,
        "versions": {name: importlib.metadata.version(name) for name in peer.packages},
        "threads": options.threads or "default",
        "machine": describe_machine(),
        **measure_frames(peer, read_frames(options.frames)),
    }
    if options.data and peer.classify:
        result["accuracy"] = measure_accuracy(peer.classify, *read_images(options.data))
    result["notes"] = list(peer.notes)
    write_json(options.out, result)
    return 0


def read_frames(folder: Path) -> list[Image]:
    """Returns the images of a folder in the order of their names, uint8 (H, W, 3) BGR.

    Raises:
        FileNotFoundError: the folder has no PNG file.
    """
    frames = [np.asarray(cv2.imread(str(path)), np.uint8) for path in sorted(folder.glob("*.png"))]
    if not frames:
        raise FileNotFoundError(f"no PNG file in {folder}")
    return frames


def read_images(path: Path) -> tuple[Image, list[str]]:
    """Returns the images of PublicTest, uint8 (N, 48, 48) gray, and their labels."""
    with np.load(path) as data:
        chosen = data["split"] == data["split_names"].tolist().index(SPLIT)
        names = data["class_names"].tolist()
        return data["images"][chosen], [names[label] for label in data["labels"][chosen]]


def measure_frames(peer: Peer, frames: Sequence[Image]) -> dict[str, Any]:
    """Returns wall and CPU time per frame in milliseconds, and the fractions of frames with any and with one face."""
    for frame in frames[:WARM_UP]:
        peer.predict(frame)
    wall_ms, processor_ms, faces = [], [], []
    for frame in tqdm(frames, desc=peer.what, unit=" frames", mininterval=1):
        begun, begun_processor = time.perf_counter(), time.process_time()
        predictions = peer.predict(frame)
        processor_ms.append((time.process_time() - begun_processor) * 1e3)
        wall_ms.append((time.perf_counter() - begun) * 1e3)
        faces.append(len(predictions))
    return {
        "frames": len(frames),
        "size_wh": [frames[0].shape[1], frames[0].shape[0]],
        "ms": percentiles(wall_ms),
        "processor_ms": percentiles(processor_ms),
        "found": float(np.mean(np.array(faces) > 0)),
        "exactly_one": float(np.mean(np.array(faces) == 1)),
    }


def measure_accuracy(classify: Callable[[Image], str], images: Image, truth: Sequence[str]) -> dict[str, Any]:
    """Returns the top-1 accuracy and the number of images; each is classified alone, without a detector."""
    bar = tqdm(images, desc=SPLIT, unit=" images", mininterval=1)
    predictions = [common_name(classify(image)) for image in bar]
    correct = [prediction == label for prediction, label in zip(predictions, truth, strict=True)]
    return {"split": SPLIT, "images": len(correct), "top1": float(np.mean(correct))}


def common_name(label: str) -> str:
    """Returns the label of fer2013.npz for a label of a peer."""
    return OTHER_NAMES.get(label.lower(), label.lower())


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Returns p50, p90 and the mean."""
    result = {f"p{which}": round(float(np.percentile(values, which)), 3) for which in (50, 90)}
    return result | {"mean": round(float(np.mean(values)), 3)}


def describe_machine() -> dict[str, Any]:
    """Returns processor, cores, versions, command and date."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return {
        "processor": next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), ""),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "load_at_begin": round(os.getloadavg()[0], 2),
    }


def is_result(path: Path) -> bool:
    """Returns whether a file is the result of a measurement, or the error of one, as bench_peers.sh writes it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and bool({"what", "error"} & content.keys())


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes a result as JSON, atomically."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    part.replace(path)
