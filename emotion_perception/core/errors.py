# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The exceptions of this package; each message names the cause.

EmotionPerceptionError
├── ConfigurationError   a parameter or option has an invalid value      (exit code 78 in a node)
├── ModelFileError       a model file is missing, truncated or has another hash
├── ModelBundleError     weights and their description do not fit together
├── SourceError          a camera, video file, folder or stream cannot be read
├── ImageError           one image cannot be converted: encoding, size or step
├── RegionError          a region has no pixel in its image
├── DeviceError          a GPU is out of memory or gone; the CPU is used instead
├── DatasetError         a file of training or test data is not in the described format
└── RecordingError       a bag cannot be read, or lacks the requested topics

The first four end a program at start-up with one line; only camera_node retries after a `SourceError`. `ImageError` and
`RegionError` affect one frame or face.
"""

_LONGEST = 300


class EmotionPerceptionError(Exception):
    """Base of all errors of this package; the message is one line for the user."""


class ConfigurationError(EmotionPerceptionError, ValueError):
    """A parameter or option has an invalid value."""


class ModelFileError(EmotionPerceptionError):
    """A model file is missing, unreadable, or has another hash than expected."""


class ModelBundleError(EmotionPerceptionError):
    """Weights and their description do not fit together."""


class SourceError(EmotionPerceptionError):
    """A camera source cannot be opened or stopped delivering images."""


class ImageError(EmotionPerceptionError, ValueError):
    """One image cannot be converted."""


class RegionError(EmotionPerceptionError, ValueError):
    """A region has no pixel in its image."""


class DeviceError(EmotionPerceptionError):
    """A GPU failed to run a batch."""


class DatasetError(EmotionPerceptionError, ValueError):
    """A data file is not in the described format."""


class RecordingError(EmotionPerceptionError):
    """A recording cannot be read, or lacks the requested topics."""


def one_line(error: Exception) -> str:
    """Returns the first line of the message of another library's exception, or its class name if there is none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def clipped(text: str) -> str:
    """Returns the first 300 characters of a text that may contain strings of somebody else, of any length."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
