# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Export formats of a network: ONNX and TorchScript, and the check that they give the same logits."""

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

from emotion_perception.core.classification import ModelSpec
from emotion_perception.core.errors import ModelBundleError
from emotion_perception.training.evaluate.prediction import network_logits

OPSET = 17  # can be read by onnxruntime 1.13 and later
PARITY = 1e-4  # largest allowed difference of a logit between torch and another format
SPEC = "spec.json"  # name of the spec inside a TorchScript file
_COMPARED = 64  # images
Weights = Mapping[str, NDArray[np.generic]]
Crops = Sequence[NDArray[np.uint8]]


def to_onnx(network: nn.Module, input_size: int) -> bytes:
    """Returns the network as an ONNX file with a dynamic batch axis, input `images`, output `logits`.

    It uses torch's TorchScript-based exporter: the files can be read by older versions of onnxruntime, it needs no
    other package, and the files contain no paths of this machine, as those of the newer exporter do.
    """
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a deprecation in favor of the newer exporter
        torch.onnx.export(
            network.eval(),
            (torch.zeros(2, 1, input_size, input_size),),
            file,  # type: ignore[arg-type]  # any binary file works
            input_names=["images"],
            output_names=["logits"],
            dynamic_axes={"images": {0: "batch"}, "logits": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
    return file.getvalue()


def to_torchscript(network: nn.Module, spec: ModelSpec) -> bytes:
    """Returns the network as a TorchScript file for C++ programs; the spec is inside, as `spec.json`."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a deprecation in favor of torch.export
        traced = torch.jit.trace(network.eval(), torch.zeros(2, 1, spec.input_size, spec.input_size))
        torch.jit.save(traced, file, _extra_files={SPEC: json.dumps(asdict(spec), ensure_ascii=False)})
    return _without_source_paths(file.getvalue())


def from_torchscript(content: bytes) -> Callable[[torch.Tensor], Any]:
    """Loads a TorchScript file of `to_torchscript`; returns a function from inputs (N, 1, S, S) to logits (N, L)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network: Callable[[torch.Tensor], Any] = torch.jit.load(io.BytesIO(content), map_location="cpu")
    return network


def check_parity(
    network: nn.Module, exported: Callable[[Crops], NDArray[np.float32]], images: Any, spec: ModelSpec, name: str
) -> float:
    """Returns the largest difference of a logit between torch and another format, for a batch of images and for one.

    Args:
        network: the network in torch.
        exported: maps crops to logits with the exported network.
        images: uint8 (N, H, W[, 3]); the first 64 are compared.
        spec: preprocessing of the network.
        name: of the runtime of the exported network, for the message.

    Raises:
        ModelBundleError: the difference is above 1e-4.
    """
    crops = list(images[:_COMPARED])
    expected = network_logits(network, crops, spec)
    difference = max(float(np.abs(expected[:n] - exported(crops[:n])).max()) for n in (len(crops), 1))
    if not difference < PARITY:
        raise ModelBundleError(f"torch and {name} differ by {difference:.2g} in a logit, more than {PARITY}")
    return difference


def _without_source_paths(content: bytes) -> bytes:
    """Returns a TorchScript file without its debug records, which contain paths of this machine."""
    stripped = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(stripped, "w") as target:
        for entry in source.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                target.writestr(entry, source.read(entry))
    return stripped.getvalue()
