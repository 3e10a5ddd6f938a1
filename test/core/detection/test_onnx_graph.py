# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.detection.onnx_graph import with_free_image_size
from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.inference.onnx_session import open_session


def varint(value):
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def number(tag, value):
    return varint(tag << 3) + varint(value)


def message(tag, *parts):
    payload = b"".join(parts)
    return varint(tag << 3 | 2) + varint(len(payload)) + payload


def value(tag, name, shape):
    dimensions = b"".join(message(1, number(1, size)) for size in shape)
    return message(tag, message(1, name), message(2, message(1, number(1, 1), message(2, dimensions))))


def adding_network(inputs=(b"picture", b"weight")):
    """Encodes image + weight for images of 2x3x8x8 only, its weight listed as an input, as older exports do."""
    node = message(1, message(1, b"picture"), message(1, b"weight"), message(2, b"sum"), message(4, b"Add"))
    weight = message(5, number(1, 1), number(2, 1), message(4, np.float32(2.5).tobytes()), message(8, b"weight"))
    shapes = {b"picture": (2, 3, 8, 8), b"weight": (1,), b"other": (1,)}
    declared = b"".join(value(11, name, shapes[name]) for name in inputs)
    graph = message(7, node, message(2, b"adding"), weight, declared, value(12, b"sum", (2, 3, 8, 8)))
    return number(1, 4) + graph + message(8, number(2, 9))


def opened(model, tmp_path, outputs=("sum",)):
    path = tmp_path / "adding.onnx"
    path.write_bytes(model)
    return open_session(path, num_threads=1, outputs=outputs)


def test_the_freed_network_runs_at_any_size(tmp_path):
    pytest.importorskip("onnxruntime")
    session = opened(with_free_image_size(adding_network()), tmp_path)
    assert [item.name for item in session.get_inputs()] == ["picture"]
    for height, width in ((8, 8), (32, 64)):
        image = np.ones((1, 3, height, width), np.float32)
        (answer,) = session.run(None, {"picture": image})
        assert np.array_equal(answer, image + 2.5)


def test_freeing_twice_changes_nothing_more():
    once = with_free_image_size(adding_network())
    assert with_free_image_size(once) == once


@pytest.mark.parametrize("model", [b"\xff" * 40, b"not a network", adding_network()[:-20]])
def test_what_is_no_network_is_refused(model):
    with pytest.raises(ValueError, match="truncated|is not the start of a protobuf field"):
        with_free_image_size(model)


def test_a_network_of_two_inputs_is_refused():
    with pytest.raises(ValueError, match="2 inputs"):
        with_free_image_size(adding_network(inputs=(b"picture", b"weight", b"other")))


def test_a_network_without_the_outputs_is_refused(tmp_path):
    pytest.importorskip("onnxruntime")
    with pytest.raises(ModelFileError, match=r"adding\.onnx: another network.*no output heat"):
        opened(adding_network(), tmp_path, outputs=("sum", "heat"))
