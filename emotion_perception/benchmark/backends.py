# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Benchmark of inference backends with the default model: time for 1 to 32 faces, and accuracy."""

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.benchmark.reference import DESCRIPTION, reference_work
from emotion_perception.benchmark.scene import FACES, VGA
from emotion_perception.benchmark.setup import Setup
from emotion_perception.benchmark.tables import Table
from emotion_perception.core.classification import (
    ClassifierOptions,
    ModelBundle,
    load_model_bundle,
    to_batch,
    to_input,
)
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.images import square_crop
from emotion_perception.core.inference import OnnxBackend
from emotion_perception.core.inference.devices import choose_device
from emotion_perception.core.pipeline import Pipeline, PipelineOptions
from emotion_perception.reporting.timing import time_interleaved

_THREADS = (1, 2)
_BATCH = 256
_SPLIT = "PublicTest"
Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def run(setup: Setup) -> list[Table]:
    """Measures and returns the table of the section."""
    model = load_model_bundle(ClassifierOptions.model)
    crop = _crop(setup)
    backends, missing = _backends(model)
    rows = []
    truth, reference = _truth(setup, model), reference_work()
    for name, run_batch in backends.items():
        times = time_interleaved(
            {
                "reference": reference,
                **{str(faces): partial(run_batch, to_batch([crop] * faces, model.spec)) for faces in FACES},
            },
            rounds=setup.rounds,
            what=name,
        )
        accuracy = None if truth is None else f"{_accuracy(run_batch, *truth):.2%}"
        one_face = times["1"]["p50"] / times["reference"]["p50"]
        rows.append([name, *(times[str(faces)]["p50"] for faces in FACES), times["32"]["p50"] / 32, one_face, accuracy])
    rows += [[name, reason, *[None] * (len(FACES) + 2)] for name, reason in missing.items()]
    columns = ["backend", *(f"{faces} faces, ms" for faces in FACES), "ms per face of 32"]
    columns += ["1 face, of the reference", f"{_SPLIT} top-1"]
    prepared = time_interleaved({"to_input": lambda: to_input(crop, model.spec)}, rounds=setup.rounds, what="to_input")
    averaged = ", averaged over each face and its mirror image" if model.spec.mirror_average else ""
    note = (
        f"{model.name}{averaged}. `to_input` takes "
        f"{prepared['to_input']['p50']:.3f} ms for a crop of {crop.shape[1]}x{crop.shape[0]}. {DESCRIPTION}."
    )
    return [Table("Inference backends of the classifier", columns, rows, note)]


def _crop(setup: Setup) -> NDArray[np.uint8]:
    image = setup.scene.image(0, VGA)
    pipeline = Pipeline(PipelineOptions(classifier=ClassifierOptions(device="cpu")))
    face = pipeline.track(image, 0.0)[0]
    return square_crop(image, face.box, pipeline.recognizer.classifier.spec.crop_margin)


def _truth(setup: Setup, model: ModelBundle) -> tuple[list[NDArray[np.float32]], NDArray[np.int64]] | None:
    if setup.data is None:
        return None
    from emotion_perception.training.datasets import load_dataset

    data = load_dataset(setup.data).split(_SPLIT)
    images = list(data.images)
    batches = [to_batch(images[k : k + _BATCH], model.spec) for k in range(0, len(images), _BATCH)]
    return batches, data.labels_in(model.spec.labels)


def _accuracy(run_batch: Run, batches: list[NDArray[np.float32]], truth: NDArray[np.int64]) -> float:
    predicted = np.concatenate([run_batch(batch).argmax(axis=1) for batch in batches])
    return float((predicted == truth).mean())


def _backends(model: ModelBundle) -> tuple[dict[str, Run], dict[str, str]]:
    """Returns the available backends, and the reason for each that is not available."""
    backends: dict[str, Run] = {}
    missing: dict[str, str] = {}
    makers: Mapping[str, Callable[[ModelBundle], Mapping[str, Run]]] = {
        "onnxruntime": _onnxruntime,
        "onnxruntime int8": _onnxruntime_int8,
        "OpenVINO": _openvino,
        "torch": _torch,
        "torch on CUDA": _torch_on_cuda,
    }
    for name, make in makers.items():
        try:
            backends |= make(model)
        except ModuleNotFoundError as e:
            missing[name] = f"not measured: {e.name} is not installed"
        except (FileNotFoundError, ConfigurationError) as e:
            missing[name] = f"not measured: {e}"
    return backends, missing


def _onnxruntime(model: ModelBundle) -> dict[str, Run]:
    assert model.onnx is not None
    return {f"onnxruntime, float32, {n} threads": OnnxBackend(model.onnx, n) for n in _THREADS}


def _onnxruntime_int8(model: ModelBundle) -> dict[str, Run]:
    int8_model = model.weights.with_name(f"{model.name}.int8.onnx")
    if not int8_model.is_file():
        raise FileNotFoundError(f"{int8_model.name} is missing")
    return {f"onnxruntime, int8, {n} threads": OnnxBackend(int8_model, n) for n in _THREADS}


def _openvino(model: ModelBundle) -> dict[str, Run]:
    import openvino

    core = openvino.Core()
    network = core.read_model(str(model.onnx))
    backends = {}
    for precision in ("f32", "bf16"):
        for threads in _THREADS:
            hints = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
            compiled = core.compile_model(network, "CPU", {**hints, "PERFORMANCE_HINT": "LATENCY"})
            backends[f"OpenVINO, {precision}, {threads} threads"] = _request(compiled)
    return backends


def _request(compiled: Any) -> Run:
    request = compiled.create_infer_request()
    return lambda batch: np.array(next(iter(request.infer([batch]).values())))


def _torch(model: ModelBundle) -> dict[str, Run]:
    import torch

    from emotion_perception.training.architectures import open_network

    torch.set_num_threads(max(_THREADS))
    network = open_network(model)
    size = model.spec.input_size
    with torch.inference_mode():
        script = torch.jit.freeze(torch.jit.trace(network, torch.zeros(2, 1, size, size)))
    backends = {
        "torch eager, float32, 2 threads": _module(network),
        "torch eager, bfloat16, 2 threads": _module(network, bfloat16=True),
        "TorchScript, float32, 2 threads": _module(script),
    }
    with contextlib.suppress(Exception):  # needs a C++ compiler, and not every version of torch compiles every network
        compiled = torch.compile(network, dynamic=True)
        _module(compiled)(np.zeros((2, 1, size, size), np.float32))
        backends["torch compiled, float32, 2 threads"] = _module(compiled)
    return backends


def _torch_on_cuda(model: ModelBundle) -> dict[str, Run]:
    device, _ = choose_device("cuda")
    from emotion_perception.core.inference import TorchBackend
    from emotion_perception.training.architectures import open_network

    return {"torch on CUDA, float32": TorchBackend(open_network(model), device)}


def _module(network: Any, *, bfloat16: bool = False) -> Run:
    import torch

    def call(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return np.asarray(network(torch.from_numpy(batch)).float().numpy())

    return call
