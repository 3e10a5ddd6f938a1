# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measurements inside Markdown documents."""

from pathlib import Path

from emotion_perception.core.errors import ConfigurationError

BEGIN, END = "<!-- begin of measurement -->\n", "<!-- end of measurement -->\n"


def replace_measurement(path: Path, text: str) -> None:
    """Puts the text between the two marks of a document.

    Raises:
        ConfigurationError: the document has no such marks.
    """
    document = path.read_text(encoding="utf-8")
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigurationError(f"{path}: has no marks {BEGIN.strip()} and {END.strip()}")
    path.write_text(f"{before}{BEGIN}{text}{END}{after}", encoding="utf-8")
