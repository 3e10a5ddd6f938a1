"""`emotion-perception train`."""

import argparse
import logging
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the options."""
    parser.add_argument("--data", type=Path, required=True, help=".npz or fer2013.csv, see docs/data.md")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the run; an unfinished run in it goes on where it stopped"
    )
    parser.add_argument(
        "--config", default="compact_vgg", help="shipped recipe or path of a .yaml (default: %(default)s)"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change one key of the recipe; may be repeated"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: %(default)s")
    parser.add_argument(
        "--num-threads", type=int, default=0, metavar="N", help="threads of torch (default: its choice)"
    )
    parser.add_argument("--no-resume", action="store_true", help="begin anew, over what is in --out")
    parser.add_argument(
        "--train-split", default="Training", metavar="NAME", help="learn from it (default: %(default)s)"
    )
    parser.add_argument(
        "--choose-split",
        default="PublicTest",
        metavar="NAME",
        help="keep the epoch that does best on it (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Trains."""
    from emotion_perception.training.recipe import load_recipe
    from emotion_perception.training.train import train

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        best = train(
            load_recipe(arguments.config, arguments.set),
            arguments.data,
            arguments.out,
            train_split=arguments.train_split,
            choose_split=arguments.choose_split,
            device=arguments.device,
            num_threads=arguments.num_threads,
            resume=not arguments.no_resume,
        )
    except KeyboardInterrupt:
        print(file=sys.stderr)  # below the bar
        raise KeyboardInterrupt(
            f"stopped; the same command without --no-resume goes on after the last full epoch in {arguments.out}"
        ) from None
    print(f"{best}: the best epoch; now: emotion-perception export --run {arguments.out} --name NAME --out FOLDER")
    return 0
