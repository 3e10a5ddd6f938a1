# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads and writes bench.json, and renders its tables as Markdown."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emotion_perception.benchmark.tables import Table, table_from, to_markdown
from emotion_perception.core.atomic_files import write_atomically
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.retired_names import BENCHMARK_SECTIONS, with_present_names

JSON = "bench.json"


def add_section(path: Path, name: str, machine: Mapping[str, Any], tables: Sequence[Table]) -> dict[str, Any]:
    """Writes the tables of a section into bench.json, keeps the other sections, and returns the whole content."""
    content = read(path) if path.is_file() else {}
    content[name] = {"machine": dict(machine), "tables": [table.as_json() for table in tables]}
    write_atomically(path, json.dumps(content, indent=2) + "\n")
    return content


def read(path: Path) -> dict[str, Any]:
    """Reads bench.json; sections with retired names get their present names.

    Raises:
        ConfigurationError: the file is not JSON with an object.
    """
    try:
        content = dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as e:
        raise ConfigurationError(f"{path}: not a bench.json, remove it ({e})") from e
    return with_present_names(content, BENCHMARK_SECTIONS)


def files_of_earlier_version(folder: Path) -> tuple[str, ...]:
    """Returns the name of bench.json if a folder without marker has a readable one."""
    try:
        return (JSON,) if all("tables" in section for section in read(folder / JSON).values()) else ()
    except (ConfigurationError, OSError, TypeError):
        return ()


def as_markdown(content: Mapping[str, Any]) -> str:
    """Returns all sections as Markdown, each with machine, commit and date of the measurement."""
    parts = []
    for name, section in content.items():
        machine = section["machine"]
        versions = ", ".join(f"{package} {version}" for package, version in machine["packages"].items())
        parts.append(
            f"## {name.capitalize()}\n\n"
            f"`emotion-perception benchmark --only {name}`, {machine['date'][:10]}, commit {machine['commit']}; "
            f"{machine['cores']} cores of {machine['processor']}, Python {machine['python']}, ROS {machine['ros']}, "
            f"{versions}; load average {machine['load_at_begin']} at the start.\n"
        )
        parts += [to_markdown(table_from(values)) for values in section["tables"]]
    return "\n".join(parts)
