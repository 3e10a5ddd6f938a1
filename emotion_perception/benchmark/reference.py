# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A fixed piece of work by which times of different machines can be compared."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from emotion_perception.core.inference import open_session

_CHANNELS, _HEIGHT, _WIDTH, _KERNEL = 32, 120, 160, 3
_OPSET, _IR_VERSION = 17, 8  # of 2022, which every onnxruntime that is supported can read

DESCRIPTION = (
    f"The reference is one convolution, {_KERNEL}x{_KERNEL}, {_CHANNELS} to {_CHANNELS} channels, on "
    f"{_WIDTH}x{_HEIGHT} in float32, in onnxruntime with one thread"
)


def reference_work() -> Callable[[], NDArray[np.float32]]:
    """Returns a function that runs the reference convolution once."""
    rng = np.random.default_rng(0)
    shape = [1, _CHANNELS, _HEIGHT, _WIDTH]
    weights = rng.standard_normal((_CHANNELS, _CHANNELS, _KERNEL, _KERNEL)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "weights"], ["y"], pads=[_KERNEL // 2] * 4)],
        "reference",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    session = open_session(Path("reference"), num_threads=1, model=model.SerializeToString())
    image = rng.standard_normal(shape).astype(np.float32)

    def work() -> NDArray[np.float32]:
        result: NDArray[np.float32] = session.run(None, {"x": image})[0]
        return result

    return work
