# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fits the head that reads an expression relative to a resting face.

It is a linear discriminant on the shift D = features - resting features: class c has the mean s (m_c - m_neutral),
where m_c is the mean of the features of a class, and all classes have the covariance C + a tr(C)/F I, where C is that
of the shifts of neutral faces under other light and in other positions. No data with several images of a person is
needed.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray

from emotion_perception.core.classification import (
    BASELINE_ENDING,
    INT8_SUFFIX,
    ClassifierOptions,
    EmotionClassifier,
    ModelBundle,
    RestingHead,
    create_classifier,
    load_model_bundle,
    replace_onnx,
    save_baseline,
    save_onnx_variant,
)
from emotion_perception.core.classification.precision import int8_form
from emotion_perception.core.classification.resting_expression import NEUTRAL
from emotion_perception.core.errors import DatasetError, ModelBundleError, one_line
from emotion_perception.reporting.progress import progress_bar
from emotion_perception.training.data_hash import data_sha256
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.evaluate.prediction import BATCH, Image
from emotion_perception.training.export.calibration import fit_temperature
from emotion_perception.training.export.feature_output import has_features, with_features
from emotion_perception.training.export.model_folder import copy_files, model_folder
from emotion_perception.training.export.quantization import INT8_ENDINGS
from emotion_perception.training.recipe import check_seed

REGULARIZATION = 100.0  # a; a larger one confuses light with expressions, a smaller one anger with disgust
STILL_NEUTRAL = 0.995  # fraction of relit and moved neutral faces that have to stay neutral; decides s
_SCALES = np.arange(0.2, 1.5, 0.02)  # of s
_MAX_OF_CLASS = 2000  # images; with 600 the scale varies by a tenth from seed to seed
_CHANGES = 2  # of each kind for each neutral face
_FEWEST = 10  # images of each class
_GAMMA = 2.2  # of the images
Array = NDArray[np.float64]


@dataclass(frozen=True)
class FittedBaseline:
    """A model with statistics of resting faces.

    Attributes:
        bundle: the model.
        figures: what was fitted: `scale`, `temperature`, `still_neutral`, and `int8_changed`, the fraction of these
            faces for which the int8 form predicts another label; None without such a form.
    """

    bundle: ModelBundle
    figures: dict[str, Any]


def fit_baseline(
    name_or_path: str, data_path: Path, out: Path, *, split: str | None = None, seed: int = 0
) -> FittedBaseline:
    """Fits the statistics of resting faces, and writes the model with them.

    The model's files are copied to `out`; its ONNX files get the output `features` if they lack it, with the same
    logits.

    Args:
        name_or_path: the model.
        data_path: images on which it was trained, see `datasets`; with the label `neutral`.
        out: folder, created if absent; may be that of the model.
        split: name of the split; required where the dataset has splits.
        seed: of the selection of images and of their changes.

    Raises:
        ModelFileError, ModelBundleError: the model cannot be opened, or its network ends in no linear layer.
        DatasetError: the dataset cannot be read, or has too few images of a class.
        ConfigurationError: `seed` is out of range.
    """
    check_seed(seed)
    model = load_model_bundle(name_or_path)
    if model.onnx is None:
        raise ModelBundleError(f"{model.name}: has no ONNX file")
    if NEUTRAL not in model.spec.labels:
        raise ModelBundleError(f"{model.name}: has no label '{NEUTRAL}'")
    data = load_dataset(data_path).split(split).usable_for_training()
    quantized = int8_form(model)
    endings = [".safetensors", ".onnx", ".json", BASELINE_ENDING, *(INT8_ENDINGS if quantized else ())]
    files = [model.weights, *(form.onnx for form in (model, quantized) if form is not None and form.onnx is not None)]
    read = [data_path] if model.weights.parent.resolve() == out.resolve() else [*files, data_path]
    with model_folder(out, model.name, endings, inputs=read) as folder:
        copy_files((*files, *(path.with_suffix(".json") for path in files[1:])), folder)
        if model.baseline is not None:
            copy_files([model.baseline], folder)
        copy = _with_features(load_model_bundle(folder / f"{model.name}.json"))
        classifier = _classifier(copy)
        head, figures, faces, features = _fit(classifier, data, seed)
        if quantized:
            form = _with_features(load_model_bundle(folder / f"{model.name}{INT8_SUFFIX}.json"))
            figures["int8_changed"] = _changed(head, features, _features(_classifier(form), faces))
        figures |= {"data": data_path.name, "data_sha256": data_sha256(data_path, progress=False), "split": split}
        tensors = {"weight": head.weight, "bias": head.bias}
        metadata = {**copy.spec.metadata, "baseline": figures}
        copy = save_baseline(copy, tensors, replace(copy.spec, metadata=metadata))
        if quantized:
            assert form.onnx is not None
            save_onnx_variant(copy, form.onnx, replace(form.spec, metadata={**form.spec.metadata, "baseline": figures}))
    return FittedBaseline(load_model_bundle(out / f"{model.name}.json"), figures)


def summary_lines(fitted: FittedBaseline) -> str:
    """Returns lines with the figures of a fit."""
    figures = fitted.figures
    lines = [
        f"{fitted.bundle.baseline}: {figures['still_neutral']:.2%} of {figures['num_still']} relit and moved neutral "
        f"faces stay neutral (scale {figures['scale']}, temperature {figures['temperature']})"
    ]
    if figures["int8_changed"] is not None:
        lines.append(f"int8: another label for {figures['int8_changed']:.2%} of {figures['num_faces']} faces")
    return "\n".join(lines)


def fit_head(classifier: EmotionClassifier, data: FaceDataset, *, seed: int) -> tuple[RestingHead, dict[str, Any]]:
    """Fits the head on labeled images.

    The scale s is the smallest for which `STILL_NEUTRAL` of the changed neutral faces stay neutral; half of the neutral
    faces are kept for this. The temperature is fitted on the same faces and on faces of each class relative to the mean
    neutral face.

    Args:
        classifier: opened with features.
        data: images with the labels of the classifier.
        seed: of the selection of images and of their changes.

    Returns:
        The head and the figures of the fit.

    Raises:
        DatasetError: there are too few images of a class.
    """
    head, figures, _, _ = _fit(classifier, data, seed)
    return head, figures


def _fit(
    classifier: EmotionClassifier, data: FaceDataset, seed: int
) -> tuple[RestingHead, dict[str, Any], list[Image], Array]:
    """Returns what `fit_head` does, and the faces that were used, with their features."""
    rng = np.random.default_rng(seed)
    truth = data.labels_in(classifier.labels)
    rows = [rng.permutation(np.flatnonzero(truth == k))[:_MAX_OF_CLASS] for k in range(len(classifier.labels))]
    for label, chosen in zip(classifier.labels, rows, strict=True):
        if len(chosen) < _FEWEST:
            raise DatasetError(f"{len(chosen)} images of {label}, at least {_FEWEST} are needed")
    neutral = classifier.labels.index(NEUTRAL)
    resting = [np.asarray(data.images[row]) for row in rows[neutral]]
    changed = [change(image, rng) for image in resting for change in (relit, moved) for _ in range(_CHANGES)]
    faces = [np.asarray(data.images[row]) for chosen in rows for row in chosen]
    of_faces, of_changed = _features(classifier, faces), _features(classifier, changed)
    labels = np.repeat(np.arange(len(rows)), [len(chosen) for chosen in rows])
    means = np.stack([of_faces[labels == k].mean(axis=0) for k in range(len(rows))])
    shifts = of_changed.reshape(len(resting), -1, of_faces.shape[1]) - of_faces[labels == neutral][:, None]
    half = len(resting) // 2
    covariance = np.cov(shifts[:half].reshape(-1, shifts.shape[-1]).T)
    ridge = REGULARIZATION * np.trace(covariance) / len(covariance)
    directions = np.linalg.solve(covariance + ridge * np.eye(len(covariance)), (means - means[neutral]).T).T
    still = shifts[half:].reshape(-1, shifts.shape[-1])
    scale, weight, bias = _scaled(directions, means - means[neutral], still, neutral)
    logits = np.concatenate((of_faces - means[neutral], still)) @ weight.T + bias
    expected = np.concatenate((labels, np.full(len(still), neutral)))
    temperature = round(fit_temperature(logits.astype(np.float32), expected), 4)
    head = RestingHead((weight / temperature).astype(np.float32), (bias / temperature).astype(np.float32))
    figures = {
        "scale": round(float(scale), 4),
        "temperature": temperature,
        "regularization": REGULARIZATION,
        "still_neutral": round(_fraction_neutral(still, weight, bias, neutral), 6),
        "num_still": len(still),
        "num_faces": len(faces),
        "seed": seed,
        "int8_changed": None,
    }
    return head, figures, faces, of_faces


def relit(image: Image, rng: np.random.Generator) -> Image:
    """Returns an image under light from one side, with another exposure."""
    height, width = image.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    angle = rng.uniform(-0.5, 0.5) + (np.pi if rng.random() < 0.5 else 0.0)
    across = x * np.cos(angle) + y * np.sin(angle)
    if rng.random() < 0.5:
        light = np.exp(rng.uniform(0.3, 1.3) * across)
    else:
        least = rng.uniform(0.1, 0.5)
        light = least + (1 - least) / (1 + np.exp(-rng.uniform(2, 8) * (across - rng.uniform(-0.2, 0.2))))
    linear = (image / 255.0) ** _GAMMA
    lit = linear * (light if image.ndim == 2 else light[..., None])
    lit *= (image / 255.0).mean() / max(float(lit.mean()), 1e-3) * rng.uniform(0.6, 1.2)
    return np.asarray(np.clip(lit, 0, 1) ** (1 / _GAMMA) * 255, np.uint8)


def moved(image: Image, rng: np.random.Generator, *, strength: float = 1.0) -> Image:
    """Returns an image turned, scaled and shifted by a little, as the boxes of a detector are."""
    height, width = image.shape[:2]
    degrees, scale = strength * rng.normal(0, 4), 1 + strength * rng.uniform(-0.06, 0.06)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    matrix[:, 2] += strength * rng.normal(0, 0.025, 2) * width
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _scaled(directions: Array, offsets: Array, still: Array, neutral: int) -> tuple[float, Array, Array]:
    """Returns the smallest scale that keeps still faces neutral, or the largest one, with the weight and bias of it."""
    scale, weight, bias = 0.0, directions, np.zeros(len(directions))
    for scale in _SCALES:
        weight = scale * directions
        bias = -0.5 * scale * (weight * offsets).sum(axis=1)
        if _fraction_neutral(still, weight, bias, neutral) >= STILL_NEUTRAL:
            break
    return scale, weight, bias


def _fraction_neutral(shifts: Array, weight: Array, bias: Array, neutral: int) -> float:
    return float(((shifts @ weight.T + bias).argmax(axis=1) == neutral).mean())


def _features(classifier: EmotionClassifier, images: list[Image]) -> Array:
    rows = []
    with progress_bar(len(images), "features of faces", shown=True) as bar:
        for begin in range(0, len(images), BATCH):
            rows.append(classifier.features(images[begin : begin + BATCH]))
            bar.update(len(rows[-1]))
    return np.concatenate(rows).astype(np.float64)


def _changed(head: RestingHead, features: Array, other_features: Array) -> float:
    """Returns the fraction of faces that two forms of a model label differently, relative to the mean face."""
    projections = [head.project(each.astype(np.float32)) for each in (features, other_features)]
    labels = [head.probabilities(each, each.mean(axis=0)).argmax(axis=1) for each in projections]
    return round(float((labels[0] != labels[1]).mean()), 6)


def _with_features(model: ModelBundle) -> ModelBundle:
    assert model.onnx is not None
    create_classifier(ClassifierOptions(model=str(model.onnx), device="cpu", precision="float32")).warm_up()
    try:
        content = with_features(model.onnx.read_bytes(), mirror_average=model.spec.mirror_average)
    except onnx.checker.ValidationError as e:
        raise ModelBundleError(f"{model.onnx}: cannot get the output features ({one_line(e)})") from e
    if not has_features(content):
        raise ModelBundleError(
            f"{model.name}: {model.spec.architecture} does not end in a linear layer, as needed here"
        )
    return replace_onnx(model, content)


def _classifier(model: ModelBundle) -> EmotionClassifier:
    options = ClassifierOptions(model=str(model.onnx), device="cpu", precision="float32")
    return create_classifier(options, features=True)
