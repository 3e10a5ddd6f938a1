# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""bench.json, and its tables as Markdown."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emotion_perception.benchmark.tables import Table, table_from, to_markdown
from emotion_perception.core.errors import ConfigurationError

JSON = "bench.json"


def add_section(path: Path, name: str, machine: Mapping[str, Any], tables: Sequence[Table]) -> dict[str, Any]:
    """Writes a section's tables into bench.json; those of other sections stay. Returns the whole content."""
    content = read(path) if path.is_file() else {}
    content[name] = {"machine": dict(machine), "tables": [table.as_json() for table in tables]}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return content


def read(path: Path) -> dict[str, Any]:
    """Reads bench.json.

    Raises:
        ConfigurationError: it is not one.
    """
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as e:
        raise ConfigurationError(f"{path}: not a bench.json, remove it ({e})") from e


def as_markdown(content: Mapping[str, Any]) -> str:
    """Returns all sections, each under the machine, commit and date that it was measured on."""
    parts = []
    for name, section in content.items():
        machine = section["machine"]
        versions = ", ".join(f"{package} {version}" for package, version in machine["packages"].items())
        parts.append(
            f"## {name.capitalize()}\n\n"
            f"`emotion-perception benchmark --only {name}`, {machine['date'][:10]}, commit {machine['commit']}; "
            f"{machine['cores']} cores of {machine['processor']}, Python {machine['python']}, ROS {machine['ros']}, "
            f"{versions}; load {machine['load_at_begin']} when it began.\n"
        )
        parts += [to_markdown(table_from(values)) for values in section["tables"]]
    return "\n".join(parts)
