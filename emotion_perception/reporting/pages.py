# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fills templates of pages; `page.html.j2` here is the frame that pages of HTML extend."""

from pathlib import Path
from typing import Any

import jinja2

_SHARED = Path(__file__).parent / "templates"


def fill(templates: Path, template: str, **values: Any) -> str:
    """Returns a page; in a page of HTML every value is escaped.

    Args:
        templates: folder of the template, and of what it includes; what it extends may lie in the one here.
        template: file in that folder.
        values: what the template names; one that it names in vain is a mistake in the program.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([templates, _SHARED]),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": _percent, "interval": _interval, "cell": _cell}
    return environment.get_template(template).render(values)


def _percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{fraction:.1%}"


def _interval(ends: list[float]) -> str:
    return " to ".join(f"{end:.1%}" for end in ends)


def _cell(text: str) -> str:
    """Returns a name as it may stand in a table of Markdown."""
    return str(text).replace("|", "\\|")
