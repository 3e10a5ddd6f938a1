# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The exceptions this package raises on purpose, each with the offender in its message.

EmotionPerceptionError
├── ConfigurationError   a parameter or option has a value that cannot work      (exit code 78 in a node)
├── ModelFileError       a model file is missing, cut short or has another hash
├── ModelBundleError      weights and their description do not fit together
├── SourceError          a camera, video file, folder or stream cannot be read
├── ImageError           one image cannot be converted: encoding, size or step
├── RegionError          a region has no pixel in its image
├── DeviceError          a GPU is out of memory or gone; the CPU takes over
├── DatasetError         a file of training or test data is not in the described format
└── RecordingError       a bag cannot be read, or lacks what was asked of it

The first four end a program at start-up with one line, only camera_node goes on trying after a `SourceError`;
`ImageError` and `RegionError` cost one frame or face.
"""


class EmotionPerceptionError(Exception):
    """Base of all errors that a caller may want to show to a person as one line."""


class ConfigurationError(EmotionPerceptionError, ValueError):
    """A parameter or option has a value that cannot work."""


class ModelFileError(EmotionPerceptionError):
    """A model file is missing, unreadable, or not the file that the manifest names."""


class ModelBundleError(EmotionPerceptionError):
    """Weights and their description do not fit together."""


class SourceError(EmotionPerceptionError):
    """An image source cannot be opened or has stopped giving images."""


class ImageError(EmotionPerceptionError, ValueError):
    """One image cannot be converted."""


class RegionError(EmotionPerceptionError, ValueError):
    """A region has no pixel in its image."""


class DeviceError(EmotionPerceptionError):
    """A GPU failed to run a batch."""


class DatasetError(EmotionPerceptionError, ValueError):
    """A data file is not in the described format."""


class RecordingError(EmotionPerceptionError):
    """A recording cannot be read, or lacks what was asked of it."""


def one_line(error: Exception) -> str:
    """Returns what another library's exception says, cut to its first line; its kind where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
