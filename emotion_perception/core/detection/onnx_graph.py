# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Makes the input size of an ONNX network variable that was exported for one size, without the onnx package.

The published CenterFace file declares an input of 10x3x32x32 and lists its weights as inputs, which forbids other
sizes and keeps onnxruntime from folding them. The file on disk stays as published, so its hash can be checked; the
declarations are rewritten in memory. Field numbers are those of onnx.proto3.
"""

from collections.abc import Iterator
from typing import NamedTuple

_MODEL_GRAPH = 7
_GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO = 5, 11, 12, 13
_TENSOR_NAME, _VALUE_NAME = 8, 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FLOAT = 1


class _Field(NamedTuple):
    number: int
    raw: bytes  # the whole field: tag, length and payload
    payload: bytes  # empty if the field is not length-delimited


def with_free_image_size(model: bytes) -> bytes:
    """Returns the network with one input of (1, 3, height, width) and outputs of any shape.

    Raises:
        ValueError: the bytes are not an ONNX network with exactly one input beside its weights.
    """
    return b"".join(
        _encoded(_MODEL_GRAPH, _free_graph(field.payload)) if field.number == _MODEL_GRAPH else field.raw
        for field in _fields(model)
    )


def _free_graph(graph: bytes) -> bytes:
    fields = list(_fields(graph))
    weights = {_name(field.payload, _TENSOR_NAME) for field in fields if field.number == _GRAPH_INITIALIZER}
    names = [_name(field.payload, _VALUE_NAME) for field in fields if field.number == _GRAPH_INPUT]
    images = [name for name in names if name not in weights]
    if len(images) != 1:
        raise ValueError(f"the network has {len(images)} inputs, not 1")
    declared = (_GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO)
    parts = [field.raw for field in fields if field.number not in declared]
    parts.append(_encoded(_GRAPH_INPUT, _value(images[0], (1, 3, "height", "width"))))
    parts += [
        _encoded(_GRAPH_OUTPUT, _value(_name(field.payload, _VALUE_NAME), None))
        for field in fields
        if field.number == _GRAPH_OUTPUT
    ]
    return b"".join(parts)


def _value(name: bytes, shape: tuple[int | str, ...] | None) -> bytes:
    """Encodes a ValueInfoProto of float32."""
    tensor = _varint(1 << 3 | _VARINT) + _varint(_FLOAT)
    if shape is not None:
        tensor += _encoded(2, b"".join(_encoded(1, _dimension(size)) for size in shape))
    return _encoded(_VALUE_NAME, name) + _encoded(2, _encoded(1, tensor))


def _dimension(size: int | str) -> bytes:
    return _encoded(2, size.encode()) if isinstance(size, str) else _varint(1 << 3 | _VARINT) + _varint(size)


def _name(message: bytes, number: int) -> bytes:
    for field in _fields(message):
        if field.number == number:
            return field.payload
    raise ValueError("a value of the network has no name")


def _fields(message: bytes) -> Iterator[_Field]:
    """Yields the fields of one protobuf message in their order."""
    position = 0
    while position < len(message):
        start = position
        tag, position = _read_varint(message, position)
        number, kind = tag >> 3, tag & 7
        payload = b""
        if kind == _VARINT:
            _, position = _read_varint(message, position)
        elif kind == _BYTES:
            length, position = _read_varint(message, position)
            payload = message[position : position + length]
            position += length
        elif kind in (_FIXED64, _FIXED32):
            position += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"byte {start} is not the start of a protobuf field")
        if position > len(message):
            raise ValueError("the file is truncated")
        yield _Field(number, message[start:position], payload)


def _read_varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message) and shift < 64:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("the file is truncated")


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _encoded(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(payload)) + payload
