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
    first, last = (marker.replace("measurement", name) for marker in (BEGIN, END))
    document = path.read_text(encoding="utf-8")
    before, begin, rest = document.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ConfigurationError(f"{path}: the markers {first.strip()} and {last.strip()} are missing")
    write_atomically(path, f"{before}{begin}{text}{end}{after}")
