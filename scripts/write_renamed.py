#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/renamed.md from the tables of core/retired_names.py; ``--check`` only compares.

The tables are parsed, not imported: each is an annotated assignment of a dictionary, followed by the string that says
whose names they are.
"""

import ast
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from generated_document import write_or_check

ROOT = Path(__file__).resolve().parents[1]
TABLES = ROOT / "emotion_perception" / "core" / "retired_names.py"
DOCUMENT = ROOT / "docs" / "renamed.md"
HEAD = """\
# Renamed

<!-- Written by scripts/write_renamed.py from core/retired_names.py: change that, not this file. -->

Names that earlier revisions used, and what they are called now. Programs refuse an old name in a line
that gives the new one. Recordings, models and runs with old names are still read.

In the messages, the field `id` of `Face` is now `track_id`. A recording is read with the message
definitions that it carries, so recordings of the earlier types are still read.
"""


def tables() -> Iterator[tuple[str, str, dict[str, object]]]:
    """Yields the name of each table, what its names belong to, and the table: old name -> new name."""
    for statement, following in pairwise(ast.parse(TABLES.read_text(encoding="utf-8")).body):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.Dict):
            if not (isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)):
                raise ValueError(f"{TABLES}: line {statement.lineno}: the table has no string below it")
            name = ast.unparse(statement.target)
            yield name, " ".join(str(following.value.value).split()), ast.literal_eval(statement.value)


def document() -> str:
    """Returns the text of the document."""
    parts = [HEAD]
    for name, text, names in tables():
        heading = name.replace("_", " ").capitalize().replace("Cli", "CLI").replace("Ros", "ROS")
        rows = "".join(f"| {old} | {new} |\n" for old, new in _rows(names))
        parts.append(f"\n## {heading}\n\n{text}\n\n| old | new |\n|---|---|\n{rows}")
    return "".join(parts)


def _rows(names: dict[str, object]) -> Iterator[tuple[str, str]]:
    for old, new in names.items():
        if isinstance(new, dict):
            yield from ((f"`{old}: {value}`", f"`{old}: {present}`") for value, present in new.items())
        else:
            yield f"`{old}`", f"`{new}`"


def main() -> int:
    """Writes or compares the document; returns the exit code."""
    return write_or_check(DOCUMENT, document(), __doc__.splitlines()[0])


if __name__ == "__main__":
    sys.exit(main())
