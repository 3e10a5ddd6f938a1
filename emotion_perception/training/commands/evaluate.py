# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception evaluate`."""

import argparse
import os

from emotion_perception.core.classification import ClassifierOptions, RecognizerOptions
from emotion_perception.core.paths import path_argument
from emotion_perception.training.commands.options import DEVICE_HELP, add_dataset_options, comma_separated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument(
        "--model", required=True, help="name of a shipped model or path of a .safetensors or .onnx file"
    )
    add_dataset_options(parser, data_help="file or folder, see docs/data.md")
    parser.add_argument(
        "--out", type=path_argument, required=True, help="folder for report.json, .md, .html and the plots"
    )
    parser.add_argument(
        "--min-confidence",
        type=float,
        default=RecognizerOptions.min_confidence,
        metavar="SCORE",
        help="predictions with a lower score count as uncertain (default: %(default)s)",
    )
    parser.add_argument(
        "--robustness",
        action="store_true",
        help="also measure covered, blurred, dark, small and rotated faces; takes 30 times as long",
    )
    parser.add_argument(
        "--examples", action="store_true", help="show a face of the data with each of these changes in the report"
    )
    parser.add_argument(
        "--subgroups",
        type=path_argument,
        metavar="CSV",
        help="also compare subgroups: a column index or filename, each other column an attribute of the images",
    )
    parser.add_argument(
        "--baseline-by",
        choices=["subject"],
        help="read expressions relative to a resting image of each person, which is not measured on",
    )
    parser.add_argument("--baseline-class", metavar="CLASS", help="class of the resting images (default: neutral)")
    parser.add_argument(
        "--baseline-files",
        metavar="PATTERN",
        help="file names of the resting images, e.g. '*_normal' (default: the first image of the class)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of changes and intervals (default: %(default)s)")
    parser.add_argument(
        "--card", type=path_argument, metavar="FILE", help="also write a model card; replaces only a model card"
    )
    parser.add_argument(
        "--report",
        type=path_argument,
        nargs="+",
        default=[],
        metavar="JSON",
        help="other report.json files for the model card",
    )
    parser.add_argument("--device", default="auto", help=DEVICE_HELP)
    parser.add_argument("--num-threads", type=int, default=2, metavar="N", help="default: %(default)s")


def run(arguments: argparse.Namespace) -> int:
    """Evaluates a model and prints the main metrics."""
    from emotion_perception.core.classification import load_model_bundle
    from emotion_perception.core.errors import ConfigurationError
    from emotion_perception.core.yaml_values import parse_key_values
    from emotion_perception.reporting.output_file import check_output_file
    from emotion_perception.reporting.pages import interval_text
    from emotion_perception.training.evaluate.evaluator import evaluate
    from emotion_perception.training.evaluate.report import REPORT_FILES
    from emotion_perception.training.evaluate.resting_images import RestingRule
    from emotion_perception.training.export.model_card import is_card, read_report, write_card

    if arguments.report and not arguments.card:
        raise ConfigurationError("--report names reports for the model card: give --card FILE, too")
    given = {"label": arguments.baseline_class, "files": arguments.baseline_files}
    rule = {name: value for name, value in given.items() if value is not None}
    if rule and not arguments.baseline_by:
        raise ConfigurationError("--baseline-class and --baseline-files need --baseline-by subject")
    bundle = load_model_bundle(arguments.model)
    if arguments.card:
        inputs = [arguments.data, bundle.weights, *arguments.report]
        check_output_file(arguments.card, inputs=inputs, is_ours=is_card)
        if os.path.realpath(arguments.card) in {os.path.realpath(arguments.out / name) for name in REPORT_FILES}:
            raise ConfigurationError(f"{arguments.card}: --card would replace the report: give another name")
    others = [read_report(path, bundle) for path in arguments.report]
    report = evaluate(
        ClassifierOptions(
            model=arguments.model, device=arguments.device, precision="float32", num_threads=arguments.num_threads
        ),
        arguments.data,
        arguments.out,
        min_confidence=arguments.min_confidence,
        split=arguments.split,
        ignore_classes=comma_separated(arguments.ignore_classes),
        data_options=parse_key_values(arguments.data_option, "--data-option"),
        robustness=arguments.robustness,
        examples=arguments.examples,
        subgroups=arguments.subgroups,
        baseline=RestingRule(by=arguments.baseline_by, **rule) if arguments.baseline_by else None,
        seed=arguments.seed,
        inputs=arguments.report,
    )
    if arguments.card:
        write_card(bundle, [report, *others], arguments.card)
    print(
        f"{report['n']} images: accuracy {report['accuracy']:.2%}, balanced {report['balanced_accuracy']:.2%}, "
        f"ECE {report['ece']:.2%}, {report['ms_per_face']:.2f} ms per face; report in {arguments.out}"
    )
    if baseline := report["baseline"]:
        relative, alone = baseline["relative"], baseline["alone"]
        print(
            f"relative to rest ({baseline['num_subjects']} subjects): balanced {relative['balanced_accuracy']:.2%} "
            f"({interval_text(relative['balanced_accuracy_interval'])}), "
            f"without the baseline {alone['balanced_accuracy']:.2%}"
        )
    return 0
