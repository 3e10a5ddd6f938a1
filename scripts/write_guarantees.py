#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/guarantees.md from the markers on the tests; ``--check`` only compares.

A test that holds a guarantee has the marker ``@pytest.mark.guarantee("One sentence.", section="One of SECTIONS")``. The
tests are parsed, not imported, so the script needs neither pytest nor ROS. Tests with equal sentences share a line.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generated_document import write_or_check

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "guarantees.md"
SECTIONS = (
    "Every node",
    "Camera node",
    "Face detection node",
    "Positions and head poses",
    "Emotion classifier node",
    "Overlay node",
    "Messages of other packages",
    "Viewers",
    "Web page",
    "All nodes in one process",
    "Several cameras with one classifier",
    "Other machines",
    "Security",
    "Limits",
    "Recording and replay",
    "Launch files",
    "Fault injection",
    "Programs",
)
HEAD = """\
# Guarantees and the tests that hold them

<!-- Written by scripts/write_guarantees.py from the markers on the tests: change the marker, not this file. -->

Each guarantee is held by the tests named below it. Those under `test/ros` run the real nodes on
real DDS, in a domain of their own; `make test` and `make test-slow` run all of them. What was
measured in the fault injection tests is in [performance.md](performance.md#fault-injection).
"""


@dataclass(frozen=True)
class Guarantee:
    """One marker of one test."""

    section: str
    text: str
    path: str  # below the repository's root
    test: str


def marked_tests(folder: Path) -> list[Guarantee]:
    """Returns the guarantees of all test files below a folder, in the order of files and lines.

    Raises:
        ValueError: A marker has no text or no known section.
    """
    return [guarantee for path in sorted(folder.rglob("test_*.py")) for guarantee in _of_file(path)]


def _of_file(path: Path) -> Iterator[Guarantee]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.guarantee":
                    yield _guarantee(decorator, path, node.name)


def _guarantee(call: ast.Call, path: Path, test: str) -> Guarantee:
    texts = [ast.literal_eval(argument) for argument in call.args]
    section = next((ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg == "section"), None)
    if len(texts) != 1 or section not in SECTIONS:
        raise ValueError(f"{path}: {test}: guarantee() needs one sentence and section= of {', '.join(SECTIONS)}")
    return Guarantee(section, texts[0], path.relative_to(ROOT).as_posix(), test)


def document(guarantees: list[Guarantee]) -> str:
    """Returns the text of the document: a heading a section, a line a guarantee, its tests below it."""
    parts = [HEAD]
    for section in SECTIONS:
        parts.append(f"\n## {section}\n\n")
        tests: dict[str, list[Guarantee]] = {}
        for guarantee in guarantees:
            if guarantee.section == section:
                tests.setdefault(guarantee.text, []).append(guarantee)
        for text, holders in tests.items():
            parts.append(f"* {text}\n")
            parts += [f"    * [`{holder.test}`](../{holder.path})\n" for holder in holders]
    return "".join(parts)


def main() -> int:
    """Writes or compares the document; returns the exit code."""
    return write_or_check(DOCUMENT, document(marked_tests(ROOT / "test")), __doc__.splitlines()[0])


if __name__ == "__main__":
    sys.exit(main())
