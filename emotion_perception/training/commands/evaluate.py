# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception evaluate`."""

import argparse
from pathlib import Path

from emotion_perception.core.config import ClassifierConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the options."""
    parser.add_argument(
        "--model", required=True, help="name of a shipped model or path of a .safetensors or .onnx file"
    )
    parser.add_argument("--data", type=Path, required=True, help="file or folder, see docs/data.md")
    parser.add_argument(
        "--data-option", action="append", default=[], metavar="KEY=VALUE", help="how to read the data, see docs/data.md"
    )
    parser.add_argument("--split", help="which split; required where the data has splits")
    parser.add_argument(
        "--ignore-classes", action="append", default=[], metavar="A,B", help="leave out images of these classes"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for report.json, .md, .html and the plots")
    parser.add_argument(
        "--uncertain-below",
        type=float,
        default=ClassifierConfig.min_confidence,
        metavar="SCORE",
        help="answers below it count as uncertain (default: %(default)s)",
    )
    parser.add_argument(
        "--robustness", action="store_true", help="also covered, blurred, dark, small and turned faces; takes 30 times"
    )
    parser.add_argument(
        "--examples", action="store_true", help="show one face of the data under each of these changes in the report"
    )
    parser.add_argument(
        "--groups", type=Path, metavar="CSV", help="column index or filename, others name each image's groups"
    )
    parser.add_argument("--seed", type=int, default=0, help="of changes and intervals (default: %(default)s)")
    parser.add_argument("--card", type=Path, metavar="FILE", help="write a model card, too")
    parser.add_argument(
        "--report", type=Path, nargs="+", default=[], metavar="JSON", help="further report.json for the card"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--num-threads", type=int, default=2, metavar="N", help="default: %(default)s")


def run(arguments: argparse.Namespace) -> int:
    """Evaluates and prints the figures that people ask for first."""
    from emotion_perception.core.classification.model_bundle import load_model_bundle
    from emotion_perception.core.errors import ConfigurationError
    from emotion_perception.training.datasets import parse_options
    from emotion_perception.training.evaluate.evaluator import evaluate
    from emotion_perception.training.export.model_card import read_report, write_card

    if arguments.report and not arguments.card:
        raise ConfigurationError("--report names what stands in the model card: give --card FILE, too")
    checkpoint = load_model_bundle(arguments.model)
    others = [read_report(path, checkpoint) for path in arguments.report]
    report = evaluate(
        ClassifierConfig(
            model=arguments.model,
            device=arguments.device,
            num_threads=arguments.num_threads,
            min_confidence=arguments.min_confidence,
        ),
        arguments.data,
        arguments.out,
        split=arguments.split,
        ignore_classes=split_names(arguments.ignore_classes),
        data_options=parse_options(arguments.data_option),
        robustness=arguments.robustness,
        examples=arguments.examples,
        groups=arguments.groups,
        seed=arguments.seed,
    )
    if arguments.card:
        write_card(checkpoint, [report, *others], arguments.card)
    print(
        f"{report['n']} images: accuracy {report['accuracy']:.2%}, balanced {report['balanced_accuracy']:.2%}, "
        f"ECE {report['ece']:.2%}, {report['ms_per_face']:.2f} ms a face; report in {arguments.out}"
    )
    return 0


def split_names(given: list[str]) -> list[str]:
    """Returns the names of a repeatable option whose values may hold several, divided by commas."""
    return [name.strip() for part in given for name in part.split(",") if name.strip()]
