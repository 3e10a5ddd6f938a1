# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Builders shared by the tests of the core: a linear network of a few hundred weights as a whole model."""

import numpy as np
import pytest

from emotion_perception.core.classification.model_bundle import save_model
from emotion_perception.core.classification.model_spec import ModelSpec

SIZE = 8


def linear_onnx(weight, size=SIZE):
    """Returns an ONNX file that flattens (N, 1, S, S) and multiplies by `weight` (L, S*S)."""
    onnx = pytest.importorskip("onnx", reason="the ONNX files of these tests are made with the package onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["pictures"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weight"], ["logits"], transB=1),
        ],
        "linear",
        [helper.make_tensor_value_info("pictures", floats, ["batch", 1, size, size])],
        [helper.make_tensor_value_info("logits", floats, ["batch", len(weight)])],
        [onnx.numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


@pytest.fixture
def build_model(tmp_path):
    """Returns a function that writes a linear model and returns its bundle; keywords go to its spec."""

    def build(name="linear", *, outputs=None, with_onnx=True, size=SIZE, **options):
        spec = ModelSpec(**{"architecture": "linear", "input_size": SIZE, **options})
        weight = np.random.default_rng(0).normal(0, 0.3, (outputs or len(spec.labels), size * size)).astype(np.float32)
        onnx = linear_onnx(weight, size) if with_onnx else None
        return save_model(tmp_path / "model", name, spec, {"weight": weight}, onnx=onnx)

    return build
