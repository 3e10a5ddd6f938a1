# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Ways to run a network: onnxruntime, torch, failover between devices, dynamic batching."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.core.inference.backend import Backend
    from emotion_perception.core.inference.dynamic_batching import BatchingBackend
    from emotion_perception.core.inference.failover import FailoverBackend
    from emotion_perception.core.inference.onnx_session import OnnxBackend, open_session, read_model, run_session
    from emotion_perception.core.inference.threads import parallel_runs, thread_count, usable_cores
    from emotion_perception.core.inference.torch_backend import TorchBackend
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "backend": ("Backend",),
            "dynamic_batching": ("BatchingBackend",),
            "failover": ("FailoverBackend",),
            "onnx_session": ("OnnxBackend", "open_session", "read_model", "run_session"),
            "threads": ("parallel_runs", "thread_count", "usable_cores"),
            "torch_backend": ("TorchBackend",),
        },
    )

__all__ = [
    "Backend",
    "BatchingBackend",
    "FailoverBackend",
    "OnnxBackend",
    "TorchBackend",
    "open_session",
    "parallel_runs",
    "read_model",
    "run_session",
    "thread_count",
    "usable_cores",
]
