"""`emotion-perception evaluate`."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the options."""
    parser.add_argument(
        "--model", required=True, help="name of a shipped model or path of a .safetensors or .onnx file"
    )
    parser.add_argument("--data", type=Path, required=True, help=".npz or fer2013.csv, see docs/data.md")
    parser.add_argument("--split", help="which split; required where the file has splits")
    parser.add_argument(
        "--ignore-classes", action="append", default=[], metavar="A,B", help="leave out pictures of these classes"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for report.json, report.md and the pictures")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--num-threads", type=int, default=2, metavar="N", help="default: %(default)s")


def run(arguments: argparse.Namespace) -> int:
    """Evaluates and prints the figures that people ask for first."""
    from emotion_perception.core.config import ClassifierConfig
    from emotion_perception.training.evaluate import evaluate

    report = evaluate(
        ClassifierConfig(model=arguments.model, device=arguments.device, num_threads=arguments.num_threads),
        arguments.data,
        arguments.out,
        split=arguments.split,
        ignore_classes=split_names(arguments.ignore_classes),
    )
    print(
        f"{report['n']} pictures: accuracy {report['accuracy']:.2%}, balanced {report['balanced_accuracy']:.2%}, "
        f"ECE {report['ece']:.2%}, {report['ms_per_face']:.2f} ms a face; report in {arguments.out}"
    )
    return 0


def split_names(given: list[str]) -> list[str]:
    """Returns the names of a repeatable option whose values may hold several, divided by commas."""
    return [name.strip() for part in given for name in part.split(",") if name.strip()]
