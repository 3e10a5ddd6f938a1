#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Draws a validation split from FER-2013's Training split and writes it as a split file.

PublicTest is a test split: epochs, recipes and model soups are selected on the validation split. Near-duplicate images
are kept on one side. They are found by correlation: each image is scaled to 24x24 pixels and standardized; two images
belong to one group if one correlates by at least 0.95 with the other or with its mirror image, and groups that such a
pair connects are one group. Whole groups are drawn at random until the validation split has its share of the images.

    scripts/split_fer2013.py --data fer2013.npz --out emotion_perception/training/splits/fer2013.json

The file is shipped; `train --set 'data={split_file: fer2013}' --val-split Validation` uses it.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from output_option import add_output_option, check_output_option
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from emotion_perception.training.datasets import load_dataset
from emotion_perception.training.datasets.split_file import images_sha256

_SIDE = 24  # pixels of the images that are compared
_CORRELATION = 0.95
_BLOCK = 2048  # images compared at once
_SPLIT = "Training"


def near_duplicate_groups(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Returns int64 (N): index of the group of near-duplicates to which each gray image (N, H, W) belongs."""
    small = np.stack([cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for image in images])
    vectors, mirrored = _standardized(small), _standardized(small[:, :, ::-1])
    first, second = [], []
    for start in range(0, len(images), _BLOCK):
        block = vectors[start : start + _BLOCK]
        near = np.maximum(block @ vectors.T, block @ mirrored.T) >= _CORRELATION  # (B, N)
        rows, columns = np.nonzero(near)
        first.append(rows + start)
        second.append(columns)
    edges = (np.concatenate(first), np.concatenate(second))
    graph = coo_matrix((np.ones(len(edges[0]), bool), edges), shape=(len(images), len(images)))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def validation_rows(groups: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.int64]:
    """Returns the indices of whole groups, drawn with the seed, that have at most `fraction` of all images."""
    order = np.random.default_rng(seed).permutation(groups.max() + 1)
    sizes = np.bincount(groups)[order]
    drawn = order[np.cumsum(sizes) <= fraction * len(groups)]
    return np.nonzero(np.isin(groups, drawn))[0]


def _standardized(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    flat = small.reshape(len(small), -1).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def main() -> None:
    """Writes the split file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="fer2013.npz or fer2013.csv")
    add_output_option(parser, "split file to write")
    parser.add_argument("--fraction", type=float, default=0.1, help="of the Training images (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=2013, help="of the draw (default: %(default)s)")
    arguments = parser.parse_args()
    check_output_option(parser, arguments, [arguments.data])
    images = np.asarray(load_dataset(arguments.data).split(_SPLIT).images)
    groups = near_duplicate_groups(images)
    rows = validation_rows(groups, arguments.fraction, arguments.seed)
    content = {
        "split": "Validation",
        "of": _SPLIT,
        "seed": arguments.seed,
        "correlation": _CORRELATION,
        "groups": int(groups.max() + 1),
        "images_sha256": images_sha256(images),
        "rows": rows.tolist(),
    }
    arguments.out.write_text(json.dumps(content) + "\n", encoding="utf-8")
    drawn = len(np.unique(groups[rows]))
    print(f"{arguments.out}: {len(rows)} of {len(images)} images, {drawn} of {groups.max() + 1} groups")


if __name__ == "__main__":
    main()
