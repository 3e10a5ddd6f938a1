# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The exceptions of this package; each message names the cause.

EmotionPerceptionError
├── ConfigurationError   a parameter or option has an invalid value      (exit code 78 in a node)
├── ModelFileError       a model file is missing, truncated or has another hash
├── ModelBundleError     weights and their description do not fit together
├── SourceError          a camera, video file, folder or stream cannot be read
│   └── StalledSourceError   ... or delivers nothing at the moment
├── ImageError           one image cannot be converted: size or step
│   └── EncodingError        ... nor any other of its stream: an encoding that is not taken
├── RegionError          a region has no pixel in its image
├── DeviceError          a GPU is out of memory or gone; the CPU is used instead
├── DatasetError         a file of training or test data is not in the described format
└── RecordingError       a bag cannot be read, or lacks the requested topics

The first four end a program at start-up with one line; only camera_node retries after a `SourceError`. `ImageError` and
`RegionError` affect one frame or face.
"""

import errno
import os
import sys
import traceback
from pathlib import Path

from emotion_perception.core.printable import printable

TRACEBACK = "EMOTION_PERCEPTION_TRACEBACK"
"""Environment variable; 1 prints the traceback of an unexpected error."""

_LONGEST = 300
_REFUSED_PATH = {
    errno.EACCES,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}


class EmotionPerceptionError(Exception):
    """Base of all errors of this package; the message is one line for the user."""

    def __str__(self) -> str:
        """Returns the message as a text that can be logged, whatever the names of files in it are."""
        return printable(super().__str__())


class ConfigurationError(EmotionPerceptionError, ValueError):
    """A parameter or option has an invalid value."""


class ModelFileError(EmotionPerceptionError):
    """A model file is missing, unreadable, or has another hash than expected."""


class ModelBundleError(EmotionPerceptionError):
    """Weights and their description do not fit together."""


class SourceError(EmotionPerceptionError):
    """A camera source cannot be opened or stopped delivering images."""


class StalledSourceError(SourceError):
    """A live source has delivered no image for a while, and may go on."""


class ImageError(EmotionPerceptionError, ValueError):
    """One image cannot be converted."""


class EncodingError(ImageError):
    """An image has an encoding that is not taken, and so have probably all of its stream."""


class RegionError(EmotionPerceptionError, ValueError):
    """A region has no pixel in its image."""


class DeviceError(EmotionPerceptionError):
    """A GPU failed to run a batch."""


class DatasetError(EmotionPerceptionError, ValueError):
    """A data file is not in the described format."""


class RecordingError(EmotionPerceptionError):
    """A recording cannot be read, or lacks the requested topics."""


def one_line(error: BaseException) -> str:
    """Returns the first line of the message of another library's exception, or its class name if there is none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def refused_path(error: BaseException) -> str | None:
    """Returns one line about a path that the system refuses, for example in a folder that may not be read.

    Returns:
        None for another error, also for one of the system that may pass, as a full disk.
    """
    if isinstance(error, OSError) and error.filename and error.errno in _REFUSED_PATH:
        return printable(f"{clipped(os.fsdecode(error.filename))}: {error.strerror}")
    return None


def clipped(text: str) -> str:
    """Returns the first 300 characters of a text that may contain strings of somebody else, of any length."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def report_unexpected(program: str, error: Exception) -> None:
    """Prints one line on stderr about an error that no part of a program expects, and its traceback if requested.

    The line names the place in the code, so that it can be reported as it is.

    Args:
        program: name of the program.
        error: a mistake of this package, or a fault of a library.
    """
    if os.environ.get(TRACEBACK, "0") not in ("", "0"):
        traceback.print_exception(type(error), error, error.__traceback__)
    places = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(places[-1].filename).name}:{places[-1].lineno}" if places else ""
    reason = "out of memory" if isinstance(error, MemoryError) else f"{type(error).__name__}: {one_line(error)}"
    hint = f"{TRACEBACK}=1 prints the traceback"
    print(f"{program}: unexpected error{place}: {reason} ({hint})", file=sys.stderr)
