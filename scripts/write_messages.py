#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/messages.md from the comments in msg/*.msg and srv/*.srv; ``--check`` only compares.

The first comment of a file describes the message or service. Every other comment describes the fields and constants
that follow it up to the next empty line.
"""

import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from generated_document import write_or_check

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "messages.md"
ORDER = ("EmotionArray", "FaceEmotion", "FaceArray", "Face")
HEAD = """\
# Messages

<!-- Written by scripts/write_messages.py from msg/*.msg and srv/*.srv: change those, not this file. -->

The fields of the messages and services of this package, from the comments in [msg](../msg) and
[srv](../srv). Which node publishes which message on which topic: [topics.md](topics.md).
"""
_LINE = re.compile(r"(?P<type>\S+)\s+(?P<name>\w+)\s*(?:=\s*(?P<value>.+))?$")


def blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yields the comment and the declarations of each block of a message, in order."""
    comment: list[str] = []
    declarations: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            if declarations:
                yield " ".join(comment), declarations
                comment, declarations = [], []
            comment.append(_indented(line[1:]))
        elif line.strip():
            declarations.append(line.strip())
        elif comment or declarations:
            yield " ".join(comment).strip(), declarations
            comment, declarations = [], []


def _indented(text: str) -> str:
    """Returns a line of a comment; an indented one starts a line of its own in a table's cell."""
    return f"<br>{text.strip()}" if text.startswith("   ") else text.strip()


def message_text(name: str, text: str) -> str:
    """Returns the section of one message."""
    description, *rest = blocks(text)
    table = _table(rest if not description[1] else [description, *rest])
    return f"\n## {name}\n\n{textwrap.fill(description[0], 100)}\n\n{table}\n"


def service_text(name: str, text: str) -> str:
    """Returns the section of one service, whose first comment describes it."""
    request, response = text.split("---\n")
    return f"{message_text(f'Service {name}', request)}\nThe response:\n\n{_table(blocks(response))}\n"


def _table(parts: Iterable[tuple[str, list[str]]]) -> str:
    rows = ["| field | type | meaning |", "|---|---|---|"]
    for comment, declarations in parts:
        rows += _rows(comment.replace("|", "\\|"), declarations)
    return "\n".join(rows)


def _rows(comment: str, declarations: list[str]) -> list[str]:
    """Returns a row for the constants and for the fields of each type; a field below constants has one of them."""
    grouped: dict[str, list[str]] = {}
    for declaration in declarations:
        found = _LINE.match(declaration)
        if found is None:
            raise ValueError(f"not a field or constant: {declaration}")
        if found["value"]:
            grouped.setdefault(f"constants, `{found['type']}`", []).append(f"`{found['name']} = {found['value']}`")
        else:
            grouped.setdefault(f"`{found['type']}`", []).append(f"`{found['name']}`")
    rows = []
    for kind, names in grouped.items():
        rows.append(f"| {', '.join(names)} | {kind} | {comment} |")
        comment = "one of the constants above" if kind.startswith("constants") else ""
    return rows


def document() -> str:
    """Returns the text of the document."""
    names = sorted((path.stem for path in (ROOT / "msg").glob("*.msg")), key=ORDER.index)
    messages = [message_text(name, (ROOT / "msg" / f"{name}.msg").read_text("utf-8")) for name in names]
    services = [service_text(path.stem, path.read_text("utf-8")) for path in sorted((ROOT / "srv").glob("*.srv"))]
    return HEAD + "".join([*messages, *services])


def main() -> int:
    """Writes or compares the document; returns the exit code."""
    return write_or_check(DOCUMENT, document(), __doc__.splitlines()[0])


if __name__ == "__main__":
    sys.exit(main())
