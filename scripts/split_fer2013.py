#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Splits FER-2013's Training split into training and validation; near-duplicate images stay in one split.

PublicTest is the test split: epochs, recipes and averages are selected on the validation split. Each image is scaled to
24x24 pixels by area averaging and standardized. Two images are near-duplicates if one correlates by at least 0.95 with
the other or with its mirror image; connected near-duplicates form a group. Whole groups are drawn at random until the
validation split has its share of the images.

    python scripts/split_fer2013.py --data fer2013.npz --out fer2013_validation.npz

The drawn rows are stored in `emotion_perception/training/splits/fer2013.json` (written with `--rows`, read otherwise),
so the split is the same on every machine.
"""

import argparse
import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

ROWS = Path(__file__).parents[1] / "emotion_perception/training/splits/fer2013.json"
_SIDE = 24  # pixels of the compared images
_CORRELATION = 0.95
_BLOCK = 2048  # images per matrix product


def near_duplicate_groups(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Returns the group of near-duplicates of each gray image (N, H, W), int64 (N)."""
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


def validation_rows(groups: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int64]:
    """Returns the rows of randomly drawn whole groups with at most `share` of all images."""
    order = np.random.default_rng(seed).permutation(groups.max() + 1)
    sizes = np.bincount(groups)[order]
    drawn = order[np.cumsum(sizes) <= share * len(groups)]
    return np.nonzero(np.isin(groups, drawn))[0]


def _standardized(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    flat = small.reshape(len(small), -1).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def main() -> None:
    """Writes the row file with `--rows`, and the data file with a split Validation with `--out`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="fer2013.npz")
    parser.add_argument("--out", type=Path, help="data file to write, with a split Validation")
    parser.add_argument("--rows", action="store_true", help=f"draw the rows again and write {ROWS.name}")
    parser.add_argument(
        "--share", type=float, default=0.1, help="fraction of the Training images (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=2013, help="of the random draw (default: %(default)s)")
    arguments = parser.parse_args()
    with np.load(arguments.data) as file:
        arrays = {name: file[name] for name in file.files}
    names = arrays["split_names"].tolist()
    training = np.nonzero(arrays["split"] == names.index("Training"))[0]
    images_sha256 = hashlib.sha256(arrays["images"][training].tobytes()).hexdigest()
    if arguments.rows:
        groups = near_duplicate_groups(arrays["images"][training])
        rows = validation_rows(groups, arguments.share, arguments.seed)
        content = {
            "split": "Validation",
            "of": "Training",
            "seed": arguments.seed,
            "correlation": _CORRELATION,
            "groups": int(groups.max() + 1),
            "images_sha256": images_sha256,
            "rows": rows.tolist(),
        }
        ROWS.parent.mkdir(exist_ok=True)
        ROWS.write_text(json.dumps(content) + "\n", encoding="utf-8")
        drawn = len(np.unique(groups[rows]))
        print(f"{ROWS}: {len(rows)} of {len(training)} images in {drawn} of {groups.max() + 1} groups")
    content = json.loads(ROWS.read_text(encoding="utf-8"))
    if content["images_sha256"] != images_sha256:
        parser.error(f"{arguments.data}: the Training images differ from those that {ROWS.name} was made from")
    if arguments.out:
        arrays["split_names"] = np.array([*names, "Validation"])
        arrays["split"] = arrays["split"].copy()
        arrays["split"][training[content["rows"]]] = len(names)
        np.savez_compressed(arguments.out, **arrays)
        print(arguments.out)


if __name__ == "__main__":
    main()
