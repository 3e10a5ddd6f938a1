# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception export`."""

import argparse
from typing import TYPE_CHECKING

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.paths import path_argument

if TYPE_CHECKING:
    from emotion_perception.training.export.exporter import ExportedModel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", type=path_argument, help="folder that `emotion-perception train` wrote")
    source.add_argument(
        "--model", help="export a finished model again: name of a shipped model or path of a .safetensors file"
    )
    parser.add_argument("--name", required=True, help="name of the model's files")
    parser.add_argument(
        "--out", type=path_argument, required=True, help="folder for NAME.safetensors, NAME.json and NAME.onnx"
    )
    parser.add_argument(
        "--data",
        type=path_argument,
        help="dataset of the training; needed with --model, and with --run if it has been moved",
    )
    parser.add_argument(
        "--mirror-average",
        action=argparse.BooleanOptionalAction,
        help="average the logits of an image and its mirror image, at twice the time (default: as the recipe or the "
        "model says)",
    )
    parser.add_argument("--torchscript", action="store_true", help="also write NAME.ts, the network for libtorch")
    parser.add_argument(
        "--int8",
        action="store_true",
        help="also write NAME.int8.onnx and NAME.int8.json: smaller, faster, slightly less accurate",
    )


def run(arguments: argparse.Namespace) -> int:
    """Exports a run or a model and prints the differences between the formats and the accuracy."""
    from emotion_perception.training.export.exporter import export, export_model
    from emotion_perception.training.export.quantization import summary_lines

    options = {
        "mirror_average": arguments.mirror_average,
        "torchscript": arguments.torchscript,
        "int8": arguments.int8,
    }
    if arguments.model is None:
        exported = export(arguments.run, arguments.name, arguments.out, data_path=arguments.data, **options)
    elif arguments.data is None:
        raise ConfigurationError("--model needs --data, the dataset on which the model was trained")
    else:
        exported = export_model(arguments.model, arguments.name, arguments.out, data_path=arguments.data, **options)
    _print_model(exported)
    if exported.quantized:
        print(summary_lines(exported.quantized))
    return 0


def _print_model(exported: "ExportedModel") -> None:
    from emotion_perception.training.export.calibration import summary_line

    measured, calibration = exported.metadata["measured"], exported.metadata["calibration"]
    print(f"{exported.bundle.weights}: weights stored as {exported.metadata['weights']['precision']}")
    print(f"torch and onnxruntime differ by at most {exported.parity:.1e} in a logit (limit 1e-4)")
    if exported.torchscript:
        difference = exported.metadata["torchscript"]["largest_logit_difference"]
        print(f"{exported.torchscript}: differs from torch by at most {difference:.1e} in a logit (limit 1e-4)")
    if calibration:
        print(summary_line(calibration))
    print(f"accuracy on {measured['n']} images of {measured['split']}: {measured['accuracy']:.2%}")
