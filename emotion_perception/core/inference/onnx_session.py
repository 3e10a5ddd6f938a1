# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""onnxruntime sessions: threads, providers and errors of all ONNX files are set here.

onnxruntime is imported when the first file is opened.
"""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import ConfigurationError, ModelFileError
from emotion_perception.core.inference.threads import thread_count
from emotion_perception.core.regular_files import MAX_MODEL_BYTES, read_regular

if TYPE_CHECKING:
    import onnxruntime

Floats = NDArray[np.float32]
Shape = tuple[int | str, ...]
_PROVIDERS = ("CPUExecutionProvider",)
_FATAL_ONLY = 4  # log severity; errors are raised
_LONGEST_REASON = 200  # characters
_MIN_PART = 2  # inputs: starting another run takes as long as a part of one
_FLOATS = ("tensor(float)", "tensor(double)", "tensor(float16)")
_EXTERNAL_DATA = re.compile("external[ _]data|in-memory address", re.IGNORECASE)  # in a reason of onnxruntime
FEATURES = "features"  # name of the output with the features before the last layer


def open_session(
    path: Path, *, num_threads: int, outputs: Sequence[str] = (), model: bytes | None = None
) -> "onnxruntime.InferenceSession":
    """Opens an ONNX file on the CPU.

    Its threads do not spin while they wait: spinning occupies a whole core between frames and saves no time.

    Args:
        path: the file; named in errors.
        num_threads: threads of one run; 0 as of `thread_count`.
        outputs: names of outputs that the network must have.
        model: the file's content, if the caller has changed it.

    Raises:
        ConfigurationError: onnxruntime is not installed.
        ModelFileError: the file is missing, truncated, not ONNX, or another network, or its weights are in other files.
    """
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as errors
    except ImportError as e:
        raise ConfigurationError(f"{path}: running it needs onnxruntime: {e}") from e
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = thread_count(num_threads)
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    unreadable = (errors.Fail, errors.InvalidArgument, errors.InvalidGraph, errors.InvalidProtobuf, errors.NoSuchFile)
    content = read_model(path) if model is None else model
    try:
        # enable_fallback would open a file again that failed, and print a banner
        session = onnxruntime.InferenceSession(content, options, providers=list(_PROVIDERS), enable_fallback=False)
        types = {output.name: output.type for output in session.get_outputs()}
        _ = [(each.name, each.shape) for each in (*session.get_inputs(), *session.get_outputs())]  # all can be read
    except UnicodeDecodeError as e:
        raise ModelFileError(f"{path}: not an ONNX file that onnxruntime can run: a name in it is not UTF-8") from e
    except (*unreadable, errors.NotImplemented, errors.RuntimeException) as e:
        if _EXTERNAL_DATA.search(str(e)):
            hint = "export it with the weights inside the file (torch.onnx.export: external_data=False)"
            raise ModelFileError(f"{path}: its weights are in other files, which are not read; {hint}") from e
        raise ModelFileError(f"{path}: not an ONNX file that onnxruntime can run: {_reason(e)}") from e
    if missing := set(outputs) - types.keys():
        raise ModelFileError(f"{path}: another network than expected: it has no output {', '.join(sorted(missing))}")
    for name in outputs or types:
        if types[name] not in _FLOATS:
            raise ModelFileError(f"{path}: its output {name} is a {types[name]}, not one of {', '.join(_FLOATS)}")
    return session


def run_session(
    path: Path, session: "onnxruntime.InferenceSession", inputs: Mapping[str, Floats], shapes: Mapping[str, Shape]
) -> list[Floats]:
    """Runs a network and checks what it returns.

    Args:
        path: the file; named in errors.
        session: of `open_session`.
        inputs: arrays by the name of the input.
        shapes: of the outputs, by their name. A string stands for an axis of any length, which is the same wherever the
            string is.

    Returns:
        The outputs in the order of `shapes`; they may have values that are not finite.

    Raises:
        ModelFileError: onnxruntime cannot run the network on these inputs, or an output has another shape.
    """
    try:
        outputs: list[Floats] = session.run(list(shapes), dict(inputs))
    except Exception as e:  # those of onnxruntime have no class in common
        raise ModelFileError(f"{path}: onnxruntime cannot run it: {_reason(e)}") from e
    lengths: dict[int | str, int] = {}
    for (name, shape), output in zip(shapes.items(), outputs, strict=True):
        if len(shape) == output.ndim:
            lengths = dict(zip(shape, output.shape, strict=True)) | lengths
        if output.shape != tuple(lengths.get(axis) if isinstance(axis, str) else axis for axis in shape):
            expected = ", ".join(map(str, shape))
            raise ModelFileError(f"{path}: its output {name} has the shape {output.shape}, expected ({expected})")
    return outputs


def read_model(path: Path) -> bytes:
    """Returns the content of a model file.

    Raises:
        ModelFileError: it cannot be read, is no regular file, is empty or larger than `MAX_MODEL_BYTES`.
    """
    try:
        content = read_regular(path, MAX_MODEL_BYTES)
    except OSError as e:
        raise ModelFileError(f"{path}: cannot be read: {e.strerror}") from e
    if not content:
        raise ModelFileError(f"{path}: is empty")
    return content


class OnnxBackend:
    """Runs a network with one input in onnxruntime on the CPU; a `Backend`.

    Args:
        path: the ONNX file. Beside the logits it may have a second output, `features`.
        num_threads: threads of one run.
        features: also return the features, in the columns after the logits.
        parallel_runs: a batch is divided into at most so many runs beside each other, each of two inputs or more.

    Attributes:
        input_shape: of one input, without the batch axis; an axis of any length is a string or None.
        output_shape: of the logits of one input, likewise.

    Raises:
        ConfigurationError, ModelFileError: as of `open_session`; or the file has several inputs, other outputs, or no
            features where they are wanted.
    """

    device, fallback, problem = "cpu", False, ""

    def __init__(self, path: Path, num_threads: int, *, features: bool = False, parallel_runs: int = 1) -> None:
        self._session = open_session(path, num_threads=num_threads, outputs=(FEATURES,) if features else ())
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        names = [output.name for output in outputs]
        if len(inputs) != 1 or not outputs or len(outputs) > 2 or names[1:] not in ([], [FEATURES]):
            raise ModelFileError(f"{path}: has {len(inputs)} inputs and {len(outputs)} outputs, expected one each")
        self._path, self._parallel_runs = path, parallel_runs
        self._pool = ThreadPoolExecutor(max(1, parallel_runs - 1), thread_name_prefix="onnx")  # starts no thread yet
        self._input = inputs[0].name
        self._outputs = names if features else names[:1]
        self.input_shape: list[int | str | None] = inputs[0].shape[1:]
        self.output_shape: list[int | str | None] = outputs[0].shape[1:]

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the logits, and the features after them where they are wanted.

        Raises:
            ModelFileError: onnxruntime cannot run the network on these inputs, or it has not one row for each.
        """
        parts = min(self._parallel_runs, len(batch) // _MIN_PART)
        if parts < 2:
            return self._run(batch)
        first, *others = np.array_split(batch, parts)
        running = [self._pool.submit(self._run, part) for part in others]
        return np.concatenate([self._run(first), *(run.result() for run in running)])

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        shapes = {name: (len(batch), name) for name in self._outputs}
        outputs = run_session(self._path, self._session, {self._input: batch}, shapes)
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=1)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:_LONGEST_REASON]
