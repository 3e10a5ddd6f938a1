"""Builders shared by the tests of the training: pictures that a tiny network can learn in a moment."""

import csv

import numpy as np
import pytest

pytest.importorskip("lightning", reason="the training extra is not installed: pip install emotion_perception[training]")

from emotion_perception.core.emotions import LABELS

SIDE = 48  # pixels, as FER-2013
TINY = (
    "options={widths: [4, 8], dropout: 0.0}",
    "epochs=2",
    "batch_size=16",
    "input_size=16",
    "sizes={0: 12, 1: 16}",
    "holdout=0.2",
)


def draw_faces(labels, rng):
    """Returns one picture for each label: a bright bar whose height in the picture is the label."""
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
    from emotion_perception.training.hardware import Hardware
    from emotion_perception.training.recipe import load_recipe
    from emotion_perception.training.train import train

    folder = tmp_path_factory.mktemp("finished")
    data = folder / "faces.npz"
    np.savez_compressed(data, **make_arrays())
    train(load_recipe("compact_vgg", TINY), data, folder / "run", hardware=Hardware(device="cpu"), num_threads=1)
    return folder / "run", data


@pytest.fixture(scope="session")
def exported_model(finished_run, tmp_path_factory):
    """Returns what `export` made of the finished run; tests that change it copy it first."""
    from emotion_perception.training.export import export

    return export(finished_run[0], "tiny", tmp_path_factory.mktemp("exported"))
