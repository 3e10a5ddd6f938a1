# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Building blocks of the networks: checks of options, and layers in the order of Keras."""

from torch import nn

Layers = tuple[nn.Module, ...]


def require_positive(**options: object) -> None:
    """Checks that options are positive integers.

    Raises:
        ValueError: one is not; the message names it.
    """
    for name, value in options.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} {value!r} is not a whole number from 1")


def require_list(name: str, values: object, length: int) -> None:
    """Checks that an option is a list of the given length.

    Raises:
        ValueError: it is not; the message names it.
    """
    if not isinstance(values, list | tuple) or len(values) != length:
        raise ValueError(f"{name} {values!r} is not a list of {length}")


def pooled_side(side: int, lost: tuple[int, ...]) -> int:
    """Returns the side of the features after some stages of "valid" convolutions and 2x2 pooling, in pixels.

    Args:
        side: of the input, in pixels.
        lost: pixels that the convolutions of each stage remove from the side.

    Raises:
        ValueError: the input is too small, or its side is not a positive integer.
    """
    require_positive(input_size=side)
    left = side
    for pixels in lost:
        left = (left - pixels) // 2
    if left < 1:
        raise ValueError(f"input_size {side} is too small for {len(lost)} stages")
    return left


def convolution(inputs: int, outputs: int, kernel: int, activation: nn.Module, *, padding: int = 0) -> Layers:
    """Returns convolution, activation and batch normalization, in the order of a Keras layer with an activation."""
    return nn.Conv2d(inputs, outputs, kernel, padding=padding), activation, nn.BatchNorm2d(outputs)


def dense(inputs: int, outputs: int, activation: nn.Module, dropout: float) -> Layers:
    """Returns a dense layer, activation, batch normalization and dropout."""
    return nn.Linear(inputs, outputs), activation, nn.BatchNorm1d(outputs), nn.Dropout(dropout)
