# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Quantizes an ONNX file: int8 weights for each channel, uint8 activations with ranges from calibration inputs."""

import contextlib
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


class CalibrationInputs(CalibrationDataReader):
    """Calibration inputs for onnxruntime, computed when they are needed.

    Args:
        count: number of inputs.
        make: returns the input with an index: name of the network's input -> array.
    """

    def __init__(self, count: int, make: Callable[[int], dict[str, NDArray[np.float32]]]) -> None:
        self._count, self._make = count, make
        self._next = self._end = 0

    def __len__(self) -> int:
        return self._count

    def set_range(self, start_index: int, end_index: int) -> None:
        """Selects the inputs that follow."""
        self._next, self._end = start_index, end_index

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Returns the next input, None after the last."""
        if self._next >= min(self._end, self._count):
            return None
        self._next += 1
        return self._make(self._next - 1)


def write_int8_file(
    source: Path, target: Path, inputs: CalibrationInputs, method: CalibrationMethod, *, keep_last_layers: bool = False
) -> None:
    """Writes the int8 version of an ONNX file.

    Args:
        source: the float file, opset 13 or later.
        target: the file to write.
        inputs: at least one calibration input.
        method: how ranges are computed from the inputs.
        keep_last_layers: keep the output layers in float32.
    """
    unseen = io.StringIO()  # onnxruntime prints its steps
    with tempfile.TemporaryDirectory() as temporary, contextlib.redirect_stdout(unseen):
        prepared = Path(temporary) / "prepared.onnx"
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            target,
            inputs,
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=method,
            nodes_to_exclude=_last_layers(prepared) if keep_last_layers else [],
            extra_options={"CalibStridedMinMax": 1},  # one input at a time, with every method
        )


def input_name(path: Path) -> str:
    """Returns the name of the first input of an ONNX file."""
    return str(onnx.load(str(path), load_external_data=False).graph.input[0].name)


def _last_layers(path: Path) -> list[str]:
    """Names all nodes of a file; returns the names of the last convolutions and of the nodes after them."""
    model = onnx.load(str(path))
    makers = {}
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{number}"
        makers.update(dict.fromkeys(node.output, node))
    onnx.save(model, str(path))
    last, waiting = [], [makers[output.name] for output in model.graph.output]
    while waiting:
        node = waiting.pop()
        last.append(node.name)
        if node.op_type != "Conv":
            waiting += [makers[name] for name in node.input if name in makers]
    return last
