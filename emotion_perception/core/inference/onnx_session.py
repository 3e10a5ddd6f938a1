# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Opens ONNX files for the CPU; the only place of the detectors that imports onnxruntime, and only when it is used."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emotion_perception.core.errors import ConfigurationError, ModelFileError

if TYPE_CHECKING:
    import onnxruntime


def open_session(
    path: Path, *, num_threads: int, outputs: Sequence[str], model: bytes | None = None
) -> "onnxruntime.InferenceSession":
    """Opens a network that does not spin while it waits.

    Args:
        path: the file; named in errors.
        num_threads: threads of one run.
        outputs: names that the network must give.
        model: the file's content where the caller has changed it.

    Raises:
        ConfigurationError: onnxruntime is not installed.
        ModelFileError: the file is missing, cut short, no ONNX file, or another network.
    """
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as faults
    except ImportError as error:
        raise ConfigurationError(f"this detector needs onnxruntime: {error}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    unreadable = (faults.Fail, faults.InvalidArgument, faults.InvalidGraph, faults.InvalidProtobuf, faults.NoSuchFile)
    try:
        content = read_model(path) if model is None else model
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except (*unreadable, faults.NotImplemented, faults.RuntimeException) as error:
        raise ModelFileError(f"{path}: not an ONNX file that onnxruntime can run: {_one_line(error)}") from error
    if missing := set(outputs) - {output.name for output in session.get_outputs()}:
        raise ModelFileError(f"{path}: another network than expected: it has no output {', '.join(sorted(missing))}")
    return session


def read_model(path: Path) -> bytes:
    """Returns the file's content.

    Raises:
        ModelFileError: it cannot be read or is empty.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror}") from error
    if not content:
        raise ModelFileError(f"{path}: is empty")
    return content


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
