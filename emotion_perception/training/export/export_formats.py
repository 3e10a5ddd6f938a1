# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The forms of one network that are not its weights: an ONNX file, a TorchScript file, and whether they agree."""

import io
import json
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emotion_perception.core.classification.model_bundle import to_float32
from emotion_perception.core.classification.networks import load_weights
from emotion_perception.core.classification.preprocessing import ModelSpec, to_batch
from emotion_perception.core.errors import ModelBundleError
from emotion_perception.training.architectures import MirrorAverage, create_network

OPSET = 17  # read by every onnxruntime from 1.13 on
PARITY = 1e-4  # largest difference of a logit between torch and a twin
SPEC = "spec.json"  # name of the description inside a TorchScript file
_PROBED = 64  # images
_BATCH = 128
Weights = Mapping[str, NDArray[np.generic]]
Crops = Sequence[NDArray[np.uint8]]


def network_of(spec: ModelSpec, weights: Weights) -> nn.Module:
    """Builds a spec's network with its weights, ready to run (eval mode), mirror average included.

    Raises:
        ModelBundleError: there is no such network, or the weights do not fit.
    """
    network = create_network(spec.architecture, num_classes=len(spec.labels), **spec.options)
    load_weights(network, {name: to_float32(array) for name, array in weights.items()})
    return (MirrorAverage(network) if spec.mirror_average else network).eval()


def logits_of_network(network: Callable[[torch.Tensor], Any], images: Any, spec: ModelSpec) -> NDArray[np.float32]:
    """Returns the logits of every image, float32 (N, L); takes the images a batch at a time."""
    batches = (to_batch(list(images[k : k + _BATCH]), spec) for k in range(0, len(images), _BATCH))
    with torch.inference_mode():
        return np.concatenate([network(torch.from_numpy(batch)).numpy() for batch in batches])


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


def to_torchscript(network: nn.Module, spec: ModelSpec) -> bytes:
    """Returns the network as a TorchScript file, for programs in C++; it has the spec inside, as `spec.json`."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its successor
        traced = torch.jit.trace(network.eval(), torch.zeros(2, 1, spec.input_size, spec.input_size))
        torch.jit.save(traced, file, _extra_files={SPEC: json.dumps(asdict(spec), ensure_ascii=False)})
    return _without_source_paths(file.getvalue())


def from_torchscript(content: bytes) -> Callable[[torch.Tensor], Any]:
    """Opens what `to_torchscript` has written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network: Callable[[torch.Tensor], Any] = torch.jit.load(io.BytesIO(content), map_location="cpu")
    return network


def check_parity(
    network: nn.Module, twin: Callable[[Crops], NDArray[np.float32]], images: Any, spec: ModelSpec, name: str
) -> float:
    """Returns the largest difference of a logit between torch and a twin, over up to 64 images and a batch of one.

    Args:
        network: what torch runs.
        twin: maps crops to logits.
        images: uint8 images.
        spec: how the network takes them.
        name: of what runs the twin, for the message.

    Raises:
        ModelBundleError: it is above 1e-4.
    """
    crops = list(images[:_PROBED])
    expected = logits_of_network(network, crops, spec)
    difference = max(float(np.abs(expected[:n] - twin(crops[:n])).max()) for n in (len(crops), 1))
    if not difference < PARITY:
        raise ModelBundleError(f"torch and {name} differ by {difference:.2g} in a logit, more than {PARITY}")
    return difference


def _without_source_paths(content: bytes) -> bytes:
    """Returns a TorchScript file without its debug records, which name files of the machine that wrote it."""
    stripped = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(stripped, "w") as target:
        for entry in source.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                target.writestr(entry, source.read(entry))
    return stripped.getvalue()
