# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Turns a training run into a model that ships: safetensors, its description, and twins of the same weights."""

import logging
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from emotion_perception.core.classification.classifier import EmotionClassifier, create_classifier
from emotion_perception.core.classification.model_bundle import (
    ModelBundle,
    load_model_bundle,
    read_weights,
    replace_spec,
    save_model,
    to_half,
)
from emotion_perception.core.classification.preprocessing import ModelSpec
from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.export.calibration import fit
from emotion_perception.training.export.export_formats import (
    OPSET,
    Weights,
    check_parity,
    from_torchscript,
    logits_of_network,
    network_of,
    to_onnx,
    to_torchscript,
)
from emotion_perception.training.export.model_metadata import answers_of, chosen_on, metadata_of, metrics_of
from emotion_perception.training.export.quantize import SUFFIX, QuantizedModel, quantize
from emotion_perception.training.fit.run_directory import Run, exported_weights, load_run
from emotion_perception.training.fit.train import Parts, divide, spec_of

_log = logging.getLogger(__name__)
_MOST_CHANGED = 0.001  # share of answers that float16 weights may change
_OPTIONAL = (".ts", f"{SUFFIX}.onnx", f"{SUFFIX}.json")  # what NAME may have beside its three files


@dataclass(frozen=True)
class Export:
    """What `export` wrote.

    Attributes:
        checkpoint: the model.
        parity: largest difference of a logit between torch and onnxruntime.
        figures: the metadata written into its description.
        torchscript: path of the TorchScript file, where it was asked for.
        quantized: the int8 model, where it was asked for; the paths in it are no longer there.
    """

    checkpoint: ModelBundle
    parity: float
    figures: dict[str, Any]
    torchscript: Path | None = None
    quantized: QuantizedModel | None = None


def export(
    run_folder: Path,
    name: str,
    out: Path,
    *,
    data_path: Path | None = None,
    torchscript: bool = False,
    int8: bool = False,
) -> Export:
    """Exports the best epoch of a run, or the blend that its recipe asks for.

    A second head is dropped, the temperature is fitted on the images that training kept apart, and the images that
    chose the epoch are measured once, through onnxruntime as on a robot. The files appear in `out` only when all of
    this has worked; twins of an earlier export of that name are removed.

    Args:
        run_folder: what `train` wrote.
        name: of the model's files.
        out: folder, made if absent.
        data_path: the run's data, where it has moved since.
        torchscript: also write NAME.ts.
        int8: also write NAME.int8.onnx and NAME.int8.json, a model of its own with the same weights' file.

    Raises:
        ModelFileError: the run is not there.
        ModelBundleError: its files are damaged, or torch and a twin disagree.
        DatasetError: the data is not that which the run learnt from.
    """
    run = load_run(run_folder)
    weights, epoch = exported_weights(run_folder, run.recipe)
    data_path = data_path or run.data
    data, parts = _data(run, data_path)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model, network, figures = _write_model(folder, name, spec_of(run.recipe), weights, parts)
        metadata = {
            **metadata_of(run, epoch, data_path, data, parts, network),
            **figures,
            "measured": metrics_of(answers_of(_classifier(model), parts.choose), parts.choose, chosen_on(run, data)),
        }
        if torchscript:
            metadata["torchscript"] = {
                "largest_logit_difference": _write_torchscript(folder, model, network, _probe(parts))
            }
        model = replace_spec(model, replace(model.spec, metadata=metadata))
        quantized = quantize(model, parts) if int8 else None
        _publish(folder, name, out)
    return Export(
        checkpoint=load_model_bundle(out / f"{name}.json"),
        parity=figures["onnx"]["largest_logit_difference"],
        figures=metadata,
        torchscript=out / f"{name}.ts" if torchscript else None,
        quantized=quantized and replace(quantized, checkpoint=load_model_bundle(out / f"{name}{SUFFIX}.json")),
    )


def _data(run: Run, data_path: Path) -> tuple[FaceDataset, Parts]:
    """Returns all of the run's data, and what training made of it."""
    data = load_dataset(data_path, **run.recipe.data)
    parts = divide(data, run.recipe, run.train_split, run.val_split)
    if len(parts.learn) != run.num_train_images:
        raise DatasetError(f"{data_path}: {len(parts.learn)} images to learn from, the run had {run.num_train_images}")
    return data, parts


def _write_model(
    folder: Path, name: str, spec: ModelSpec, weights: Weights, parts: Parts
) -> tuple[ModelBundle, nn.Module, dict[str, Any]]:
    """Writes the three files of a model, its temperature fitted.

    Returns:
        The model, its network as torch will run it, and what its metadata say of this.
    """
    probe = _probe(parts)
    half, rounding = _try_half(spec, weights, probe)
    onnx = to_onnx(network_of(spec, to_half(weights) if half else weights), spec.input_size)
    model = save_model(folder, name, spec, weights, onnx=onnx, half=half)
    classifier = _classifier(model)
    classifier.warm_up()
    network = network_of(spec, read_weights(model))  # as torch on a robot will have it
    parity = check_parity(network, classifier.logits, probe.images, spec, "onnxruntime")
    calibration = None
    if len(parts.holdout):
        calibration = {"data": f"{len(parts.holdout)} training images kept apart", **fit(classifier, parts.holdout)}
        model = replace_spec(model, replace(spec, temperature=calibration["temperature"]))
    twin = {"opset": OPSET, "largest_logit_difference": parity}
    return model, network, {"weights": rounding, "onnx": twin, "calibration": calibration}


def _write_torchscript(folder: Path, model: ModelBundle, network: nn.Module, probe: FaceDataset) -> float:
    """Writes NAME.ts and returns the largest difference of a logit."""
    spec = model.spec
    content = to_torchscript(network, spec)
    twin = from_torchscript(content)
    (folder / f"{model.name}.ts").write_bytes(content)
    return check_parity(network, lambda crops: logits_of_network(twin, crops, spec), probe.images, spec, "TorchScript")


def _probe(parts: Parts) -> FaceDataset:
    """Returns images not learnt from, to compare forms of the network on."""
    return parts.holdout if len(parts.holdout) else parts.choose


def _classifier(model: ModelBundle) -> EmotionClassifier:
    return create_classifier(ClassifierConfig(model=str(model.weights), device="cpu"))


def _try_half(spec: ModelSpec, weights: Weights, data: FaceDataset) -> tuple[bool, dict[str, Any]]:
    """Returns whether the weights may be rounded to float16, and what that changes on images not learnt from."""
    full, rounded = (
        logits_of_network(network_of(spec, variant), data.images, spec) for variant in (weights, to_half(weights))
    )
    changed = float((full.argmax(axis=1) != rounded.argmax(axis=1)).mean())
    half = changed <= _MOST_CHANGED
    return half, {
        "precision": "float16, read as float32" if half else "float32",
        "float16_answers_changed": round(changed, 6),
        "float16_largest_logit_difference": round(float(np.abs(full - rounded).max()), 6),
        "float16_examined_on": f"{len(data)} images not learnt from",
    }


def _publish(folder: Path, name: str, out: Path) -> None:
    """Copies the finished files into `out`, descriptions last, so that a reader never sees half a model."""
    out.mkdir(parents=True, exist_ok=True)
    for ending in _OPTIONAL:
        (out / f"{name}{ending}").unlink(missing_ok=True)
    for path in sorted(folder.iterdir(), key=lambda path: path.suffix == ".json"):
        (out / path.name).write_bytes(path.read_bytes())
        _log.info("%s, %d bytes", out / path.name, path.stat().st_size)
