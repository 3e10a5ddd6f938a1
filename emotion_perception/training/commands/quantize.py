# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception quantize`."""

import argparse

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.paths import path_argument
from emotion_perception.reporting.output_file import check_output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help="emotion model: name of a shipped model or path of a .safetensors file")
    what.add_argument("--detector", choices=["centerface"], help="face detector")
    parser.add_argument(
        "--data",
        type=path_argument,
        required=True,
        help="dataset on which the model was trained; for a detector a video or folder of images of the application",
    )
    parser.add_argument(
        "--out",
        type=path_argument,
        required=True,
        help="folder for NAME.int8.onnx and NAME.int8.json; for a detector the .onnx file",
    )
    parser.add_argument("--force", action="store_true", help="for a detector: replace an existing file")


def run(arguments: argparse.Namespace) -> int:
    """Quantizes and prints the changes in accuracy, size and speed."""
    if arguments.detector:
        from emotion_perception.training.export import detector_quantization

        if arguments.out.suffix != ".onnx":
            raise ConfigurationError(f"--out {arguments.out}: for a detector, give a file that ends in .onnx")
        check_output_file(arguments.out, inputs=[arguments.data], force=arguments.force)
        quantized = detector_quantization.quantize_detector(arguments.data, arguments.out)
        print(detector_quantization.summary_lines(quantized))
        return 0
    from emotion_perception.training.export.quantization import quantize_model, summary_lines

    print(summary_lines(quantize_model(arguments.model, arguments.data, arguments.out)))
    return 0
