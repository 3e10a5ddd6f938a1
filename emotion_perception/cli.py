# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The program `emotion-perception` with its sub-commands.

Only the module of the given sub-command is imported, so that `--help` and light commands need neither torch nor
onnxruntime. The module of a sub-command has the functions `add_arguments(parser)` and `run(arguments)`, which returns
the exit code: 0 on success, 1 on failure, with one line on stderr. The exit code of a wrong command line is 2. Ctrl-C,
SIGTERM and SIGHUP raise KeyboardInterrupt in it; the exit code is 130.
"""

import argparse
import contextlib
import importlib
import io
import itertools
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType, ModuleType
from typing import Any

from emotion_perception.core.errors import ConfigurationError, EmotionPerceptionError, report_unexpected
from emotion_perception.core.missing_packages import import_problem
from emotion_perception.core.printable import encodable, printable
from emotion_perception.core.retired_names import CLI_COMMANDS, CLI_OPTIONS

_COMMANDS: Mapping[str, tuple[str, str]] = {
    "train": ("emotion_perception.training.commands.train", "train a network by a recipe; a stopped run is resumed"),
    "search": (
        "emotion_perception.training.commands.search",
        "search the hyperparameters of a network; a stopped search is resumed",
    ),
    "evaluate": ("emotion_perception.training.commands.evaluate", "evaluate a model on a dataset"),
    "calibrate": (
        "emotion_perception.training.commands.calibrate",
        "fit a model's calibration temperature on a dataset",
    ),
    "fit-baseline": (
        "emotion_perception.training.commands.fit_baseline",
        "fit the statistics by which a model reads expressions relative to a resting face",
    ),
    "export": ("emotion_perception.training.commands.export", "export a training run as a model for the nodes"),
    "quantize": ("emotion_perception.training.commands.quantize", "quantize a model to int8: smaller and faster"),
    "models": ("emotion_perception.training.commands.models", "list the networks and the shipped models"),
    "annotate": (
        "emotion_perception.annotate.command",
        "draw emotions on a video, images, a camera or a stream, and write them to tables",
    ),
    "evaluate-bag": (
        "emotion_perception.bags.commands.evaluate_bag",
        "recognize emotions in a recording, or score the recorded ones; one bag or a folder of bags",
    ),
    "label-bag": (
        "emotion_perception.bags.commands.label_bag",
        "write predicted labels of a recording for manual correction",
    ),
    "image-topic": (
        "emotion_perception.bags.commands.image_topic",
        "print name, type and frame of the image topic of a recording",
    ),
    "benchmark": (
        "emotion_perception.benchmark.commands.benchmark",
        "measure the speed of nodes, models and training on this machine",
    ),
    "fetch": ("emotion_perception.fetch", "download the model files of a face detector, verified by hash"),
}
_EXTRAS = {
    "emotion_perception.annotate": "video",
    "emotion_perception.benchmark": "training",
    "emotion_perception.training": "training",
    "emotion_perception.bags": "bags",
}
_INTERRUPTED = 130  # 128 + SIGINT
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
_AGAIN_S = 0.5
_STDOUT = "standard output"
_LONGEST_LINE = 2000  # characters of an error; what a file holds may be of any length


def main(arguments: Sequence[str] | None = None, *, commands: Mapping[str, tuple[str, str]] = _COMMANDS) -> int:
    """Runs a sub-command and returns the exit code.

    Args:
        arguments: the command line without the program; None takes that of the process.
        commands: sub-command -> its module and its line of help.

    Raises:
        SystemExit: the command line is wrong (code 2), or help was requested (code 0).
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    _open_closed_streams()
    os.environ["MPLBACKEND"] = "agg"  # plots are files; matplotlib does not load with the name of an unknown backend
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # of file names, or where the locale is not UTF-8
    try:
        _check_working_folder()
        with _stopped_by_signals(), contextlib.redirect_stdout(_NamedOutput(sys.stdout)):
            code = _run(given, commands)
            sys.stdout.flush()
            return code
    except EmotionPerceptionError as e:
        return _fail(str(e))
    except ImportError as e:
        return _fail(_missing(e, given))
    except KeyboardInterrupt as e:
        return _fail(str(e) or "stopped", _INTERRUPTED)
    except OSError as e:
        if e.filename == _STDOUT:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes what is left at its end
            if isinstance(e, BrokenPipeError):  # the reader has ended, e.g. head
                return 1
        return _fail(_os_error(e, given))
    except Exception as e:  # noqa: BLE001 - the last line of defense: one line instead of a traceback
        report_unexpected("emotion-perception", e)
        return 1


def _check_working_folder() -> None:
    """Raises ConfigurationError if the working folder was removed; libraries would end the process, or name no file."""
    try:
        os.getcwd()
    except OSError as e:
        raise ConfigurationError(f"the current folder cannot be used: {e.strerror}; change to another one") from e


def _run(given: Sequence[str], commands: Mapping[str, tuple[str, str]]) -> int:
    parser = argparse.ArgumentParser(
        prog="emotion-perception",
        description="Annotate videos, evaluate recordings, and train, evaluate and export the models of the nodes.",
        epilog="See emotion-perception COMMAND --help. Exit code: 0 success, 1 failure, 2 wrong command line, "
        "130 stopped by Ctrl-C, SIGTERM or SIGHUP.",
    )
    _refuse_retired_names(given, parser)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    modules: dict[str, ModuleType] = {}
    for name, (module, line) in commands.items():
        subparser = subparsers.add_parser(name, help=line, description=line[0].upper() + line[1:] + ".")
        if name in given[:1]:
            modules[name] = importlib.import_module(module)
            modules[name].add_arguments(subparser)
    try:
        parsed = parser.parse_args(given)
    except SystemExit:
        sys.stdout.flush()  # the help, which argparse prints without a look at errors
        raise
    return int(modules[parsed.command].run(parsed))


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP do what Ctrl-C does: unfinished files are removed, and processes of a command end.

    Raises:
        KeyboardInterrupt: such a signal came, also where native code has made another exception of it.
    """
    received = []

    def stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        unwinding = number == signal.SIGALRM and _is_unwinding()  # and maybe in the middle of a clean-up
        if unwinding or _importing(frame):  # native modules may make an ImportError of it, which somebody may catch
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
        if not unwinding:
            raise KeyboardInterrupt

    earlier = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in _STOPS}
        default = (signal.SIG_DFL, signal.default_int_handler)
        earlier = {number: handler for number, handler in handlers.items() if handler in default}
    for number in earlier:
        signal.signal(number, stop)
    try:
        yield
    except Exception as e:
        if received:
            raise KeyboardInterrupt from e
        raise
    finally:
        if received:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _importing(frame: FrameType | None) -> bool:
    """Returns whether a module is being imported by a frame or its callers."""
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None


def _is_unwinding() -> bool:
    """Returns whether this thread runs code, e.g. a clean-up, that a KeyboardInterrupt has led to."""
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


class _NamedOutput:
    """The standard output, whose errors name it: that of a full disk has no file name otherwise."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._failure: OSError | None = None

    def write(self, text: str) -> int:
        """Writes a text, see `encodable`."""
        with self._named():
            return int(self._stream.write(encodable(text)))

    def flush(self) -> None:
        """Passes the text on; raises what `write` has raised, also if that was caught."""
        with self._named():
            if self._failure is not None:
                raise self._failure
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            self._failure = type(e)(e.errno, e.strerror, _STDOUT)
            raise self._failure from None


def _open_closed_streams() -> None:
    """Opens the null device for standard streams that are closed, whose numbers files would get otherwise."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process


def _refuse_retired_names(given: Sequence[str], parser: argparse.ArgumentParser) -> None:
    """Exits with code 2 and one line if the command line has a command or option that was renamed."""
    for kind, words, names in (("command", given[:1], CLI_COMMANDS), ("option", given[1:], CLI_OPTIONS)):
        for word in words:
            if (old := word.partition("=")[0]) in names:
                parser.exit(2, f"{parser.prog}: the {kind} {old} is now called {names[old]}\n")


def _missing(error: ImportError, given: Sequence[str]) -> str:
    package = ".".join(_COMMANDS.get(given[0], ("",))[0].split(".")[:2])
    return import_problem(given[0], error, _EXTRAS.get(package, ""))


def _os_error(error: OSError, given: Sequence[str]) -> str:
    """Returns what went wrong with which file; where the system does not tell the file, the output of the command."""
    reason = error.strerror or str(error)
    if isinstance(error, FileExistsError) and error.filename and os.path.isfile(error.filename):
        reason = "is a file, but a folder is needed"
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {reason}"
    outputs = [word for option, word in itertools.pairwise(given) if option == "--out"]
    outputs += [word.partition("=")[2] for word in given if word.startswith("--out=")]
    return f"{outputs[-1]}: {reason}" if outputs else reason


def _fail(line: str, code: int = 1) -> int:
    words = printable(" ".join(line.split()))
    shown = (
        words if len(words) <= _LONGEST_LINE else f"{words[: _LONGEST_LINE // 2]} ... {words[-_LONGEST_LINE // 2 :]}"
    )
    with contextlib.suppress(OSError):  # of a terminal that has ended
        print(f"emotion-perception: {shown}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
