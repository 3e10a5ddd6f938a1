# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Adds the features before the last layer to an ONNX file as a second output; the logits stay as they are."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from emotion_perception.core.inference.onnx_session import FEATURES

_BEHIND_THE_LAST_LAYER = ("QuantizeLinear", "DequantizeLinear", "Reshape", "ReduceMean")
_MEAN_AXES_AS_ATTRIBUTE = 17  # the newest opset in which they are


def with_features(content: bytes, *, mirror_average: bool) -> bytes:
    """Returns an ONNX file with the output `features`, the input of its last linear layer.

    Args:
        content: an ONNX file of `to_onnx`, or its int8 form. One that has the output already, or that does not end in a
            linear layer, is returned unchanged.
        mirror_average: the network averages an image and its mirror image, see `ModelSpec`; so do the features.
    """
    model = onnx.load_model_from_string(content)
    graph = model.graph
    opset = max(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    if len(graph.output) != 1 or opset > _MEAN_AXES_AS_ATTRIBUTE or (layer := _last_layer(graph)) is None:
        return content
    features, length = layer.input[0], _input_length(graph, layer)
    if mirror_average:
        graph.initializer.append(numpy_helper.from_array(np.array((2, -1, length), np.int64), "features_shape"))
        graph.node.append(helper.make_node("Reshape", [features, "features_shape"], ["features_of_both"]))
        graph.node.append(helper.make_node("ReduceMean", ["features_of_both"], [FEATURES], axes=[0], keepdims=0))
    else:
        graph.node.append(helper.make_node("Identity", [features], [FEATURES]))
    graph.output.append(helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, ["batch", length]))
    onnx.checker.check_model(model)
    return model.SerializeToString()


def has_features(content: bytes) -> bool:
    """Returns whether an ONNX file has the output `features`."""
    return FEATURES in (output.name for output in onnx.load_model_from_string(content).graph.output)


def _last_layer(graph: onnx.GraphProto) -> onnx.NodeProto | None:
    """Returns the linear layer that makes the logits, or None if another kind of layer does."""
    makers = {name: node for node in graph.node for name in node.output}
    node = makers.get(graph.output[0].name)
    while node is not None and node.op_type in _BEHIND_THE_LAST_LAYER:
        node = makers.get(node.input[0])
    return node if node is not None and node.op_type == "Gemm" else None


def _input_length(graph: onnx.GraphProto, layer: onnx.NodeProto) -> int:
    """Returns the number of inputs of a linear layer, whose weights may be quantized."""
    sizes = {array.name: list(array.dims) for array in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    name = layer.input[1]
    shape = sizes[name] if name in sizes else sizes[makers[name].input[0]]
    transposed = any(attribute.name == "transB" and attribute.i for attribute in layer.attribute)
    return int(shape[1] if transposed else shape[0])
