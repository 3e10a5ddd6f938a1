# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Scores the emotions of face crops: one model, one batch for all faces of a frame, one of two ways to run it.

onnxruntime runs the model's ONNX export on the CPU, torch runs its weights on CUDA. torch takes seconds to import, so it
is imported only where CUDA is asked for or an NVIDIA device is there.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.model_bundle import ModelBundle, load_model_bundle, read_weights
from emotion_perception.core.classification.options import ClassifierOptions
from emotion_perception.core.classification.preprocessing import ModelSpec, to_batch
from emotion_perception.core.errors import ConfigurationError, DeviceError, ModelBundleError, one_line
from emotion_perception.core.types import ModelInfo

_log = logging.getLogger(__name__)
_NVIDIA_DEVICES = ("/dev/nvidiactl", "/dev/nvhost-gpu", "/dev/nvgpu", "/dev/dxg")  # PC, two kinds of Jetson, WSL 2
Crop = NDArray[np.uint8]


class Backend(Protocol):
    """Runs a network: float32 (N, 1, S, S), N at least 1, to logits, float32 (N, L)."""

    @property
    def device(self) -> str:
        """Where it runs: `cpu` or `cuda:N`."""
        ...

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the logits."""
        ...


class EmotionClassifier:
    """Turns face crops into calibrated probabilities.

    Args:
        checkpoint: the model.
        backend: what runs it.
        fallback: True where another device was wanted than `backend` uses.
    """

    def __init__(self, checkpoint: ModelBundle, backend: Backend, *, fallback: bool = False) -> None:
        self.spec: ModelSpec = checkpoint.spec
        self.labels: tuple[str, ...] = checkpoint.spec.labels
        self.model_name = checkpoint.name
        self.model_sha256 = checkpoint.sha256
        self._fallback = fallback
        self._backend = backend

    @property
    def device(self) -> str:
        """Where the last batch was run: `cpu` or `cuda:N`."""
        return self._backend.device

    @property
    def fallback(self) -> bool:
        """Whether the CPU stands in for a GPU, from the start or for now."""
        return self._fallback or bool(getattr(self._backend, "fallback", False))

    @property
    def info(self) -> ModelInfo:
        """The model, and where it runs now."""
        return ModelInfo(self.labels, self.model_name, self.model_sha256, self.device, self.fallback)

    @property
    def device_problem(self) -> str:
        """Why the CPU stands in for a GPU for now; empty where it does not."""
        return str(getattr(self._backend, "problem", ""))

    def classify(self, crops: Sequence[Crop]) -> NDArray[np.float32]:
        """Scores all crops in one batch.

        Args:
            crops: uint8 images as `to_input` takes them; may be empty.

        Returns:
            float32 (N, L), calibrated probabilities in the order of `labels`; each row sums to 1.

        Raises:
            ImageError: a crop is no image.
        """
        return softmax(self.logits(crops), self.spec.temperature)

    def logits(self, crops: Sequence[Crop]) -> NDArray[np.float32]:
        """Returns the network's outputs before temperature and softmax, float32 (N, L)."""
        if not len(crops):
            return np.empty((0, len(self.labels)), np.float32)
        return self._backend(to_batch(crops, self.spec))

    def warm_up(self, *, require_gpu: bool = False) -> None:
        """Runs batches of one and of two blank crops, so that the first face of a stream is not slower than the others.

        Raises:
            ModelBundleError: the network's answer has the wrong shape or is not finite.
            ConfigurationError: a GPU is required and failed.
        """
        blank = np.zeros((self.spec.input_size, self.spec.input_size), np.uint8)
        for count in (1, 2):
            logits = self.logits([blank] * count)
            if logits.shape != (count, len(self.labels)):
                raise ModelBundleError(f"{self.model_name}: {logits.shape[1:]} outputs for {len(self.labels)} labels")
            if not np.isfinite(logits).all():
                raise ModelBundleError(
                    f"{self.model_name}: the network's outputs are not finite, its weights are damaged"
                )
        if require_gpu and self.device == "cpu":
            raise ConfigurationError(f"require_gpu is set, but {self.device_problem}")


def create_classifier(options: ClassifierOptions, *, shared: bool = False) -> EmotionClassifier:
    """Opens the model and chooses its backend; logs one warning if the requested device cannot be used.

    Args:
        options: the model, its device and its threads.
        shared: whether several threads classify at the same time, e.g. one per camera; their faces are then batched.

    Raises:
        ModelFileError: a file of the model is missing or damaged.
        ModelBundleError: weights, description and network do not fit together.
        ConfigurationError: the device is unknown, or a GPU is required and cannot be used.
    """
    device = options.device
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", device):
        raise ConfigurationError(f"device '{device}' is none of auto, cpu, cuda, cuda:N")
    checkpoint = load_model_bundle(options.model)
    problem = f"device is '{device}'" if device == "cpu" else _cuda_problem(device, checkpoint.spec)
    if problem is None:
        cuda = "cuda:0" if device in ("auto", "cuda") else device
        from emotion_perception.core.inference.failover import FailoverBackend

        gpu = _TorchBackend(checkpoint, cuda)
        failover = FailoverBackend(gpu, lambda: _cpu_backend(checkpoint, options.num_threads))
        return EmotionClassifier(checkpoint, _batching(failover, options) if shared else failover)
    if options.require_gpu:
        raise ConfigurationError(f"require_gpu is set, but {problem}")
    fallback = device not in ("auto", "cpu")
    if fallback:
        _log.warning("device '%s' cannot be used, classifying on the CPU: %s", device, problem)
    elif device == "auto":
        _log.info("classifying on the CPU: %s", problem)
    backend = _cpu_backend(checkpoint, options.num_threads)
    return EmotionClassifier(checkpoint, _batching(backend, options) if shared else backend, fallback=fallback)


def softmax(logits: NDArray[np.floating[Any]], temperature: float = 1.0) -> NDArray[np.float32]:
    """Computes the softmax of each row, logits divided by the temperature, in float64; returns float32."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True, initial=-np.inf))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def _cuda_problem(device: str, spec: ModelSpec) -> str | None:
    """Returns why CUDA cannot be used, or None where it can."""
    if not any(Path(path).exists() for path in _NVIDIA_DEVICES):
        return "there is no NVIDIA device"
    try:
        import torch
    except ImportError:
        return "torch is not installed"
    from emotion_perception.core.classification.networks import NETWORKS

    index = device.partition(":")[2] or "0"
    if not torch.cuda.is_available():
        return "torch finds no CUDA"
    if int(index) >= torch.cuda.device_count():
        return f"torch finds {torch.cuda.device_count()} CUDA device(s)"
    return None if spec.architecture in NETWORKS else f"'{spec.architecture}' runs through onnxruntime only"


def _batching(backend: Backend, options: ClassifierOptions) -> Backend:
    """Returns a backend that joins the faces of several threads into one run."""
    from emotion_perception.core.inference.dynamic_batching import BatchingBackend

    return BatchingBackend(
        backend, max_batch_size=options.max_batch_size, max_queue_delay_s=options.max_queue_delay_ms * 1e-3
    )


def _cpu_backend(checkpoint: ModelBundle, num_threads: int) -> Backend:
    if checkpoint.onnx is not None:
        return _OnnxBackend(checkpoint, checkpoint.onnx, num_threads)
    try:
        import torch
    except ImportError:
        raise ModelBundleError(f"{checkpoint.name}: has no ONNX export, and torch is not installed") from None
    torch.set_num_threads(num_threads)
    return _TorchBackend(checkpoint, "cpu")


class _OnnxBackend:
    """onnxruntime on the CPU, without spinning: a spinning pool burns a core between frames and saves no time."""

    device = "cpu"

    def __init__(self, checkpoint: ModelBundle, path: Path, num_threads: int) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as errors

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3  # errors; they are raised too
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except _onnx_errors(errors) as e:
            raise ModelBundleError(f"{path}: not a readable ONNX file ({one_line(e)})") from e
        _check_signature(path, session, checkpoint.spec)
        self._session = session
        self._input = session.get_inputs()[0].name

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the logits."""
        logits: NDArray[np.float32] = self._session.run(None, {self._input: batch})[0]
        return logits


def _onnx_errors(module: Any) -> tuple[type[Exception], ...]:
    names = ("Fail", "InvalidProtobuf", "InvalidGraph", "InvalidArgument", "NotImplemented", "NoSuchFile")
    return tuple(getattr(module, name) for name in names)


def _check_signature(path: Path, session: Any, spec: ModelSpec) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelBundleError(f"{path}: has {len(inputs)} inputs and {len(outputs)} outputs instead of one each")
    if outputs[0].shape[1:] != [len(spec.labels)]:
        raise ModelBundleError(f"{path}: gives {outputs[0].shape[1:]} outputs a face for {len(spec.labels)} labels")
    if inputs[0].shape[1:] != [1, spec.input_size, spec.input_size]:
        raise ModelBundleError(f"{path}: takes images of {inputs[0].shape[1:]}, the spec says {spec.input_size} pixels")


class _TorchBackend:
    """torch on CUDA (or on the CPU, for a model without ONNX export), in full float32: TF32 would blur the batch rule."""

    def __init__(self, checkpoint: ModelBundle, device: str) -> None:
        import torch

        from emotion_perception.core.classification.networks import build_network

        try:
            network = build_network(checkpoint.spec, read_weights(checkpoint))
        except ModelBundleError as e:
            raise ModelBundleError(f"{checkpoint.weights}: {e}") from None
        torch.backends.cudnn.allow_tf32 = False
        self.device = device
        self._torch = torch
        self._network = network.to(device)

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the logits.

        Raises:
            DeviceError: a GPU is out of memory or gone.
        """
        try:
            with self._torch.inference_mode():
                logits: NDArray[np.float32] = self._network(self._torch.from_numpy(batch).to(self.device)).cpu().numpy()
        except RuntimeError as e:  # torch's OutOfMemoryError and AcceleratorError are kinds of it
            if self.device == "cpu":
                raise
            raise DeviceError(f"{self.device}: {one_line(e)}") from e
        return logits
