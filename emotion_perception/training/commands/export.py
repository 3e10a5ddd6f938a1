# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception export`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emotion_perception.training.export.exporter import Export


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the options."""
    parser.add_argument("--run", type=Path, required=True, help="folder that `emotion-perception train` wrote")
    parser.add_argument("--name", required=True, help="of the model's files")
    parser.add_argument("--out", type=Path, required=True, help="folder for NAME.safetensors, NAME.json and NAME.onnx")
    parser.add_argument("--data", type=Path, help="the run's data, where it has moved since")
    parser.add_argument("--torchscript", action="store_true", help="also write NAME.ts, the network for libtorch")
    parser.add_argument(
        "--int8", action="store_true", help="also write NAME.int8.onnx and NAME.int8.json: smaller, faster, less exact"
    )


def run(arguments: argparse.Namespace) -> int:
    """Exports and prints what a person should check."""
    from emotion_perception.training.export.exporter import export
    from emotion_perception.training.export.quantize import in_words

    done = export(
        arguments.run,
        arguments.name,
        arguments.out,
        data_path=arguments.data,
        torchscript=arguments.torchscript,
        int8=arguments.int8,
    )
    _print_model(done)
    if done.quantized:
        print(in_words(done.quantized))
    return 0


def _print_model(done: "Export") -> None:
    from emotion_perception.training.export.calibration import in_words

    measured, calibration = done.figures["measured"], done.figures["calibration"]
    print(f"{done.checkpoint.weights}: weights stored as {done.figures['weights']['precision']}")
    print(f"torch and onnxruntime differ by at most {done.parity:.1e} in a logit (limit 1e-4)")
    if done.torchscript:
        difference = done.figures["torchscript"]["largest_logit_difference"]
        print(f"{done.torchscript}: differs from torch by at most {difference:.1e} in a logit (limit 1e-4)")
    if calibration:
        print(in_words(calibration))
    print(f"accuracy on {measured['n']} images of {measured['split']}: {measured['accuracy']:.2%}")
