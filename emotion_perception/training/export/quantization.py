# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Quantizes a model to int8: a quarter of the size, and faster where the processor has int8 instructions.

The ranges of the activations are measured on calibration images with the entropy method (Migacz 2017, "8-bit Inference
with TensorRT"). Of the methods of onnxruntime it changed the fewest predictions of the shipped model on PublicTest:
1.3 %, against 2.6 % with minima and maxima and 2.0 % with all layers but convolutions and matrix products in float32;
each lost less than 0.5 points of accuracy, and all were equally fast.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationMethod

from emotion_perception.core.classification import (
    INT8_SUFFIX,
    ClassifierOptions,
    EmotionClassifier,
    ModelBundle,
    ModelSpec,
    create_classifier,
    load_model_bundle,
    save_onnx_variant,
    to_batch,
)
from emotion_perception.core.errors import DatasetError, ModelBundleError, one_line
from emotion_perception.core.retired_names import MODEL_DATA_KEYS, with_present_names
from emotion_perception.reporting.metrics import summarize
from emotion_perception.training.data_hash import data_sha256
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.evaluate.evaluator import ms_per_face, predict
from emotion_perception.training.export.calibration import fit_calibration
from emotion_perception.training.export.int8 import CalibrationInputs, input_name, write_int8_file
from emotion_perception.training.export.model_folder import copy_files, model_folder
from emotion_perception.training.export.model_metadata import measured_metrics
from emotion_perception.training.fit.data_splits import DataSplits, split_data, splits_sha256
from emotion_perception.training.recipe import recorded_recipe

INT8_ENDINGS = (f"{INT8_SUFFIX}.onnx", f"{INT8_SUFFIX}.json")
_MAX_IMAGES = 512  # for the ranges; more images change no prediction
_BATCH = 32  # images; bounds the memory


@dataclass(frozen=True)
class QuantizedModel:
    """An int8 model, compared with the float model that it was made from.

    Attributes:
        bundle: the int8 model; it shares the float model's weights file and has an ONNX file of its own.
        accuracy: of the int8 model on the validation images.
        accuracy_lost: accuracy of the float model minus that of the int8 model.
        predictions_changed: fraction of the validation images with another prediction.
        bytes_of: sizes of the two ONNX files: float, int8.
        ms_per_face: median duration of a call with one face on this CPU: float, int8.
    """

    bundle: ModelBundle
    accuracy: float
    accuracy_lost: float
    predictions_changed: float
    bytes_of: tuple[int, int]
    ms_per_face: tuple[float, float]


def quantize(model: ModelBundle, splits: DataSplits) -> QuantizedModel:
    """Writes NAME.int8.onnx and NAME.int8.json beside a model; the model's own files are not changed.

    The calibration images give the ranges and the temperature of the int8 model. Without calibration images, training
    images give the ranges, and the temperature is that of the float model.

    Args:
        model: a model with an ONNX file and metadata.
        splits: the images of its training; accuracies are measured on the validation images.
    """
    assert model.onnx is not None
    path = model.weights.with_name(f"{model.name}{INT8_SUFFIX}.onnx")
    images = splits.calibration if len(splits.calibration) else splits.train
    images = images.select(np.unique(np.linspace(0, len(images) - 1, _MAX_IMAGES).astype(int)))
    _write_int8(model.onnx, path, images.images, model.spec)
    calibration, spec = model.spec.metadata.get("calibration"), model.spec
    if count := len(splits.calibration):
        fitted = fit_calibration(_classifier(save_onnx_variant(model, path, spec)), splits.calibration)
        calibration = {"data": f"{count} images split off the training images", **fitted}
        spec = replace(spec, temperature=fitted["temperature"])
    before, after = (
        predict(_classifier(one), splits.validation, progress=True)
        for one in (model, save_onnx_variant(model, path, spec))
    )
    measured = measured_metrics(after, splits.validation, spec.metadata["measured"]["split"])
    lost = summarize(before)["accuracy"] - measured["accuracy"]
    changed = float((after.probabilities.argmax(axis=1) != before.probabilities.argmax(axis=1)).mean())
    onnx_metadata = {
        "precision": "int8 weights for each channel, uint8 activations",
        "ranges_from": f"{len(images)} {'calibration' if count else 'training'} images",
        "float_model": model.name,
        "accuracy_lost": round(lost, 6),
        "predictions_changed": round(changed, 6),
    }
    metadata = {**spec.metadata, "onnx": onnx_metadata, "calibration": calibration, "measured": measured}
    return QuantizedModel(
        bundle=save_onnx_variant(model, path, replace(spec, metadata=metadata)),
        accuracy=measured["accuracy"],
        accuracy_lost=lost,
        predictions_changed=changed,
        bytes_of=(model.onnx.stat().st_size, path.stat().st_size),
        ms_per_face=(_ms(model.onnx, splits.validation), _ms(path, splits.validation)),
    )


def quantize_model(name_or_path: str, data_path: Path, out: Path) -> QuantizedModel:
    """Quantizes a finished model without its training run; its description tells how the dataset was split.

    Args:
        name_or_path: the model, as a node's parameter `model`.
        data_path: the dataset on which it was trained.
        out: folder for NAME.int8.onnx and NAME.int8.json, and for copies of the model's files if they are elsewhere.

    Raises:
        ModelFileError, ModelBundleError: the model cannot be opened, or does not say how it was trained.
        DatasetError: the dataset is not the one on which the model was trained.
    """
    model = load_model_bundle(name_or_path)
    splits = training_splits(model, data_path)
    if model.onnx is None:
        raise ModelBundleError(f"{model.name}: has no ONNX file to quantize")
    description = model.weights.with_suffix(".json")
    files = [path for path in (model.weights, model.onnx, model.baseline, description) if path is not None]
    is_elsewhere = model.weights.parent.resolve() != out.resolve()
    copied = [path.name.removeprefix(model.name) for path in files] if is_elsewhere else []
    with model_folder(out, model.name, [*copied, *INT8_ENDINGS], inputs=[*files, data_path]) as folder:
        copy_files(files, folder)
        quantized = quantize(load_model_bundle(folder / f"{model.name}.json"), splits)
        if not is_elsewhere:
            for path in files:
                (folder / path.name).unlink()
    return replace(quantized, bundle=load_model_bundle(out / f"{model.name}{INT8_SUFFIX}.json"))


def training_splits(model: ModelBundle, data_path: Path) -> DataSplits:
    """Returns the images of a model's training.

    They are known by the hash that `export` noted of them; of a model of an earlier version, by that of the file.

    Raises:
        ModelBundleError: the model does not say how it was trained, or is a quantized form.
        DatasetError: the dataset is not the one on which it was trained.
    """
    if model.weights.stem != model.name:
        raise ModelBundleError(f"{model.name}: is a quantized form already; give {model.weights}")
    try:
        recipe = recorded_recipe(model.spec.metadata["recipe"], model.name)
        recorded = with_present_names(model.spec.metadata["data"], MODEL_DATA_KEYS)
        train_split, val_split, count = (
            recorded[key] for key in ("train_split", "epoch_selected_on", "num_train_images")
        )
        split_hash, file_hash = recorded.get("splits_sha256"), recorded["sha256"]
    except (KeyError, TypeError, AttributeError) as e:
        reason = f"{model.name}: its description does not say how it was trained"
        raise ModelBundleError(f"{reason} ({one_line(e)})") from e
    data = load_dataset(data_path, **recipe.data)
    has_val_split = data.splits is not None and val_split in data.splits
    splits = split_data(data, recipe, train_split or "", val_split if has_val_split else "")
    if len(splits.train) != count:
        raise DatasetError(f"{data_path}: {len(splits.train)} training images, {model.name} had {count}")
    same = data_sha256(data_path) == file_hash if split_hash is None else splits_sha256(splits) == split_hash
    if not same:
        raise DatasetError(f"{data_path}: not the images, labels and splits that {model.name} was trained on")
    return splits


def summary_lines(quantized: QuantizedModel) -> str:
    """Returns two lines with accuracy, size and speed of a quantized model."""
    (megabytes, int8_megabytes), (ms, int8_ms) = (size / 1e6 for size in quantized.bytes_of), quantized.ms_per_face
    lost = f"{quantized.accuracy_lost * 100:+.2f} points lost"
    return (
        f"{quantized.bundle.onnx}: accuracy {quantized.accuracy:.2%}, {lost}, "
        f"{quantized.predictions_changed:.2%} of the predictions changed\n"
        f"{megabytes:.2f} -> {int8_megabytes:.2f} MB, {ms:.2f} -> {int8_ms:.2f} ms per face on this CPU"
    )


def _write_int8(source: Path, target: Path, images: Any, spec: ModelSpec) -> None:
    """Writes the int8 version of a model's ONNX file.

    Args:
        source: the float file.
        target: the file to write.
        images: uint8 (N, H, W[, 3]) for the ranges of the activations, N at least 1.
        spec: preprocessing of the network.
    """
    name = input_name(source)

    def batch(number: int) -> dict[str, NDArray[np.float32]]:
        first = number * _BATCH
        return {name: to_batch(list(images[first : first + _BATCH]), spec)}

    write_int8_file(source, target, CalibrationInputs(-(-len(images) // _BATCH), batch), CalibrationMethod.Entropy)


def _classifier(model: ModelBundle) -> EmotionClassifier:
    return create_classifier(ClassifierOptions(model=str(model.onnx), device="cpu", precision="float32"))


def _ms(onnx: Path, data: FaceDataset) -> float:
    return ms_per_face(ClassifierOptions(model=str(onnx), device="cpu", precision="float32"), data)
