# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception annotate`."""

import argparse
import logging
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from emotion_perception.core.atomic_files import atomic_path
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.paths import path_argument
from emotion_perception.core.pipeline_arguments import (
    add_anonymize_option,
    add_pipeline_options,
    pipeline_options_from,
    refuse_without_effect,
)
from emotion_perception.core.printable import printable
from emotion_perception.core.rendering import VIDEO_CODECS
from emotion_perception.reporting.output_file import check_output_file
from emotion_perception.reporting.output_folder import OutputFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from emotion_perception.annotate.job import Job, Settings, Summary

_LOG = logging.getLogger(__name__)
_PERIOD_S = 0.05  # of the main thread's look at signals
_FRAME_S = 0.01  # of the window's look at new images
_END_S = 1.0  # for a job that was stopped, before the program ends without it
_COMPLETE_S = 30.0  # the same, where a camera or stream has files to complete
_OF_VIDEO = {"codec": "vp9", "no_sound": False}  # options of a video, with their defaults


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument(
        "source",
        metavar="IN",
        help="video, image, folder of images, index or path of a camera, URL of a stream (rtsp://, http://)",
    )
    parser.add_argument(
        "--out",
        type=path_argument,
        help="video (.mp4, .mkv, .webm), image, or folder of images to write, with the results drawn on them",
    )
    parser.add_argument("--csv", type=path_argument, metavar="FILE", help="table to write, a row for each face")
    parser.add_argument("--json", type=path_argument, metavar="FILE", help="document to write, an entry for each image")
    parser.add_argument(
        "--show", action="store_true", help="show the images in a window, which Esc, q and its button close"
    )
    parser.add_argument("--force", action="store_true", help="overwrite existing files")
    add_anonymize_option(parser, hidden_in="images and videos")
    parser.add_argument("--no-bars", action="store_true", help="draw no bar for each emotion")
    parser.add_argument(
        "--rate",
        type=_rate,
        default=0.0,
        metavar="HZ",
        help="the images of a folder are one sequence at this rate (default: unrelated images; 30 for a video)",
    )
    parser.add_argument(
        "--codec",
        choices=VIDEO_CODECS,
        default=_OF_VIDEO["codec"],
        help="of a video (default: %(default)s); h264 plays everywhere, its encoder is under the GPL",
    )
    parser.add_argument("--no-sound", action="store_true", help="leave out the sound of a video")
    add_pipeline_options(parser, reproducible="; of a camera or stream they are the nodes' defaults")


def run(arguments: argparse.Namespace) -> int:
    """Annotates, and prints a summary; returns the exit code."""
    from emotion_perception.annotate.job import Job

    settings = _settings(arguments)
    outputs = settings.outputs
    if not outputs and not arguments.show:
        raise ConfigurationError("nothing to do: give --out, --csv, --json or --show")
    _check_outputs(settings, force=arguments.force)
    newest = _NewestImage()
    with _signals() as received, ExitStack() as stack:
        job = Job(settings, _parts(settings, stack), show=newest.put if arguments.show else None)
        closed = _run(job, newest if arguments.show else None, settings, received)
        summary = job.summary
        if not summary.complete and (outputs or not closed):
            raise KeyboardInterrupt(_stopped_line(summary, outputs))
    if summary.complete:
        print(_summary_line(summary, outputs))
    if summary.source_problem:
        _LOG.error("emotion-perception: %s", summary.source_problem)
        return 1
    return 0


def _settings(arguments: argparse.Namespace) -> "Settings":
    """Returns the settings for the parsed command line.

    Raises:
        ConfigurationError: an option has no effect, or a value is not allowed.
    """
    from emotion_perception.annotate.inputs import input_path
    from emotion_perception.annotate.job import Settings
    from emotion_perception.annotate.outputs import Form, form_of
    from emotion_perception.core.inference.devices import choose_device

    choose_device(arguments.device)
    path = input_path(arguments.source)
    form = None if arguments.out is None else form_of(arguments.out)
    if form is not Form.VIDEO:
        refuse_without_effect(arguments, _OF_VIDEO, "no video is written")
    if form is Form.VIDEO and arguments.codec == "h264" and arguments.out.suffix.lower() == ".webm":
        raise ConfigurationError(f"{arguments.out}: WebM holds no H.264: give OUT.mp4 or OUT.mkv")
    if path is None or not path.is_dir():
        refuse_without_effect(arguments, {"rate": 0.0}, f"{printable(arguments.source)} is not a folder")
    return Settings(
        source=arguments.source,
        pipeline=pipeline_options_from(arguments, reproducible=path is not None),
        anonymize=arguments.anonymize,
        draw_bars=not arguments.no_bars,
        rate_hz=arguments.rate,
        codec=arguments.codec,
        sound=not arguments.no_sound,
        form=form,
        out=arguments.out,
        csv=arguments.csv,
        json=arguments.json,
    )


def _check_outputs(settings: "Settings", *, force: bool) -> None:
    """Checks that the files can be written without loss, and that the packages for them are there.

    Raises:
        ConfigurationError: a file exists, is read, or is given twice.
        ImportError: PyAV is not installed, and a video is to be written.
    """
    from emotion_perception.annotate.inputs import input_path
    from emotion_perception.annotate.outputs import Form

    path = input_path(settings.source)
    inputs = [] if path is None else [path, *(path.iterdir() if path.is_dir() else ())]
    real = [os.path.realpath(output) for output in settings.outputs]
    for output in settings.outputs:
        if real.count(os.path.realpath(output)) > 1:
            raise ConfigurationError(f"{output}: is given for two outputs")
        if output is not settings.out or settings.form is not Form.FOLDER:
            check_output_file(output, inputs=inputs, force=True)
            if output.exists() and not force:
                raise ConfigurationError(f"{output}: exists; --force overwrites it")
    if settings.form is Form.VIDEO:
        import av  # noqa: F401 - the first image would be late for this


def _parts(settings: "Settings", stack: ExitStack) -> dict[Path, Path]:
    """Returns for each output one that is written instead, and replaces it when `stack` is left without an error."""
    from emotion_perception.annotate.inputs import input_path
    from emotion_perception.annotate.outputs import IMAGE_SUFFIXES, Form

    parts = {}
    for path in settings.outputs:
        if path is settings.out and settings.form is Form.FOLDER:
            source = input_path(settings.source)
            patterns, inputs = [f"*{suffix}" for suffix in IMAGE_SUFFIXES], [] if source is None else [source]
            folder = stack.enter_context(OutputFolder(path, "annotate", writes=patterns, inputs=inputs))
            parts[path] = stack.enter_context(folder.replaced())
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            parts[path] = stack.enter_context(atomic_path(path))
    return parts


class _NewestImage:
    """Passes the newest image to another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._image: NDArray[np.uint8] | None = None

    def put(self, image_bgr: "NDArray[np.uint8]") -> None:
        """Replaces an image that was not taken yet."""
        with self._lock:
            self._image = image_bgr

    def take(self) -> "NDArray[np.uint8] | None":
        """Returns the image that was not taken yet, or None."""
        with self._lock:
            image, self._image = self._image, None
            return image


def _run(job: "Job", shown: _NewestImage | None, settings: "Settings", received: list[int]) -> bool:
    """Runs a job in a thread until it ends, a signal comes, or the user closes the window.

    The main thread waits for signals and the window alone, so that neither has to wait for a source that stalls.

    Returns:
        Whether the user closed the window.

    Raises:
        Exception: what the job raised.
    """
    failures: list[BaseException] = []

    def work() -> None:
        try:
            job.run()
        except BaseException as e:  # noqa: BLE001 - raised again in the main thread
            failures.append(e)

    thread = threading.Thread(target=work, name="annotate", daemon=True)
    closed = False
    if shown is None:
        thread.start()
        while thread.is_alive() and not received:
            thread.join(_PERIOD_S)
    else:
        closed = _run_with_window(thread, job, shown, settings.source, received)
    if received or closed:
        job.end()
    limit_s = _COMPLETE_S if job.summary.processed and settings.outputs else _END_S
    end_s = time.monotonic() + limit_s
    while thread.is_alive() and len(received) < 2 and (not job.stop.is_set() or time.monotonic() < end_s):
        thread.join(_PERIOD_S)
    if failures:
        raise failures[0]
    return closed


def _run_with_window(
    thread: threading.Thread, job: "Job", shown: _NewestImage, source: str, received: list[int]
) -> bool:
    from emotion_perception.annotate.inputs import Kind, input_name
    from emotion_perception.annotate.window import Window

    with Window(input_name(source)) as window:
        thread.start()
        while not window.closed and not received:
            alive = thread.is_alive()  # before the last image is taken
            if (image := shown.take()) is not None:
                window.show(image)
            if not alive and not (job.summary.complete and job.summary.kind is Kind.IMAGES):
                break  # images stay until the user closes them
            window.wait(_FRAME_S)
        return window.closed


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Yields a list of the signals that asked for an end: SIGINT, SIGTERM and SIGHUP, except ignored ones."""
    received: list[int] = []
    earlier = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                earlier[number] = signal.signal(number, lambda number, _: received.append(number))
    try:
        yield received
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _stopped_line(summary: "Summary", outputs: list[Path]) -> str:
    of = f" of {summary.expected}" if summary.expected else ""
    names = ", ".join(map(str, outputs))
    rest = f"; not written: {names}" if names else ""
    return f"stopped after {summary.processed + summary.failed}{of} images{rest}"


def _summary_line(summary: "Summary", outputs: list[Path]) -> str:
    count = summary.processed + summary.failed
    rate = f", {count / summary.seconds:.1f} images/s" if summary.seconds else ""
    failed = f", {summary.failed} failed ({summary.problem})" if summary.failed else ""
    skipped = f", {summary.skipped} skipped" if summary.skipped else ""
    rejected = summary.outputs_rejected
    not_finite = f", the model's outputs are not finite for {_counted(rejected, 'face')}" if rejected else ""
    sound = ", with sound" if summary.has_sound else ""
    names = ", ".join(map(str, outputs))
    where = f": {names}" if names else ""
    counts = f"{_counted(count, 'image')}, {_counted(summary.faces, 'face')}"
    return printable(f"{summary.name}: {counts}{rate}{failed}{skipped}{not_finite}{sound}{where}")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.001 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of frames per second from 0.001 to 1000")
    return value
