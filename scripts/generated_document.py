# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command line of the scripts that generate a document of docs/."""

import argparse
import sys
from pathlib import Path


def write_or_check(document: Path, text: str, description: str) -> int:
    """Writes a generated document or, with the option `--check`, compares it; returns the exit code.

    Args:
        document: the file, UTF-8.
        text: its content.
        description: first line of `--help`.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 if the document differs from what is generated"
    )
    if not parser.parse_args().check:
        document.write_text(text, encoding="utf-8")
    elif document.read_text(encoding="utf-8") != text:
        print(f"{document.name} is not up to date: run scripts/{parser.prog}", file=sys.stderr)
        return 1
    return 0
