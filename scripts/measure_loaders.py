#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures the throughput of image loading for training: files decoded at each access, and the memory-mapped cache.

    scripts/measure_loaders.py --images 20000 --side 64

Writes random PNG files by class into a temporary folder (or uses the folder of --data), builds the cache of decoded
images and reads every image in random order with each loader, each in a process of its own: a first pass after the
pages of the files were dropped from the page cache as far as the system allows, then a second pass. Prints a table.
"""

import argparse
import multiprocessing
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from emotion_perception.core.classification import LABELS
from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.training.datasets import load_dataset
from emotion_perception.training.datasets.decode import read_image


def main() -> int:
    """Measures both loaders and prints the table; returns the exit code."""
    options = parse_arguments()
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        tree, cache = options.data or Path(work, "images"), Path(work, "cache")
        if options.data is None:
            write_images(tree, options.images, options.side)
        begun = time.perf_counter()
        count = in_new_process(build, tree, cache, options.side)["count"]
        seconds = time.perf_counter() - begun
        print(
            f"`scripts/measure_loaders.py`, {date.today()}, {platform.machine()}, {os.cpu_count()} cores; {count} "
            f"images at {options.side}x{options.side}; the cache was built in {seconds:.1f} s.\n\n"
            "| loader | images a second, first pass | second pass | peak memory, MB |\n|---|---|---|---|"
        )
        for name, measure in (("PNG files, decoded at each access", read_files), ("memory-mapped cache", read_cache)):
            drop_pages([*tree.rglob("*"), *cache.rglob("*")])
            result = in_new_process(measure, tree, cache, options.side)
            first, second = (f"{count / result[key]:,.0f}" for key in ("first_s", "second_s"))
            print(f"| {name} | {first} | {second} | {result['peak_mb']:.0f} |", flush=True)
    return 0


def parse_arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of images by class (default: random images)")
    parser.add_argument("--images", type=int, default=20000, help="number of random images (default: %(default)s)")
    parser.add_argument("--side", type=int, default=64, help="side in pixels (default: %(default)s)")
    parser.add_argument(
        "--work", type=Path, help="folder on the disk to measure (default: the system's temporary folder)"
    )
    return parser.parse_args()


def write_images(folder: Path, count: int, side: int) -> None:
    """Writes images of smoothed noise, which compress about as well as photographs."""
    rng = np.random.default_rng(0)
    for label in LABELS:
        (folder / label).mkdir(parents=True)
    for k in range(count):
        small = rng.integers(0, 256, (side // 4, side // 4), dtype=np.uint8)
        cv2.imwrite(str(folder / LABELS[k % len(LABELS)] / f"{k:07}.png"), cv2.resize(small, (side, side)))


def in_new_process(function, *arguments) -> dict[str, float]:  # type: ignore[no-untyped-def]
    """Calls a function in a new process, so that the peak memory is that of this function."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def build(tree: Path, cache: Path, side: int) -> dict[str, float]:
    """Builds the cache and returns the number of images."""
    return {"count": len(load_dataset(tree, size=side, cache=str(cache)))}


def read_files(tree: Path, _cache: Path, side: int) -> dict[str, float]:
    """Reads and decodes every file in random order, twice."""
    paths = sorted(path for path in tree.rglob("*") if path.is_file())
    return two_passes(len(paths), lambda order: (read_image(paths[k], wh=(side, side)) for k in order))


def read_cache(tree: Path, cache: Path, side: int) -> dict[str, float]:
    """Reads every image of the cache in random order, twice."""
    images = load_dataset(tree, size=side, cache=str(cache)).images
    return two_passes(len(images), lambda order: (images[k] for k in order))


def two_passes(count: int, images) -> dict[str, float]:  # type: ignore[no-untyped-def]
    """Returns the seconds of two passes in different random orders, and the peak memory of the process."""
    rng, seconds = np.random.default_rng(0), []
    for _ in range(2):
        begun = time.perf_counter()
        consume(images(rng.permutation(count)))
        seconds.append(time.perf_counter() - begun)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"first_s": seconds[0], "second_s": seconds[1], "peak_mb": peak_mb}


def consume(images: Iterator[NDArray[np.uint8]]) -> None:
    """Accesses a pixel of every image, so that lazily read ones are read."""
    for image in images:
        image[0, 0]


def drop_pages(paths: list[Path]) -> None:
    """Advises the kernel to drop the files from the page cache."""
    for path in paths:
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (EmotionPerceptionError, OSError) as error:
        sys.exit(f"measure_loaders: {error}")
