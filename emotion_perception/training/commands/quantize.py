# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception quantize`."""

import argparse
from pathlib import Path

from emotion_perception.core.errors import ConfigurationError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the options."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help="an emotion model: name of a shipped one or path of a .safetensors file")
    what.add_argument("--detector", choices=["centerface"], help="a face detector")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="what the model was trained on; for a detector a video or folder of images, of faces as they will come",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder for NAME.int8.onnx and NAME.int8.json; for a detector the .onnx file",
    )


def run(arguments: argparse.Namespace) -> int:
    """Quantizes and prints what it changed."""
    if arguments.detector:
        from emotion_perception.training.export.quantize_detector import in_words as detector_in_words
        from emotion_perception.training.export.quantize_detector import quantize_detector

        if arguments.out.suffix != ".onnx":
            raise ConfigurationError(f"--out {arguments.out}: for a detector it is a file that ends in .onnx")
        print(detector_in_words(quantize_detector(arguments.data, arguments.out)))
        return 0
    from emotion_perception.training.export.quantize import in_words, quantize_model

    print(in_words(quantize_model(arguments.model, arguments.data, arguments.out)))
    return 0
