# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Builders shared by the tests of the training: images that a tiny network can learn in a moment."""

import csv

import numpy as np
import pytest

pytest.importorskip("lightning", reason="the training extra is not installed: pip install emotion_perception[training]")

from emotion_perception.core.classification.labels import LABELS
from emotion_perception.training.datasets import FaceDataset

SIDE = 48  # pixels, as FER-2013
TINY = (
    "options={widths: [4, 8], dropout: 0.0}",
    "epochs=2",
    "batch_size=16",
    "input_size=16",
    "sizes={0: 12, 1: 16}",
    "calibration_fraction=0.2",
    "restarts={}",
    "soup_weight=0.0",
    "teacher=''",
)


def draw_faces(labels, rng):
    """Returns one image for each label: a bright bar whose height in the image is the label."""
    images = rng.integers(0, 60, (len(labels), SIDE, SIDE), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[6 * label + 2 : 6 * label + 8] += 150
    return images


def make_arrays(count=120, *, classes=7, seed=0):
    """Returns the arrays of an .npz in the described format, with splits, leaks and votes."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % classes).astype(np.uint8)
    votes = np.zeros((count, 10), np.uint8)
    votes[np.arange(count), labels] = 8
    votes[:, 9] = 2
    return {
        "images": draw_faces(labels, rng),
        "labels": labels,
        "class_names": np.array(LABELS),
        "split": (np.arange(count) >= count * 3 // 4).astype(np.uint8),
        "split_names": np.array(["Training", "PublicTest"]),
        "leak": np.arange(count) % 10 == 9,
        "ferplus_votes": votes,
        "ferplus_names": np.array([*LABELS, "contempt", "unknown", "NF"]),
    }


@pytest.fixture
def write_npz(tmp_path):
    """Returns a function that writes an .npz; keywords replace its arrays, None leaves one out."""

    def write(name="faces.npz", *, count=120, **changes):
        arrays = {**make_arrays(count), **changes}
        path = tmp_path / name
        np.savez_compressed(path, **{key: value for key, value in arrays.items() if value is not None})
        return path

    return write


@pytest.fixture
def write_csv(tmp_path):
    """Returns a function that writes a fer2013.csv from rows (emotion, image, usage) in any order of columns."""

    def write(rows, columns=("emotion", "pixels", "Usage"), name="fer2013.csv"):
        path = tmp_path / name
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            for emotion, image, usage in rows:
                pixels = image if isinstance(image, str) else " ".join(map(str, image.ravel().tolist()))
                values = {"emotion": emotion, "pixels": pixels, "usage": usage}
                writer.writerow([values[column.strip().lower()] for column in columns])
        return path

    return write


@pytest.fixture
def tiny_recipe():
    """Returns a function that builds the shipped recipe with a tiny network, two epochs and further changes."""
    from emotion_perception.training.recipe import load_recipe

    return lambda *overrides: load_recipe("compact_vgg", (*TINY, *overrides))


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """Returns the folder of a finished tiny run and its data file; tests only read it."""
    from emotion_perception.training.fit.hardware import Hardware
    from emotion_perception.training.fit.training_loop import train
    from emotion_perception.training.recipe import load_recipe

    folder = tmp_path_factory.mktemp("finished")
    data = folder / "faces.npz"
    np.savez_compressed(data, **make_arrays())
    train(load_recipe("compact_vgg", TINY), data, folder / "run", hardware=Hardware(device="cpu"), num_threads=1)
    return folder / "run", data


@pytest.fixture(scope="session")
def exported_model(finished_run, tmp_path_factory):
    """Returns what `export` made of the finished run; tests that change it copy it first."""
    from emotion_perception.training.export.exporter import export

    return export(finished_run[0], "tiny", tmp_path_factory.mktemp("exported"))


@pytest.fixture
def make_report():
    """Returns a function that builds the content of a report.json without a model; keywords replace its values."""
    from emotion_perception.reporting.metrics import Predictions, calibration, coverage
    from emotion_perception.training.evaluate.limitations import limitations_of
    from emotion_perception.training.evaluate.summary_metrics import measure

    def make(metadata=None, **changes):
        rng = np.random.default_rng(0)
        truth = np.arange(100) % 7
        rows = rng.dirichlet(np.ones(7), 100) * 0.6
        rows[np.arange(100), truth] += 0.4
        answers = Predictions(rows.astype(np.float32), truth, LABELS)
        data = FaceDataset(np.zeros((100, 2, 2), np.uint8), truth, LABELS, leak=np.arange(100) < 4)
        report = {
            **measure(answers, data),
            "calibration": {"temperature": 1.25, "fitted_on": "12 images", **calibration(answers, answers)},
            "coverage": coverage(answers, 0.5),
            "robustness": None,
            "baseline": None,
            "subgroups": None,
            "ms_per_face": 1.5,
            "model": "tiny",
            "model_sha256": "a" * 64,
            "device": "cpu",
            "data": "faces.npz",
            "data_sha256": "d" * 64,
            "data_options": {},
            "left_out": {},
            "split": "PublicTest",
            "ignored_classes": [],
            "seed": 0,
            "package_version": "0.1.0",
            **changes,
        }
        timing = {"command": "emotion-perception evaluate", "date": "2026-01-02T03:04:05+00:00", "seconds": 2.0}
        memory = {"peak_memory_mib": 512.5, "peak_gpu_memory_mib": None}
        return {**report, "limitations": limitations_of(report, metadata or {}), "timing": {**timing, **memory}}

    return make
