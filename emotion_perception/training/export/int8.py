# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The int8 form of an ONNX file: int8 weights for each channel, uint8 activations whose ranges come from examples."""

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


class Inputs(CalibrationDataReader):
    """Gives onnxruntime the examples.

    Args:
        count: how many.
        make: returns one by its number: name of the network's input -> array.
    """

    def __init__(self, count: int, make: Callable[[int], dict[str, NDArray[np.float32]]]) -> None:
        self._count, self._make = count, make
        self._next = self._end = 0

    def __len__(self) -> int:
        return self._count

    def set_range(self, start_index: int, end_index: int) -> None:
        """Chooses those that come next."""
        self._next, self._end = start_index, end_index

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Returns the next one, None after the last."""
        if self._next >= min(self._end, self._count):
            return None
        self._next += 1
        return self._make(self._next - 1)


def write_int8_file(
    source: Path, target: Path, inputs: Inputs, method: CalibrationMethod, *, keep_last_layers: bool = False
) -> None:
    """Writes the int8 form of a network.

    Args:
        source: the float file, opset 13 or later.
        target: is written.
        inputs: at least one.
        method: how the ranges come from them.
        keep_last_layers: the layers that give the outputs stay float32.
    """
    with tempfile.TemporaryDirectory() as temporary, contextlib.redirect_stdout(io.StringIO()):  # it prints its steps
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
            extra_options={"CalibStridedMinMax": 1},  # an example at a time, whatever the method
        )


def _last_layers(path: Path) -> list[str]:
    """Gives the nodes of a file names, and returns those of the last convolutions and what follows them."""
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
