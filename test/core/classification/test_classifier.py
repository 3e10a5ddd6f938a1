# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emotion_perception.core.classification import EmotionClassifier, create_classifier, softmax
from emotion_perception.core.classification import classifier as classifier_module
from emotion_perception.core.classification.model_bundle import load_model_bundle, replace_spec, shipped_models
from emotion_perception.core.classification.options import ClassifierOptions
from emotion_perception.core.classification.preprocessing import to_batch
from emotion_perception.core.errors import ConfigurationError, ImageError, ModelBundleError, ModelFileError
from emotion_perception.core.inference import devices

CROPS = list(np.random.default_rng(1).integers(0, 256, (5, 40, 30, 3), dtype=np.uint8))


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(devices, "_NVIDIA_DEVICES", ())


@pytest.fixture
def classifier(build_model, no_gpu):
    return create_classifier(ClassifierOptions(model=str(build_model().weights)))


def open_model(bundle, **options):
    return create_classifier(ClassifierOptions(model=str(bundle.weights), **options))


class RecordingBackend:
    device, fallback, problem = "fake:0", False, ""

    def __init__(self):
        self.batches = []

    def __call__(self, batch):
        self.batches.append(batch)
        return np.tile(np.arange(7, dtype=np.float32), (len(batch), 1))


def test_each_face_gets_a_row_of_probabilities_that_sums_to_one(classifier):
    rows = classifier.classify(CROPS)
    assert (rows.shape, rows.dtype) == ((5, 7), np.float32)
    assert rows.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert (rows >= 0).all()


@pytest.mark.guarantee(
    "A batch gives the probabilities of single faces within 1e-5.", section="Emotion classifier node"
)
def test_a_batch_gives_what_each_face_gives_alone(classifier):
    alone = np.concatenate([classifier.classify([crop]) for crop in CROPS])
    assert classifier.classify(CROPS) == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_crop_for_which_an_output_is_not_finite_has_no_probabilities_and_the_others_do(build_model, bad):
    class DamagedBackend(RecordingBackend):
        def __call__(self, batch):
            rows = super().__call__(batch)
            rows[1, 3] = bad
            return rows

    rows = EmotionClassifier(build_model(), DamagedBackend()).classify(CROPS)
    assert np.isnan(rows[1]).all()
    assert np.delete(rows, 1, axis=0).sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_no_faces_give_no_rows(classifier):
    assert classifier.classify([]).shape == (0, 7)


def test_all_faces_of_a_frame_are_one_batch_of_the_common_input(build_model):
    backend = RecordingBackend()
    bundle = build_model()
    EmotionClassifier(bundle, backend).classify(CROPS)
    (batch,) = backend.batches
    assert (batch == to_batch(CROPS, bundle.spec)).all()


def test_the_classifier_says_what_it_is(build_model, no_gpu):
    bundle = build_model(labels=("b", "a"))
    opened = open_model(bundle)
    assert (opened.labels, opened.model_name, opened.model_sha256) == (("b", "a"), "linear", bundle.sha256)
    assert (opened.device, opened.fallback, opened.spec) == ("cpu", False, bundle.spec)


def test_the_temperature_of_the_description_is_applied(build_model, no_gpu):
    bundle = build_model()
    logits = open_model(bundle).logits(CROPS)
    softer = open_model(replace_spec(bundle, build_model(temperature=3.0).spec))
    assert softer.classify(CROPS) == pytest.approx(softmax(logits, 3.0), abs=1e-6)


@pytest.mark.parametrize(
    ("logits", "temperature", "expected"),
    [
        ([[0.0, 0.0]], 1.0, [[0.5, 0.5]]),
        ([[1000.0, 0.0]], 1.0, [[1.0, 0.0]]),
        ([[-1000.0, -1000.0]], 0.1, [[0.5, 0.5]]),
        ([[2.0, 0.0]], 2.0, [[0.731059, 0.268941]]),
    ],
)
def test_softmax_is_stable_for_any_logits(logits, temperature, expected):
    assert softmax(np.array(logits, np.float32), temperature) == pytest.approx(np.array(expected), abs=1e-6)


@pytest.mark.parametrize("crop", [np.zeros((0, 4), np.uint8), np.zeros((4, 4), np.float64)])
def test_a_crop_that_is_no_image_is_refused(classifier, crop):
    with pytest.raises(ImageError):
        classifier.classify([crop])


def test_labels_that_do_not_fit_the_head_are_refused_at_the_start(build_model, no_gpu):
    with pytest.raises(ModelBundleError, match=r"linear.onnx: has \[8\] outputs per face for 7 labels"):
        open_model(build_model(outputs=8))


def test_an_input_size_that_does_not_fit_is_refused_at_the_start(build_model, no_gpu):
    with pytest.raises(ModelBundleError, match=r"takes images of \[1, 12, 12\], the spec has 8 pixels"):
        open_model(build_model(size=12))


def test_a_damaged_onnx_file_is_refused_in_one_line(build_model, no_gpu, tmp_path):
    from emotion_perception.core.classification.model_bundle import save_model

    spec = build_model().spec
    broken = save_model(tmp_path, "broken", spec, {"weight": np.zeros((7, 64), np.float32)}, onnx=b"\x08\x08nonsense")
    with pytest.raises(ModelFileError, match=r"broken.onnx: not an ONNX file that onnxruntime can run") as refusal:
        open_model(broken)
    assert "\n" not in str(refusal.value)


def test_damaged_weights_are_found_at_warm_up(build_model):
    class NotFinite(RecordingBackend):
        def __call__(self, batch):
            return np.full((len(batch), 7), np.nan, np.float32)

    with pytest.raises(ModelBundleError, match="not finite"):
        EmotionClassifier(build_model(), NotFinite()).warm_up()


def test_warm_up_runs_a_batch_of_one_and_of_more(build_model):
    backend = RecordingBackend()
    EmotionClassifier(build_model(), backend).warm_up()
    assert [len(batch) for batch in backend.batches] == [1, 2]


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:7"])
def test_a_named_gpu_that_is_absent_ends_the_start(build_model, no_gpu, device):
    with pytest.raises(ConfigurationError, match=f"^device is '{device}', but there is no NVIDIA device; 'auto' takes"):
        open_model(build_model(), device=device)


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_the_cpu_is_no_fallback_where_no_gpu_was_asked_for(build_model, no_gpu, caplog, device):
    assert not open_model(build_model(), device=device).fallback
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_a_required_gpu_that_is_absent_ends_the_start(build_model, no_gpu, device):
    with pytest.raises(ConfigurationError, match="require_gpu is set, but "):
        open_model(build_model(), device=device, require_gpu=True)


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cuda:-1", ""])
def test_an_unknown_device_is_refused(build_model, device):
    with pytest.raises(ConfigurationError, match=f"device '{device}' is none of"):
        open_model(build_model(), device=device)


def test_an_nvidia_device_without_torch_is_no_gpu(build_model, monkeypatch):
    monkeypatch.setattr(devices, "_NVIDIA_DEVICES", ("/",))
    monkeypatch.setitem(sys.modules, "torch", None)
    assert open_model(build_model(), device="auto").device == "cpu"
    for options in ({"device": "cuda"}, {"device": "auto", "require_gpu": True}):
        with pytest.raises(ConfigurationError, match="torch is not installed"):
            open_model(build_model(), **options)


@pytest.mark.parametrize(
    ("available", "device", "words"), [(False, "cuda", "torch finds no CUDA"), (True, "cuda:7", "finds 2 CUDA device")]
)
def test_an_nvidia_device_that_torch_cannot_use_is_no_gpu(build_model, monkeypatch, available, device, words):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setattr(devices, "_NVIDIA_DEVICES", ("/",))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ConfigurationError, match=words):
        open_model(build_model(), device=device)


def test_a_model_without_onnx_twin_says_what_it_needs_on_a_cpu_without_torch(build_model, no_gpu, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelBundleError, match="has no ONNX export, and torch is not installed"):
        open_model(build_model(with_onnx=False))


def test_a_missing_model_is_refused():
    with pytest.raises(ModelFileError, match="no model 'none_such'"):
        create_classifier(ClassifierOptions(model="none_such"))


@pytest.mark.parametrize(
    "name", shipped_models() or [pytest.param("", marks=pytest.mark.skip("no model is shipped yet"))]
)
def test_every_shipped_model_classifies_on_the_cpu(name):
    shipped = create_classifier(ClassifierOptions(model=name, device="cpu"))
    shipped.warm_up()
    assert shipped.classify(CROPS) == pytest.approx(
        np.concatenate([shipped.classify([crop]) for crop in CROPS]), abs=1e-5
    )
    assert load_model_bundle(name).sha256 == shipped.model_sha256


def test_the_shipped_model_is_as_good_as_it_says():
    data_path = Path(__file__).parents[3].parent / "shared" / "data" / "fer2013.npz"
    if not shipped_models():
        pytest.skip("no model is shipped yet")
    if not data_path.is_file():
        pytest.skip(f"{data_path} is not there: FER-2013 may not be passed on")
    shipped = create_classifier(ClassifierOptions(model=ClassifierOptions().model, device="cpu"))
    with np.load(data_path) as data:
        test = data["split"] == list(data["split_names"]).index("PublicTest")
        images, names, labels = data["images"][test][::4], data["class_names"], data["labels"][test][::4]
    answers = np.concatenate([shipped.classify(list(images[k : k + 64])) for k in range(0, len(images), 64)])
    right = np.array(shipped.labels)[answers.argmax(axis=1)] == names[labels]
    assert right.mean() == pytest.approx(shipped.spec.metadata["measured"]["accuracy"], abs=0.03), "898 images"


def test_the_default_model_is_small_good_and_honestly_made():
    spec = load_model_bundle(ClassifierOptions().model).spec
    made, measured = spec.metadata, spec.metadata["measured"]
    assert made["parameters"] <= 3_000_000
    assert (measured["split"], measured["n"]) == ("PublicTest", 3589)
    assert measured["accuracy"] >= 0.695
    assert not spec.mirror_average, "one pass"
    assert made["data"]["train_split"] == "Training"
    assert made["data"]["num_train_images"] < 28_709 - 703, "the 703 leaked images are left out"
    assert made["data"]["epoch_selected_on"] == "PublicTest"


def test_importing_the_classifier_imports_neither_torch_nor_onnxruntime():
    program = (
        "import sys, emotion_perception.core.classification.classifier; "
        "print(sorted({'torch', 'onnxruntime', 'safetensors'} & sys.modules.keys()))"
    )
    root = str(Path(classifier_module.__file__).parents[3])
    assert subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.guarantee("Opening a model makes no network connection.", section="Every node")
def test_opening_a_model_reports_nothing_to_anybody(tmp_path):
    code = (
        "from emotion_perception.core.classification.classifier import create_classifier\n"
        "from emotion_perception.core.classification.options import ClassifierOptions\n"
        "create_classifier(ClassifierOptions(device='cpu')).warm_up()"
    )
    silencers = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS")  # the first and last would hide the fault
    environment = {key: value for key, value in os.environ.items() if key not in silencers}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)
    assert not list(tmp_path.rglob("*onnxruntime*")), "onnxruntime keeps what it wants to send"
