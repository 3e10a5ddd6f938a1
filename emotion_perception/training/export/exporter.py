# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Exports a training run, or a model again, as a model bundle: safetensors, its description, other formats."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from emotion_perception.core.classification import (
    BASELINE_ENDING,
    INT8_SUFFIX,
    ClassifierOptions,
    EmotionClassifier,
    ModelBundle,
    ModelSpec,
    create_classifier,
    load_model_bundle,
    read_weights,
    replace_spec,
    save_model,
    to_half,
)
from emotion_perception.core.errors import ConfigurationError, DatasetError, ModelBundleError
from emotion_perception.core.retired_names import MODEL_DATA_KEYS, with_present_names
from emotion_perception.training.architectures import build_network, open_network
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.evaluate.evaluator import predict
from emotion_perception.training.evaluate.prediction import network_logits
from emotion_perception.training.export.calibration import fit_calibration
from emotion_perception.training.export.export_formats import (
    OPSET,
    Weights,
    check_parity,
    from_torchscript,
    to_onnx,
    to_torchscript,
)
from emotion_perception.training.export.feature_output import with_features
from emotion_perception.training.export.model_folder import model_folder
from emotion_perception.training.export.model_metadata import (
    export_metadata,
    measured_metrics,
    selected_on,
    training_metadata,
)
from emotion_perception.training.export.quantization import INT8_ENDINGS, QuantizedModel, quantize, training_splits
from emotion_perception.training.fit.data_splits import DataSplits, split_data, splits_sha256
from emotion_perception.training.fit.run_directory import TrainingRun, exported_weights, load_run
from emotion_perception.training.fit.run_start import FILES

_MAX_CHANGED = 0.001  # fraction of predictions that float16 weights may change
_ENDINGS = (".safetensors", ".onnx", ".json", ".ts", BASELINE_ENDING)
_OF_ONE_FORM = ("baseline", "calibration", "measured", "onnx", "torchscript", "weights")  # metadata that is made anew


@dataclass(frozen=True)
class ExportedModel:
    """The files that `export` has written.

    Attributes:
        bundle: the model.
        parity: largest difference of a logit between torch and onnxruntime.
        metadata: of the model's spec.
        torchscript: path of the TorchScript file; None if it was not requested.
        quantized: the int8 model; None if it was not requested.
    """

    bundle: ModelBundle
    parity: float
    metadata: dict[str, Any]
    torchscript: Path | None = None
    quantized: QuantizedModel | None = None


def export(
    run_folder: Path,
    name: str,
    out: Path,
    *,
    data_path: Path | None = None,
    mirror_average: bool | None = None,
    torchscript: bool = False,
    int8: bool = False,
) -> ExportedModel:
    """Exports the best epoch of a run, or the model soup of its recipe.

    The auxiliary head is dropped, the temperature is fitted on the calibration images, and the validation images are
    measured with onnxruntime, as on a robot. The files are written to `out` only after all checks have passed; optional
    files of an earlier export with this name are deleted.

    Args:
        run_folder: directory of the run.
        name: name of the model's files.
        out: folder, created if absent.
        data_path: the run's dataset, if it has been moved.
        mirror_average: average over an image and its mirror image, see `ModelSpec`; None: as in the recipe.
        torchscript: also write NAME.ts.
        int8: also write NAME.int8.onnx and NAME.int8.json, an int8 model that shares the weights file.

    Raises:
        ModelFileError: the run is missing.
        ModelBundleError: its files are damaged, or torch and another format give different logits.
        DatasetError: the dataset is not the one that the run was trained on.
        ConfigurationError: `out` has files of these names that are not of a model, or the name is that of another
            model's int8 form or statistics.
    """
    _check_name(name)
    run = load_run(run_folder)
    weights, epoch = exported_weights(run_folder, run.recipe)
    if damaged := [tensor for tensor, array in weights.items() if not np.isfinite(array).all()]:
        raise ModelBundleError(f"{run_folder}: the numbers of {damaged[0]} are not finite; has the training diverged?")
    data_path = data_path or run.data
    data, splits = _load_splits(run, data_path)
    metadata = training_metadata(run, epoch, data_path, data, splits)
    spec = replace(_with_mirror_average(run.recipe.model_spec(), mirror_average), metadata=metadata)
    return _export(
        _Source(spec, weights, splits, selected_on(run, data)),
        name,
        out,
        inputs=[run_folder, data_path, *(run_folder / file for file in FILES)],
        torchscript=torchscript,
        int8=int8,
    )


def export_model(
    name_or_path: str,
    name: str,
    out: Path,
    *,
    data_path: Path,
    mirror_average: bool | None = None,
    torchscript: bool = False,
    int8: bool = False,
) -> ExportedModel:
    """Exports a finished model again under another name, e.g. without the average over the mirror image.

    The weights stay the same; temperature and metrics are those of the new form. Statistics of resting faces have to be
    fitted again.

    Args:
        name_or_path: the model, as a node's parameter `model`; its description tells how the dataset was split.
        name: name of the new files.
        out: folder, created if absent.
        data_path: the dataset on which the model was trained.
        mirror_average: average over an image and its mirror image, see `ModelSpec`; None: as the model does.
        torchscript: also write NAME.ts.
        int8: also write NAME.int8.onnx and NAME.int8.json.

    Raises:
        ModelFileError: a file of the model is missing.
        ModelBundleError: it does not say how it was trained, or torch and another format give different logits.
        DatasetError: the dataset is not the one that the model was trained on.
        ConfigurationError: as `export`.
    """
    _check_name(name)
    model = load_model_bundle(name_or_path)
    splits = training_splits(model, data_path)
    data = with_present_names(model.spec.metadata["data"], MODEL_DATA_KEYS)
    kept = {key: value for key, value in model.spec.metadata.items() if key not in _OF_ONE_FORM}
    spec = replace(model.spec, temperature=1.0, metadata={**kept, "data": data, **export_metadata()})
    description = model.weights.with_suffix(".json")
    return _export(
        _Source(_with_mirror_average(spec, mirror_average), read_weights(model), splits, data["epoch_selected_on"]),
        name,
        out,
        inputs=[path for path in (model.weights, model.onnx, model.baseline, description, data_path) if path],
        torchscript=torchscript,
        int8=int8,
    )


@dataclass(frozen=True)
class _Source:
    """What is exported.

    Attributes:
        spec: of the network, with a temperature of 1, and the metadata about its training and this export.
        weights: of the network.
        splits: the images of its training.
        selected_on: name of the images on which its epoch was selected, the validation images.
    """

    spec: ModelSpec
    weights: Weights
    splits: DataSplits
    selected_on: str


def _export(
    source: _Source,
    name: str,
    out: Path,
    *,
    inputs: Sequence[Path],
    torchscript: bool,
    int8: bool,
) -> ExportedModel:
    """Writes the files of a model."""
    splits = source.splits
    with model_folder(out, name, [*_ENDINGS, *INT8_ENDINGS], inputs=inputs) as folder:
        model, network, metadata = _write_model(folder, name, source.spec, source.weights, splits)
        predictions = predict(_classifier(model), splits.validation, progress=True)
        metadata = {
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            **source.spec.metadata,
            **metadata,
            "measured": measured_metrics(predictions, splits.validation, source.selected_on),
        }
        if torchscript:
            difference = _write_torchscript(folder, model, network, _unseen_images(splits))
            metadata["torchscript"] = {"largest_logit_difference": difference}
        model = replace_spec(model, replace(model.spec, metadata=metadata))
        quantized = quantize(model, splits) if int8 else None
    return ExportedModel(
        bundle=load_model_bundle(out / f"{name}.json"),
        parity=metadata["onnx"]["largest_logit_difference"],
        metadata=metadata,
        torchscript=out / f"{name}.ts" if torchscript else None,
        quantized=quantized and replace(quantized, bundle=load_model_bundle(out / f"{name}{INT8_SUFFIX}.json")),
    )


def _check_name(name: str) -> None:
    """Raises `ConfigurationError` for the name of another model's files."""
    for suffix in (INT8_SUFFIX, BASELINE_ENDING.removesuffix(".safetensors")):
        if name.lower().endswith(suffix):
            raise ConfigurationError(f"--name {name}: files of names that end in {suffix} belong to another model")


def _with_mirror_average(spec: ModelSpec, mirror_average: bool | None) -> ModelSpec:
    return spec if mirror_average is None else replace(spec, mirror_average=mirror_average)


def _load_splits(run: TrainingRun, data_path: Path) -> tuple[FaceDataset, DataSplits]:
    """Returns the run's dataset, whole and as training has split it."""
    data = load_dataset(data_path, **run.recipe.data)
    splits = split_data(data, run.recipe, run.train_split, run.val_split)
    if len(splits.train) != run.num_train_images:
        raise DatasetError(f"{data_path}: {len(splits.train)} training images, the run had {run.num_train_images}")
    if run.data_sha256 not in (None, splits_sha256(splits)):  # None: of an earlier version
        raise DatasetError(f"{data_path}: not the images, labels and splits that the run was trained on")
    return data, splits


def _write_model(
    folder: Path, name: str, spec: ModelSpec, weights: Weights, splits: DataSplits
) -> tuple[ModelBundle, nn.Module, dict[str, Any]]:
    """Writes the three files of a model, with the fitted temperature.

    Returns:
        The model, its network in torch, and the metadata about weights, ONNX file and calibration.
    """
    unseen = _unseen_images(splits)
    half, rounding = _try_half(spec, weights, unseen)
    onnx = with_features(
        to_onnx(build_network(spec, to_half(weights) if half else weights), spec.input_size),
        mirror_average=spec.mirror_average,
    )
    model = save_model(folder, name, spec, weights, onnx=onnx, half=half)
    classifier = _classifier(model)
    classifier.warm_up()
    network = open_network(model)
    parity = check_parity(network, classifier.logits, unseen.images, spec, "onnxruntime")
    calibration = None
    if len(splits.calibration):
        fitted = fit_calibration(classifier, splits.calibration)
        calibration = {"data": f"{len(splits.calibration)} images split off the training images", **fitted}
        model = replace_spec(model, replace(spec, temperature=calibration["temperature"]))
    onnx_metadata = {"opset": OPSET, "largest_logit_difference": parity}
    return model, network, {"weights": rounding, "onnx": onnx_metadata, "calibration": calibration}


def _write_torchscript(folder: Path, model: ModelBundle, network: nn.Module, unseen: FaceDataset) -> float:
    """Writes NAME.ts and returns the largest difference of a logit."""
    spec = model.spec
    content = to_torchscript(network, spec)
    script = from_torchscript(content)
    (folder / f"{model.name}.ts").write_bytes(content)
    return check_parity(network, lambda crops: network_logits(script, crops, spec), unseen.images, spec, "TorchScript")


def _unseen_images(splits: DataSplits) -> FaceDataset:
    """Returns images without training images, on which export formats are compared."""
    return splits.calibration if len(splits.calibration) else splits.validation


def _classifier(model: ModelBundle) -> EmotionClassifier:
    return create_classifier(ClassifierOptions(model=str(model.weights), device="cpu", precision="float32"))


def _try_half(spec: ModelSpec, weights: Weights, data: FaceDataset) -> tuple[bool, dict[str, Any]]:
    """Returns whether the weights are stored as float16, and the differences that this makes on unseen images."""
    full, rounded = (
        network_logits(build_network(spec, variant), data.images, spec) for variant in (weights, to_half(weights))
    )
    changed = float((full.argmax(axis=1) != rounded.argmax(axis=1)).mean())
    difference = float(np.abs(full - rounded).max())
    half = changed <= _MAX_CHANGED and math.isfinite(difference)
    return half, {
        "precision": "float16, read as float32" if half else "float32",
        "float16_predictions_changed": round(changed, 6),
        "float16_largest_logit_difference": round(difference, 6) if math.isfinite(difference) else None,
        "float16_measured_on": f"{len(data)} images that were not trained on",
    }
