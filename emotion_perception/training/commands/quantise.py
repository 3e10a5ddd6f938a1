"""`emotion-perception quantise`."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the options."""
    parser.add_argument("--model", required=True, help="name of a shipped model or path of a .safetensors file")
    parser.add_argument("--data", type=Path, required=True, help="what it was trained on")
    parser.add_argument("--out", type=Path, required=True, help="folder for NAME.int8.onnx and NAME.int8.json")


def run(arguments: argparse.Namespace) -> int:
    """Quantises and prints what it changed."""
    from emotion_perception.training.quantise import in_words, quantise_model

    print(in_words(quantise_model(arguments.model, arguments.data, arguments.out)))
    return 0
