# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the programs of this folder do alike: read frames and images, take the time, count, write the result.

Each of them makes a `Peer` and calls `main`. It runs in the peer's own environment, so beside tqdm it needs what every
peer needs anyhow: NumPy and OpenCV.

A frame's time is that of one call with the image in memory, faces found and their emotions named, one after the other
in one process. Reading files, starting and the first `WARM_UP` calls do not count.
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
BagImage = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One system to measure.

    Attributes:
        what: its detector and its network, in a few words.
        packages: the distributions whose versions tell which system this was.
        name_emotions: maps a frame, uint8 (H, W, 3) BGR, to one answer for each face; the answers are only counted.
        classify: maps one face, uint8 (48, 48) gray, to the name of its emotion; None where there is no such network.
        notes: what a reader of the figures has to know.
    """

    what: str
    packages: tuple[str, ...]
    name_emotions: Callable[[BagImage], Sequence[Any]]
    classify: Callable[[BagImage], str] | None = None
    notes: tuple[str, ...] = ()


def main(make_peer: Callable[[int], Peer], description: str | None) -> int:
    """Measures a peer as the command line says.

    Args:
        make_peer: makes it, given the number of threads, 0 being the peer's own choice.
        description: the program's docstring.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=Path, required=True, help="folder of PNG files, as export_frames.py writes")
    parser.add_argument("--data", type=Path, help="fer2013.npz; without it no accuracy is measured")
    parser.add_argument("--threads", type=int, default=0, help="where it can be set; 0 leaves the peer's own choice")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    options = parser.parse_args()
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


def read_frames(folder: Path) -> list[BagImage]:
    """Returns the images of a folder in the order of their names, uint8 (H, W, 3) BGR.

    Raises:
        FileNotFoundError: there are none.
    """
    frames = [np.asarray(cv2.imread(str(path)), np.uint8) for path in sorted(folder.glob("*.png"))]
    if not frames:
        raise FileNotFoundError(f"no PNG file in {folder}")
    return frames


def read_images(path: Path) -> tuple[BagImage, list[str]]:
    """Returns PublicTest's images, uint8 (N, 48, 48) gray, and the names of their emotions."""
    with np.load(path) as data:
        chosen = data["split"] == data["split_names"].tolist().index(SPLIT)
        names = data["class_names"].tolist()
        return data["images"][chosen], [names[label] for label in data["labels"][chosen]]


def measure_frames(peer: Peer, frames: Sequence[BagImage]) -> dict[str, Any]:
    """Returns the milliseconds of a frame, and on how many frames how many faces were found."""
    for frame in frames[:WARM_UP]:
        peer.name_emotions(frame)
    wall_ms, processor_ms, faces = [], [], []
    for frame in tqdm(frames, desc=peer.what, unit=" frames", mininterval=1):
        begun, begun_processor = time.perf_counter(), time.process_time()
        found = peer.name_emotions(frame)
        processor_ms.append((time.process_time() - begun_processor) * 1e3)
        wall_ms.append((time.perf_counter() - begun) * 1e3)
        faces.append(len(found))
    return {
        "frames": len(frames),
        "size_wh": [frames[0].shape[1], frames[0].shape[0]],
        "ms": percentiles(wall_ms),
        "processor_ms": percentiles(processor_ms),
        "found": float(np.mean(np.array(faces) > 0)),
        "exactly_one": float(np.mean(np.array(faces) == 1)),
    }


def measure_accuracy(classify: Callable[[BagImage], str], images: BagImage, truth: Sequence[str]) -> dict[str, Any]:
    """Returns the share of right answers and how many images that was, each given alone and without a detector."""
    shown = tqdm(images, desc=SPLIT, unit=" images", mininterval=1)
    answers = [common_name(classify(image)) for image in shown]
    right = [answer == label for answer, label in zip(answers, truth, strict=True)]
    return {"split": SPLIT, "pictures": len(right), "top1": float(np.mean(right))}


def common_name(label: str) -> str:
    """Returns an emotion's name as FER-2013's file here has it."""
    return OTHER_NAMES.get(label.lower(), label.lower())


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Returns p50, p90 and the mean."""
    found = {f"p{which}": round(float(np.percentile(values, which)), 3) for which in (50, 90)}
    return found | {"mean": round(float(np.mean(values)), 3)}


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


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes a result, whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    part.replace(path)
