import json

import numpy as np
import pytest

from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.errors import DatasetError
from emotion_perception.core.preprocessing import to_batch
from emotion_perception.training import evaluate as evaluate_module
from emotion_perception.training.datasets import load_dataset
from emotion_perception.training.engine import make_loader
from emotion_perception.training.evaluate import evaluate, predict
from emotion_perception.training.metrics import Answers
from emotion_perception.training.report import reliability

KEYS = {
    "n",
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "top3",
    "ece",
    "per_class",
    "confusion",
    "labels",
    "ms_per_face",
}


@pytest.fixture
def config(exported_model, monkeypatch):
    monkeypatch.setattr(evaluate_module, "_TIMED", 5)
    return ClassifierConfig(model=str(exported_model.checkpoint.weights), device="cpu", num_threads=1)


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
    assert "30 pictures" in (tmp_path / "out" / "report.md").read_text()
    for name in ("confusion.png", "reliability.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG")


def test_the_same_file_gives_the_same_figures_but_for_the_time(config, write_npz, tmp_path):
    first, second = (measure(config, write_npz(), tmp_path / name, split="PublicTest") for name in ("a", "b"))
    assert {**first, "ms_per_face": 0} == {**second, "ms_per_face": 0}


def test_every_route_prepares_the_same_inputs(config, exported_model, write_npz):
    data = load_dataset(write_npz(count=14))
    batches = []

    class Recording:
        device = "fake"

        def __call__(self, batch):
            batches.append(batch)
            return np.zeros((len(batch), 7), np.float32)

    checkpoint = exported_model.checkpoint
    predict(evaluate_module.EmotionClassifier(checkpoint, Recording()), data, progress=False)
    ((training, _, _),) = list(make_loader(data, checkpoint.spec, batch_size=100, shuffle=False))
    node = to_batch(list(data.images), checkpoint.spec)
    assert (np.concatenate(batches) == node).all()
    assert (training.numpy() == node.astype(np.float16)).all()


def test_the_answers_do_not_depend_on_the_batches(config, write_npz, monkeypatch):
    classifier, data = evaluate_module.create_classifier(config), load_dataset(write_npz(count=14))
    whole = predict(classifier, data, progress=False)
    monkeypatch.setattr(evaluate_module, "_BATCH", 3)
    assert predict(classifier, data, progress=False) == pytest.approx(whole, abs=1e-5)


def test_classes_can_be_left_out(config, write_npz, tmp_path):
    names = np.array(["anger", "disgust", "fear", "happiness", "sadness", "surprise", "contempt"])
    data = write_npz(class_names=names)
    with pytest.raises(DatasetError, match="no label for contempt; leave out with --ignore-classes"):
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


def test_colour_pictures_of_another_size_are_measured_too(config, write_npz, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (120, 20, 30, 3), dtype=np.uint8)
    assert measure(config, write_npz(images=images), tmp_path / "out", split="PublicTest")["n"] == 30


def test_the_reliability_bins_hold_every_answer_once():
    rows = np.array([[0.5, 0.5], [1.0, 0.0], [0.9, 0.1], [0.93, 0.07]], np.float32)
    _, accuracies, counts = reliability(Answers(rows, np.array([0, 0, 1, 0]), ("a", "b")))
    assert (counts.sum(), counts[7], counts[13], counts[14]) == (4, 1, 2, 1)
    assert (accuracies[13], accuracies[14]) == (0.5, 1.0)
