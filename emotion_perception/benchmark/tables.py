# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Result tables, as JSON and as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """One table of the benchmark.

    Attributes:
        title: heading of the table.
        columns: names with unit.
        rows: cells: str, int, float, or None if not measured.
        note: conditions of the measurement, one paragraph.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Returns the table as plain values."""
        return asdict(self)


def table_from(values: Mapping[str, Any]) -> Table:
    """Returns the table of the result of `Table.as_json`."""
    return Table(values["title"], values["columns"], values["rows"], values["note"])


def to_markdown(table: Table) -> str:
    """Returns a section with heading, table and note."""
    lines = [f"### {table.title}", ""]
    if table.note:
        lines += [table.note, ""]
    lines += [_line(table.columns), _line(["---"] * len(table.columns))]
    lines += [_line([_cell(value) for value in row]) for row in table.rows]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")
