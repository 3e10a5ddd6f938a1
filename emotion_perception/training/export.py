"""Turns a training run into a model that ships: safetensors, its description, and an ONNX twin of the same weights."""

import io
import logging
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emotion_perception.core.checkpoint import (
    Checkpoint,
    load_checkpoint,
    read_weights,
    replace_spec,
    save_model,
    to_float32,
    to_half,
)
from emotion_perception.core.classification import EmotionClassifier, create_classifier
from emotion_perception.core.config import ClassifierConfig
from emotion_perception.core.errors import CheckpointError, DatasetError
from emotion_perception.core.model_files import file_sha256
from emotion_perception.core.networks import load_weights
from emotion_perception.core.preprocessing import ModelSpec, to_batch
from emotion_perception.training.architectures import MirrorAverage, create_network
from emotion_perception.training.calibrate import fit
from emotion_perception.training.datasets import FaceDataset, load_dataset
from emotion_perception.training.evaluate import predict
from emotion_perception.training.metrics import Answers, subsets, summarise
from emotion_perception.training.provenance import command_line, now, package_version
from emotion_perception.training.runs import BEST, Run, load_run, network_weights, read_checkpoint
from emotion_perception.training.train import Parts, divide, spec_of

_log = logging.getLogger(__name__)
OPSET = 17  # read by every onnxruntime from 1.13 on
PARITY = 1e-4  # largest difference of a logit between torch and onnxruntime
_MOST_CHANGED = 0.001  # share of answers that float16 weights may change
_BATCH = 128
_TERMS = {
    "fer2013": "FER-2013: the rights in its pictures, collected from the web, are unresolved; research use. "
    "FER+ votes: MIT. The pictures are not contained in the weights' files.",
}
_INTENDED_USE = (
    "Names the expression that a face shows in one picture: seven classes, trained on web photographs of posed and "
    "spontaneous faces, cropped to the face, labelled by people who agree on about 65 % of them. An expression is not "
    "a feeling, and this is not a means to judge a person. Not examined for equal accuracy across age, gender or skin "
    "colour. The EU AI Act, Art. 5(1)(f), prohibits inferring emotions at work and in education."
)
Weights = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Export:
    """What `export` wrote.

    Attributes:
        checkpoint: the model.
        parity: largest difference of a logit between torch and onnxruntime.
        figures: the metadata written into its description.
    """

    checkpoint: Checkpoint
    parity: float
    figures: dict[str, Any]


def export(run_folder: Path, name: str, out: Path, *, data_path: Path | None = None) -> Export:
    """Exports the best epoch of a run.

    The second head is dropped, the temperature is fitted on the pictures that training kept apart, and the split that
    chose the epoch is measured once, through onnxruntime as on a robot. The files appear in `out` only when all of
    this has worked.

    Args:
        run_folder: what `train` wrote.
        name: of the model's files.
        out: folder, made if absent.
        data_path: the run's data file, where it has moved since.

    Raises:
        ModelFileError: the run is not there.
        CheckpointError: its files are damaged, or torch and onnxruntime disagree.
        DatasetError: the data file is not the one that the run learnt from.
    """
    run, checkpoint = load_run(run_folder), read_checkpoint(run_folder / BEST)
    data_path = data_path or run.data
    parts = divide(load_dataset(data_path), run.recipe, run.train_split, run.choose_split)
    if len(parts.learn) != run.pictures_learnt:
        raise DatasetError(f"{data_path}: {len(parts.learn)} pictures to learn from, the run had {run.pictures_learnt}")
    spec = spec_of(run.recipe)
    weights = network_weights(checkpoint)
    probe = parts.holdout if len(parts.holdout) else parts.choose
    half, rounding = _try_half(spec, weights, probe)
    network = _network(spec, to_half(weights) if half else weights)
    with tempfile.TemporaryDirectory() as temporary:
        model = save_model(Path(temporary), name, spec, weights, onnx=to_onnx(network, spec.input_size), half=half)
        classifier = create_classifier(ClassifierConfig(model=str(model.weights), device="cpu"))
        classifier.warm_up()
        network = _network(spec, read_weights(model))  # as torch on a robot will have it
        parity = check_parity(network, classifier, probe)
        calibration = fit(classifier, parts.holdout) if len(parts.holdout) else None
        if calibration:
            spec = replace(spec, temperature=calibration["temperature"])
        classifier = create_classifier(ClassifierConfig(model=str(replace_spec(model, spec).weights), device="cpu"))
        figures = {
            **_origin(run, checkpoint, data_path, parts, network),
            "weights": rounding,
            "onnx": {"opset": OPSET, "largest_logit_difference": parity},
            "calibration": calibration
            and {"data": f"{len(parts.holdout)} training pictures kept apart", **calibration},
            "measured": _measured(classifier, parts.choose, run),
        }
        replace_spec(model, replace(spec, metadata=figures))
        return Export(_publish(model, out), parity, figures)


def to_onnx(network: nn.Module, input_size: int) -> bytes:
    """Returns the network as an ONNX file with a free batch axis.

    By the TorchScript exporter: its files open with every onnxruntime of the last years, it needs no further package,
    and it writes no paths of this machine into them, as the newer one does.
    """
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its successor
        torch.onnx.export(
            network.eval(),
            (torch.zeros(2, 1, input_size, input_size),),
            file,  # type: ignore[arg-type]  # any binary file works
            input_names=["pictures"],
            output_names=["logits"],
            dynamic_axes={"pictures": {0: "batch"}, "logits": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
    return file.getvalue()


def check_parity(network: nn.Module, classifier: EmotionClassifier, data: FaceDataset) -> float:
    """Returns the largest difference of a logit between torch and the classifier, over up to 64 pictures.

    Raises:
        CheckpointError: it is above 1e-4.
    """
    crops = list(data.images[:64])
    difference = float(np.abs(_logits(network, crops, classifier.spec) - classifier.logits(crops)).max())
    if not difference < PARITY:
        raise CheckpointError(f"torch and onnxruntime differ by {difference:.2g} in a logit, more than {PARITY}")
    return difference


def _network(spec: ModelSpec, weights: Weights) -> nn.Module:
    network = create_network(spec.architecture, num_classes=len(spec.labels), **spec.options)
    load_weights(network, {name: to_float32(array) for name, array in weights.items()})
    return (MirrorAverage(network) if spec.mirror_average else network).eval()


def _logits(network: nn.Module, crops: list[NDArray[np.uint8]], spec: ModelSpec) -> NDArray[np.float32]:
    batches = [to_batch(crops[k : k + _BATCH], spec) for k in range(0, len(crops), _BATCH)]
    with torch.inference_mode():
        return np.concatenate([network(torch.from_numpy(batch)).numpy() for batch in batches])


def _try_half(spec: ModelSpec, weights: Weights, data: FaceDataset) -> tuple[bool, dict[str, Any]]:
    """Returns whether the weights may be rounded to float16, and what that changes on pictures not learnt from."""
    crops = list(data.images)
    full, rounded = (_logits(_network(spec, variant), crops, spec) for variant in (weights, to_half(weights)))
    changed = float((full.argmax(axis=1) != rounded.argmax(axis=1)).mean())
    half = changed <= _MOST_CHANGED
    return half, {
        "precision": "float16, read as float32" if half else "float32",
        "float16_answers_changed": round(changed, 6),
        "float16_largest_logit_difference": round(float(np.abs(full - rounded).max()), 6),
        "float16_examined_on": f"{len(crops)} pictures not learnt from",
    }


def _origin(run: Run, checkpoint: dict[str, Any], data_path: Path, parts: Parts, network: nn.Module) -> dict[str, Any]:
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "data": {
            "file": data_path.name,
            "sha256": file_sha256(data_path),
            "learnt_from": run.train_split,
            "pictures_learnt": len(parts.learn),
            "left_out": "pictures that are blank, that no tagger saw as a face, or that also stand in a test split",
            "kept_apart_for_calibration": len(parts.holdout),
            "epoch_chosen_on": run.choose_split,
            "nothing_else_learnt_or_tuned_on": run.choose_split,
        },
        "recipe": run.recipe.as_dict(),
        "epoch": int(checkpoint["epoch"]),
        "started": run.started,
        "exported": now(),
        "command": command_line(),
        "package_version": package_version(),
        "torch": str(torch.__version__),
        "terms": _TERMS.get(data_path.stem, "those of the data file"),
        "intended_use": _INTENDED_USE,
    }


def _measured(classifier: EmotionClassifier, data: FaceDataset, run: Run) -> dict[str, Any]:
    answers = Answers(predict(classifier, data, progress=False), data.labels_in(classifier.labels), classifier.labels)
    return {"split": run.choose_split, **summarise(answers), "subsets": subsets(answers, data)}


def _publish(model: Checkpoint, out: Path) -> Checkpoint:
    """Copies the finished files into `out`, the description last, so that a reader never sees half a model."""
    out.mkdir(parents=True, exist_ok=True)
    description = model.weights.with_suffix(".json")
    for path in (model.weights, model.onnx, description):
        if path is not None:
            (out / path.name).write_bytes(path.read_bytes())
            _log.info("%s, %d bytes", out / path.name, path.stat().st_size)
    return load_checkpoint(out / description.name)
