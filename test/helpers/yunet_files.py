# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""ONNX files with the outputs of YuNet, constant ones, for images of 480x384 pixels: those of the warm-up."""

import numpy as np
import pytest

_VALUES = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
_WIDTH, _HEIGHT = 480, 384


def yunet_outputs():
    """Returns the outputs of an image without a face, by their name, each (1, cells, values)."""
    return {
        f"{kind}_{stride}": np.zeros((1, _WIDTH // stride * (_HEIGHT // stride), values), np.float32)
        for kind, values in _VALUES.items()
        for stride in (8, 16, 32)
    }


def write_yunet(path, outputs):
    """Writes a network that returns the same outputs for every image."""
    onnx = pytest.importorskip("onnx", reason="the ONNX files of these tests are made with the package onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Identity", [f"constant_{name}"], [name]) for name in outputs],
        "yunet",
        [helper.make_tensor_value_info("input", floats, (1, 3, 640, 640))],
        [helper.make_tensor_value_info(name, floats, None) for name in outputs],
        [onnx.numpy_helper.from_array(values, f"constant_{name}") for name, values in outputs.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path
