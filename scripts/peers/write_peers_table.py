#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes the results of scripts/bench_peers.sh as a table into the generated section of a document.

scripts/peers/write_peers_table.py out/bench/peers --document docs/peers.md
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.reporting.documents import replace_measurement

OURS = "ours"
NAMES = (
    "ours",
    "ours-every-frame",
    "ours-float32",
    "ours-centerface",
    "fer",
    "fer-keras",
    "fer-mtcnn",
    "facial",
    "deepface",
    "mediapipe",
    "plain-keras",
    "plain-torch",
)
COLUMNS = (
    "peer",
    "what",
    "version",
    "ms per frame, p50 / p90 / mean",
    "with 2 threads",
    "CPU ms, mean",
    "frames with a face / with exactly one",
    "PublicTest",
    "time relative to ours",
    "accuracy below ours, points",
)
Result = Mapping[str, Any]


def main() -> int:
    """Reads the results, prints the table and writes it into `--document`; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="folder of the JSON files")
    parser.add_argument("--document", type=Path, help="Markdown document whose generated section is replaced")
    options = parser.parse_args()
    text = to_markdown(read_results(options.results))
    print(text)
    if options.document:
        replace_measurement(options.document, text)
    return 0


def read_results(folder: Path) -> dict[str, Result]:
    """Returns the results by file name without suffix, e.g. `fer` and `fer-2-threads`.

    Raises:
        FileNotFoundError: the result of this package, with which all others are compared, is missing.
    """
    results = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}
    if "ms" not in results.get(OURS, {}):
        raise FileNotFoundError(f"{folder}: no result of this package (ours.json)")
    return results


def to_markdown(results: Mapping[str, Result]) -> str:
    """Returns the conditions, the table, and remarks on peers with notes or errors."""
    ours = results[OURS]
    machine = ours["machine"]
    lines = [
        f"{machine['date'][:10]}, {machine['cores']} cores of {machine['processor']}, {ours['frames']} frames of "
        f"{'x'.join(map(str, ours['size_wh']))}, Python {machine['python']}.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
    ]
    shown = [name for name in NAMES if name in results]
    lines += [
        f"| {' | '.join(row(name, results[name], results.get(f'{name}-2-threads', {}), ours))} |"
        for name in shown
        if "error" not in results[name]
    ]
    remarks = [f"* `{name}` {remark}" for name in shown for remark in remarks_on(results[name])]
    return "\n".join([*lines, "", *remarks]) + "\n"


def row(name: str, result: Result, two_threads: Result, ours: Result) -> list[str]:
    """Returns the cells of a peer."""
    top1, best = (one.get("accuracy", {}).get("top1") for one in (result, ours))
    versions = result["versions"]
    first = next(iter(versions))
    return [
        name,
        result["what"],
        f"{first} {versions[first]}",
        timing(result),
        timing(two_threads) if "ms" in two_threads else "-",
        f"{result['processor_ms']['mean']:.1f}",
        f"{result['found']:.1%} / {result['exactly_one']:.1%}",
        "-" if top1 is None else f"{top1:.2%}",
        "1" if name == OURS else f"{result['ms']['mean'] / ours['ms']['mean']:.2f}",
        "-" if top1 is None or best is None else f"{(best - top1) * 100:.2f}",
    ]


def timing(result: Result) -> str:
    """Returns percentiles and mean as one cell."""
    return " / ".join(f"{result['ms'][which]:.1f}" for which in ("p50", "p90", "mean"))


def remarks_on(result: Result) -> list[str]:
    """Returns the error of a peer that failed, or its notes."""
    if "error" in result:
        return [f"failed: `{result['error']}`"]
    return [f"- {note}" for note in result["notes"]]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, ConfigurationError) as error:
        sys.exit(f"write_peers_table: {error}")
