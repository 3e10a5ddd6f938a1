# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Classification of face crops: all faces of a frame in one batch, by onnxruntime on the CPU or torch on CUDA.

torch takes seconds to import, so it is imported only if there is an NVIDIA device and `device` is not `cpu`.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.model_bundle import ModelBundle, load_model_bundle
from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.classification.options import ClassifierOptions
from emotion_perception.core.classification.precision import FLOAT32, INT8, Precision, choose_precision
from emotion_perception.core.classification.preprocessing import to_batch
from emotion_perception.core.classification.probabilities import softmax
from emotion_perception.core.classification.resting_head import RestingHead, load_resting_head, require_resting_head
from emotion_perception.core.errors import ConfigurationError, ModelBundleError
from emotion_perception.core.inference import Backend, OnnxBackend, parallel_runs, thread_count
from emotion_perception.core.inference.devices import check_device, choose_device
from emotion_perception.core.types import ModelInfo

_log = logging.getLogger(__name__)
_MAX_BATCH = 256  # about 0.6 GB of the shipped network's activations
_FLOAT32 = Precision(FLOAT32)
Crop = NDArray[np.uint8]


class EmotionClassifier:
    """Turns face crops into calibrated probabilities.

    Args:
        bundle: the model.
        backend: runs its network.
        precision: the form of the network that `backend` runs.
        resting_head: reads the features that `backend` returns after the logits; None if it returns only logits.

    Attributes:
        spec: description of the network.
        labels: label of each probability.
        model_name: name of the model.
        model_sha256: SHA-256 of its weights, 64 hexadecimal digits.
        precision: as given.
        resting_head: as given.
    """

    def __init__(
        self,
        bundle: ModelBundle,
        backend: Backend,
        *,
        precision: Precision = _FLOAT32,
        resting_head: RestingHead | None = None,
    ) -> None:
        self.spec: ModelSpec = bundle.spec
        self.labels: tuple[str, ...] = bundle.spec.labels
        self.model_name = bundle.name
        self.model_sha256 = bundle.sha256
        self.precision = precision
        self.resting_head = resting_head
        self._backend = backend

    @property
    def device(self) -> str:
        """Where the last batch ran: `cpu` or `cuda:N`."""
        return self._backend.device

    @property
    def fallback(self) -> bool:
        """Whether the CPU is used because the GPU has failed."""
        return self._backend.fallback

    @property
    def info(self) -> ModelInfo:
        """The model, and where it runs now."""
        return ModelInfo(self.labels, self.model_name, self.model_sha256, self.device, self.fallback)

    @property
    def device_problem(self) -> str:
        """Why the CPU replaces a GPU that failed; empty if it does not."""
        return self._backend.problem

    def classify(self, crops: Sequence[Crop]) -> NDArray[np.float32]:
        """Classifies crops, in one batch up to 256 of them.

        Args:
            crops: uint8 images as `to_input` takes them; may be empty.

        Returns:
            float32 (N, L), calibrated probabilities in the order of `labels`. Each row sums to 1; it is NaN where an
            output of the network for that crop is not finite.

        Raises:
            ImageError: a crop is not an image.
        """
        return softmax(self.logits(crops), self.spec.temperature)

    def logits(self, crops: Sequence[Crop]) -> NDArray[np.float32]:
        """Returns the logits, float32 (N, L), before temperature and softmax; arguments and errors as of `classify`.

        A row is NaN where an output of the network for that crop is not finite.
        """
        return self._outputs(crops)[:, : len(self.labels)]

    def predict(self, crops: Sequence[Crop]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Classifies crops as `classify` does, and projects them for the comparison with a resting face.

        Returns:
            The probabilities, float32 (N, L), and the projections of `resting_head`, float32 (N, L). Both rows of a
            crop are NaN where one of them is not finite.

        Raises:
            ImageError: a crop is not an image.
            ConfigurationError: the model has no statistics of resting faces.
        """
        head = require_resting_head(self.resting_head, self.model_name)
        outputs = self._outputs(crops)
        logits, features = outputs[:, : len(self.labels)], outputs[:, len(self.labels) :]
        probabilities, projections = softmax(logits, self.spec.temperature), head.project(features)
        finite = _finite_rows(probabilities, projections)
        probabilities[~finite] = projections[~finite] = np.nan
        return probabilities, projections

    def features(self, crops: Sequence[Crop]) -> NDArray[np.float32]:
        """Returns the features before the last layer, float32 (N, F); F is 0 where the backend returns none."""
        return self._outputs(crops)[:, len(self.labels) :]

    def _outputs(self, crops: Sequence[Crop]) -> NDArray[np.float32]:
        """Returns the logits and, if the backend has been opened with them, the features: float32 (N, L + F).

        A row with a value that is not finite is NaN as a whole.
        """
        if not len(crops):
            return np.empty((0, len(self.labels)), np.float32)
        batches = (crops[begin : begin + _MAX_BATCH] for begin in range(0, len(crops), _MAX_BATCH))
        outputs = np.concatenate([self._backend(to_batch(batch, self.spec)) for batch in batches])
        outputs[~_finite_rows(outputs)] = np.nan
        return outputs

    def warm_up(self, *, require_gpu: bool = False) -> None:
        """Runs batches of one and two blank crops, so that the first faces of a stream are not slower than the others.

        Raises:
            ModelBundleError: the network's output has the wrong shape or is not finite.
            ConfigurationError: a GPU is required, but it failed.
        """
        blank = np.zeros((self.spec.input_size, self.spec.input_size), np.uint8)
        num_features = 0 if self.resting_head is None else self.resting_head.weight.shape[1]
        for count in (1, 2):
            outputs = self._outputs([blank] * count)
            if outputs.shape != (count, len(self.labels) + num_features):
                expected = f"{len(self.labels)} labels" + (f" and {num_features} features" if num_features else "")
                raise ModelBundleError(f"{self.model_name}: {outputs.shape[1:]} outputs for {expected}")
            if not np.isfinite(outputs).all():
                raise ModelBundleError(
                    f"{self.model_name}: the network's outputs are not finite, its weights are damaged"
                )
        if require_gpu and self.device == "cpu":
            raise ConfigurationError(f"require_gpu is set, but {self.device_problem}")


def _finite_rows(*tables: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Returns which rows are finite in each of some tables (N, ...), bool (N)."""
    return np.logical_and.reduce([np.isfinite(table).all(axis=1) for table in tables])


def create_classifier(options: ClassifierOptions, *, shared: bool = False, features: bool = False) -> EmotionClassifier:
    """Opens the model and chooses its backend by the rule of `core.inference.devices`.

    Args:
        options: the model, its device and its threads.
        shared: whether several threads classify at the same time, e.g. one per camera; their faces are then batched.
        features: return features also if the model has no statistics of resting faces, e.g. to make them.

    Raises:
        ModelFileError: a file of the model is missing or damaged.
        ModelBundleError: weights, description and network do not fit together.
        ConfigurationError: the device is unknown, a GPU is named or required and cannot be used, or onnxruntime is not
            installed.
    """
    check_device(options.device)
    bundle = load_model_bundle(options.model)
    head = None if bundle.baseline is None else load_resting_head(bundle.baseline, len(bundle.spec.labels))
    features = features or head is not None
    device, reason = _device_for(options, bundle.spec)
    num_threads, runs = thread_count(options.num_threads), parallel_runs(options.num_threads)
    if device != "cpu":
        from emotion_perception.core.inference import FailoverBackend

        gpu = _torch_backend(bundle, device, features)
        failover = FailoverBackend(gpu, lambda: _cpu_backend(bundle, num_threads, runs, features))
        return EmotionClassifier(bundle, _batching(failover, options) if shared else failover, resting_head=head)
    if options.require_gpu:
        raise ConfigurationError(f"require_gpu is set, but {reason}")
    if options.device == "auto":
        _log.info("classifying on the CPU: %s", reason)

    def open_backend(form: ModelBundle) -> Backend:
        return _cpu_backend(form, num_threads, runs, features)

    bundle, backend, precision = choose_precision(bundle, options.precision, open_backend, num_threads=num_threads)
    return EmotionClassifier(
        bundle, _batching(backend, options) if shared else backend, precision=precision, resting_head=head
    )


def _device_for(options: ClassifierOptions, spec: ModelSpec) -> tuple[str, str]:
    """Returns what `choose_device` does; int8, and a network that torch does not know here, run on the CPU only."""
    device = options.device
    if options.precision == INT8:
        if device.startswith("cuda"):
            raise ConfigurationError(f"precision is int8, which runs on the CPU only, but device is '{device}'")
        return "cpu", "precision is int8"
    chosen, reason = choose_device(device)
    if chosen == "cpu":
        return chosen, reason
    from emotion_perception.core.classification.networks import NETWORKS

    if spec.architecture in NETWORKS:
        return chosen, reason
    reason = f"'{spec.architecture}' runs through onnxruntime only"
    if device != "auto":
        raise ConfigurationError(f"device is '{device}', but {reason}; 'auto' takes the CPU then")
    return "cpu", reason


def _batching(backend: Backend, options: ClassifierOptions) -> Backend:
    """Returns a backend that joins the faces of several threads into one run."""
    from emotion_perception.core.inference import BatchingBackend

    return BatchingBackend(
        backend, max_batch_size=options.max_batch_size, max_queue_delay_s=options.max_queue_delay_ms * 1e-3
    )


def _cpu_backend(bundle: ModelBundle, num_threads: int, runs: int, features: bool) -> Backend:
    if bundle.onnx is not None:
        backend = OnnxBackend(bundle.onnx, num_threads, features=features, parallel_runs=runs)
        _check_shapes(backend, bundle.onnx, bundle.spec)
        return backend
    try:
        import torch
    except ImportError:
        raise ModelBundleError(f"{bundle.name}: has no ONNX export, and torch is not installed") from None
    torch.set_num_threads(num_threads)
    return _torch_backend(bundle, "cpu", features)


def _check_shapes(backend: OnnxBackend, path: Path, spec: ModelSpec) -> None:
    """Checks that inputs and outputs of an ONNX export are those of the description."""
    if backend.output_shape != [len(spec.labels)]:
        raise ModelBundleError(f"{path}: has {backend.output_shape} outputs per face for {len(spec.labels)} labels")
    if backend.input_shape != [1, spec.input_size, spec.input_size]:
        raise ModelBundleError(f"{path}: takes images of {backend.input_shape}, the spec has {spec.input_size} pixels")


def _torch_backend(bundle: ModelBundle, device: str, features: bool) -> Backend:
    from emotion_perception.core.classification.networks import open_network
    from emotion_perception.core.inference import TorchBackend

    return TorchBackend(open_network(bundle, features=features), device)
