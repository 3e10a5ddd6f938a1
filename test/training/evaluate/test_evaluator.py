# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from emotion_perception.core.classification import softmax
from emotion_perception.core.classification.model_bundle import load_model_bundle, replace_spec
from emotion_perception.core.classification.options import ClassifierOptions, RecognizerOptions
from emotion_perception.core.classification.preprocessing import to_batch
from emotion_perception.core.classification.recognizer import EmotionRecognizer
from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.core.types import Box, Face
from emotion_perception.reporting.metrics import Predictions, summarize
from emotion_perception.training.datasets import load_dataset
from emotion_perception.training.evaluate import evaluator as evaluate_module
from emotion_perception.training.evaluate import prediction, robustness
from emotion_perception.training.evaluate import report as report_module
from emotion_perception.training.evaluate.evaluator import evaluate, predict
from emotion_perception.training.fit.data_module import FaceBatches

KEYS = {
    "n",
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "top3",
    "ece",
    "brier",
    "per_class",
    "confusion",
    "labels",
    "ms_per_face",
    "calibration",
    "coverage",
    "robustness",
    "subgroups",
    "limitations",
    "timing",
}
SPLIT = {"split": "PublicTest"}


@pytest.fixture
def config(exported_model, monkeypatch):
    monkeypatch.setattr(evaluate_module, "_TIMED", 5)
    return ClassifierOptions(model=str(exported_model.bundle.weights), device="cpu", num_threads=1)


@pytest.fixture
def no_files(monkeypatch):
    """Leaves out the writing of the report, whose plots take their time."""
    monkeypatch.setattr(evaluate_module, "write_report", lambda *arguments, **options: None)


@pytest.fixture
def few_changes(monkeypatch):
    chosen = tuple(change for change in robustness.CHANGES if change.name in ("scars", "noise"))
    monkeypatch.setattr(robustness, "CHANGES", chosen)


def measure(config, data, out, **options):
    return evaluate(config, data, out, progress=False, **options)


def test_an_evaluation_writes_the_report_for_programs_and_for_people(config, write_npz, tmp_path):
    report = measure(config, write_npz(), tmp_path / "out", split="PublicTest")
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report
    assert report.keys() >= KEYS
    assert (report["n"], report["split"], report["device"]) == (30, "PublicTest", "cpu")
    assert list(report["subsets"]) == ["whole", "without_leak", "ferplus_majority"]
    assert np.sum(report["confusion"]) == 30
    assert report["ms_per_face"] > 0
    assert "30 images" in (tmp_path / "out" / "report.md").read_text()
    for name in ("confusion.png", "reliability.png", "coverage.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG")


def test_the_same_file_gives_the_same_figures_but_for_the_time(config, write_npz, tmp_path, few_changes, no_files):
    (tmp_path / "groups.csv").write_text("index,side\n" + "".join(f"{k},{k % 2}\n" for k in range(120)))
    options = {**SPLIT, "robustness": True, "subgroups": tmp_path / "groups.csv"}
    first, second = (measure(config, write_npz(), tmp_path / name, **options) for name in ("a", "b"))
    assert (first | {"ms_per_face": 0, "timing": 0}) == (second | {"ms_per_face": 0, "timing": 0})
    assert first["robustness"]["changes"].keys() == {"scars", "noise"}
    assert first["subgroups"]["columns"]["side"]["groups"]["0"] == {"n": 15}, "no claim on fewer than 30"


def test_every_route_prepares_the_same_inputs(config, exported_model, write_npz):
    data = load_dataset(write_npz(count=14))
    batches = []

    class Recording:
        device = "fake"

        def __call__(self, batch):
            batches.append(batch)
            return np.zeros((len(batch), 7), np.float32)

    bundle = exported_model.bundle
    predict(evaluate_module.EmotionClassifier(bundle, Recording()), data, progress=False)
    training = FaceBatches(data, bundle.spec).__getitems__(range(14))[0]
    node = to_batch(list(data.images), bundle.spec)
    assert (np.concatenate(batches) == node).all()
    assert (training.numpy() == node).all()


def test_the_answers_do_not_depend_on_the_batches(config, write_npz, monkeypatch):
    classifier, data = evaluate_module.create_classifier(config), load_dataset(write_npz(count=14))
    whole = predict(classifier, data, progress=False).probabilities
    monkeypatch.setattr(prediction, "BATCH", 3)
    assert predict(classifier, data, progress=False).probabilities == pytest.approx(whole, abs=1e-5)


def test_classes_can_be_left_out(config, write_npz, tmp_path, no_files):
    names = np.array(["anger", "disgust", "fear", "happiness", "sadness", "surprise", "contempt"])
    data = write_npz(class_names=names)
    with pytest.raises(DatasetError, match="no label contempt; leave the images out with --ignore-classes"):
        measure(config, data, tmp_path / "out", split="PublicTest")
    report = measure(config, data, tmp_path / "out", split="PublicTest", ignore_classes=["contempt"])
    assert report["per_class"]["neutral"]["n"] == 0
    assert report["n"] == sum(row["n"] for row in report["per_class"].values()) < 30


@pytest.mark.parametrize(
    ("split", "ignored", "words"),
    [(None, [], "name one with --split"), ("PrivateTest", [], "no split 'PrivateTest'")],
)
def test_a_split_that_is_not_named_or_not_there_is_refused(config, write_npz, tmp_path, split, ignored, words):
    with pytest.raises(DatasetError, match=words):
        measure(config, write_npz(), tmp_path / "out", split=split, ignore_classes=ignored)
    assert not (tmp_path / "out").exists()


def test_color_images_of_another_size_are_measured_too(config, write_npz, tmp_path, no_files):
    images = np.random.default_rng(0).integers(0, 256, (120, 20, 30, 3), dtype=np.uint8)
    assert measure(config, write_npz(images=images), tmp_path / "out", split="PublicTest")["n"] == 30


def test_the_temperature_is_compared_with_none(config, exported_model, write_npz, tmp_path, no_files):
    """The temperature is set here; whether a fitted one is used depends on a few images and on rounding."""
    shutil.copytree(exported_model.bundle.weights.parent, tmp_path / "model")
    bundle = load_model_bundle(tmp_path / "model" / "tiny.json")
    replace_spec(bundle, replace(bundle.spec, temperature=4.0))
    config, data = replace(config, model=str(bundle.weights)), write_npz()
    report = measure(config, data, tmp_path / "out", **SPLIT)
    calibration = report["calibration"]
    assert calibration["temperature"] == 4.0
    assert "split off the training images" in calibration["fitted_on"]
    assert (calibration["ece_after"], calibration["brier_after"]) == (report["ece"], report["brier"])
    images = load_dataset(data).split("PublicTest")
    classifier = evaluate_module.create_classifier(config)
    logits, truth = classifier.logits(list(images.images)), images.labels_in(classifier.labels)
    for when, temperature in (("before", 1.0), ("after", 4.0)):
        expected = summarize(Predictions(softmax(logits, temperature), truth, classifier.labels))
        assert calibration[f"ece_{when}"] == pytest.approx(expected["ece"], abs=1e-4)
        assert calibration[f"brier_{when}"] == pytest.approx(expected["brier"], abs=1e-5)


@pytest.mark.parametrize("min_confidence", [0.3, 0.5, 0.9])
def test_uncertain_here_is_uncertain_on_a_robot(config, exported_model, write_npz, tmp_path, min_confidence, no_files):
    report = measure(config, write_npz(), tmp_path / "out", **SPLIT, min_confidence=min_confidence)
    rule = report["coverage"]["rule"]
    recognizer = EmotionRecognizer(evaluate_module.create_classifier(config))
    certain = 0
    for k, image in enumerate(load_dataset(write_npz()).split("PublicTest").images):
        whole = Box(2, 2, 46, 46)  # with the crop margin, all of the image
        (emotion,) = recognizer.recognize(
            cv2.cvtColor(image, cv2.COLOR_GRAY2BGR),
            [Face(track_id=k, box=whole, score=1.0)],
            0.0,
            RecognizerOptions(smoothing_s=0.0, min_confidence=min_confidence),
        )
        certain += not emotion.uncertain
    assert rule["threshold"] == min_confidence
    assert rule["coverage"] == pytest.approx(certain / 30, abs=1e-6)


def test_a_groups_file_names_rows_of_the_whole_file(config, write_npz, tmp_path, no_files):
    groups = tmp_path / "groups.csv"
    groups.write_text("index,place\n" + "".join(f"{k},{'early' if k < 100 else 'late'}\n" for k in range(120)))
    report = measure(config, write_npz(), tmp_path / "out", **SPLIT, subgroups=groups, ignore_classes=["Angry"])
    found = report["subgroups"]["columns"]["place"]["groups"]
    labels = np.arange(120) % 7
    assert found["early"]["n"] == (labels[90:100] != 0).sum()
    assert found["late"]["n"] == (labels[100:] != 0).sum()
    assert report["subgroups"]["file"] == "groups.csv"


def test_a_groups_file_of_other_images_is_refused(config, write_npz, tmp_path):
    (tmp_path / "groups.csv").write_text("index,place\n0,early\n")
    with pytest.raises(DatasetError, match="groups.csv: names no subgroup for any of the 30 images to measure on"):
        measure(config, write_npz(), tmp_path / "out", **SPLIT, subgroups=tmp_path / "groups.csv")
    assert not (tmp_path / "out").exists()


def test_what_the_loader_left_out_stands_in_the_report(config, write_npz, tmp_path, no_files):
    labels = (np.arange(120) % 7).astype(np.uint8)
    labels[100] = 9
    report = measure(config, write_npz(labels=labels), tmp_path / "out", **SPLIT)
    assert sum(report["left_out"].values()) == 1
    assert any("Left out when the dataset was read: 1 x" in limit for limit in report["limitations"])


def test_memory_and_time_stand_apart(config, write_npz, tmp_path, no_files):
    timing = measure(config, write_npz(), tmp_path / "out", **SPLIT)["timing"]
    assert list(timing) == ["command", "date", "seconds", "peak_memory_mib", "peak_gpu_memory_mib"]
    assert timing["peak_memory_mib"] > 1
    assert timing["peak_gpu_memory_mib"] is None, "there is no GPU in this test"


def test_faces_are_shown_only_when_asked_for(config, write_npz, tmp_path, few_changes, monkeypatch):
    names = ("reliability", "coverage", "robustness")
    monkeypatch.setattr(report_module, "draw_all", lambda report: {name: Figure((0.1, 0.1)) for name in names})
    with pytest.raises(ConfigurationError, match="--examples shows the changes of --robustness"):
        measure(config, write_npz(), tmp_path / "out", **SPLIT, examples=True)
    shown = tmp_path / "out" / "examples.png"
    measure(config, write_npz(), tmp_path / "out", **SPLIT, robustness=True, examples=True)
    assert shown.is_file()
    measure(config, write_npz(), tmp_path / "out", **SPLIT, robustness=True)
    assert not shown.exists(), "and do not stay"


def test_a_folder_of_images_by_class_is_measured(config, tmp_path, no_files):
    rng = np.random.default_rng(0)
    for name in ("happy", "sad"):
        (tmp_path / "faces" / name).mkdir(parents=True)
        for k in range(3):
            cv2.imwrite(str(tmp_path / "faces" / name / f"{k}.png"), rng.integers(0, 256, (40, 40), dtype=np.uint8))
    options = {"cache": str(tmp_path / "cache")}
    report = measure(config, tmp_path / "faces", tmp_path / "out", data_options=options)
    assert (report["n"], report["data"], report["data_options"]) == (6, "faces", options)
    assert len(report["data_sha256"]) == 64
