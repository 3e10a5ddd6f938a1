# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Replaces the generated section of a Markdown document."""

from pathlib import Path

from emotion_perception.core.atomic_files import write_atomically
from emotion_perception.core.errors import ConfigurationError

BEGIN, END = "<!-- begin of measurement -->\n", "<!-- end of measurement -->\n"


def replace_measurement(path: Path, text: str, name: str = "measurement") -> None:
    """Replaces what stands between the begin and end marker of a document.

    Args:
        path: the document, UTF-8.
        text: the new content, with a line break at its end.
        name: which of the generated sections, as its markers say.

    Raises:
        ConfigurationError: the document lacks a marker.
    """
    before, after = _around_measurement(path, name)
    write_atomically(path, f"{before}{text}{after}")


def check_measurement(path: Path, name: str = "measurement") -> None:
    """Checks before a measurement that `replace_measurement` will find its section.

    Raises:
        ConfigurationError: the document lacks a marker.
        OSError: it cannot be read.
    """
    _around_measurement(path, name)


def _around_measurement(path: Path, name: str) -> tuple[str, str]:
    """Returns what stands before the section, begin marker included, and what stands after it, with the end marker."""
    first, last = (marker.replace("measurement", name) for marker in (BEGIN, END))
    try:
        document = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as e:
        raise ConfigurationError(f"{path}: not UTF-8 text") from e
    before, begin, rest = document.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ConfigurationError(f"{path}: the markers {first.strip()} and {last.strip()} are missing")
    return before + begin, end + after
