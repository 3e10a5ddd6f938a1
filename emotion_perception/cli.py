# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception`: one program, a sub-command for each job.

Only the module of the sub-command that was asked for is imported, so `--help` and the light commands need neither torch
nor onnxruntime. A sub-command's module has `add_arguments(parser)` and `run(arguments) -> int`, the exit code: 0 done,
1 failed, with one line on stderr; 2 is a wrong command line.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

from emotion_perception.core.errors import EmotionPerceptionError

_COMMANDS: Mapping[str, tuple[str, str]] = {
    "train": ("emotion_perception.training.commands.train", "train a network by a recipe; a stopped run goes on"),
    "search": (
        "emotion_perception.training.commands.search",
        "try many recipes of a network; a stopped search goes on",
    ),
    "evaluate": ("emotion_perception.training.commands.evaluate", "measure a model on a data file"),
    "calibrate": ("emotion_perception.training.commands.calibrate", "fit a model's temperature on a data file"),
    "export": ("emotion_perception.training.commands.export", "turn a training run into a model that the nodes open"),
    "quantize": ("emotion_perception.training.commands.quantize", "make a smaller, faster int8 twin of a model"),
    "models": ("emotion_perception.training.commands.models", "list the networks and the shipped models"),
    "evaluate-bag": (
        "emotion_perception.bags.commands.evaluate_bag",
        "recognize emotions in a recording, or score those in it; one bag or a folder of them",
    ),
    "label-bag": (
        "emotion_perception.bags.commands.label_bag",
        "write labels for a recording, for a person to correct",
    ),
    "benchmark": ("emotion_perception.benchmark.commands.benchmark", "measure how fast all of it is on this machine"),
    "fetch": ("emotion_perception.fetch", "fetch a face detector's model file, checked by its hash"),
}
_EXTRAS = {
    "emotion_perception.benchmark": "[training]",
    "emotion_perception.training": "[training]",
    "emotion_perception.bags": "[bags]",
}
_INTERRUPTED = 130  # 128 + SIGINT


def main(arguments: Sequence[str] | None = None, *, commands: Mapping[str, tuple[str, str]] = _COMMANDS) -> int:
    """Runs one sub-command and returns the exit code.

    Args:
        arguments: the command line without the program; None takes the process's own.
        commands: sub-command -> its module and one line of help.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given, commands)
    except EmotionPerceptionError as e:
        return _fail(str(e))
    except ModuleNotFoundError as e:
        return _fail(_missing(e, given))
    except KeyboardInterrupt as e:
        return _fail(str(e) or "stopped", _INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as e:
        return _fail(f"{e.filename or ''}: {e.strerror or e}".removeprefix(": "))


def _run(given: Sequence[str], commands: Mapping[str, tuple[str, str]]) -> int:
    parser = argparse.ArgumentParser(
        prog="emotion-perception",
        description="Emotions of faces: train, measure and export the models that the ROS 2 nodes use.",
        epilog="emotion-perception COMMAND --help says more. Exit code: 0 done, 1 failed, 2 wrong command line.",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    modules: dict[str, ModuleType] = {}
    for name, (module, line) in commands.items():
        subparser = subparsers.add_parser(name, help=line, description=line[0].upper() + line[1:] + ".")
        if name in given[:1]:
            modules[name] = importlib.import_module(module)
            modules[name].add_arguments(subparser)
    parsed = parser.parse_args(given)
    return int(modules[parsed.command].run(parsed))


def _missing(error: ModuleNotFoundError, given: Sequence[str]) -> str:
    module = (error.name or "").partition(".")[0]
    if module == "emotion_perception":
        return f"{error}: this installation is not complete"
    package = ".".join(_COMMANDS.get(given[0], ("",))[0].split(".")[:2])
    extra = _EXTRAS.get(package, "")
    return f"{given[0]} needs the Python package {module}: pip install emotion_perception{extra}"


def _fail(line: str, code: int = 1) -> int:
    print(f"emotion-perception: {' '.join(line.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
