"""Fills the pages in `templates/`."""

from pathlib import Path
from typing import Any

import jinja2

_TEMPLATES = Path(__file__).parent / "templates"


def fill(template: str, **values: Any) -> str:
    """Returns a page; in a page of HTML every value is escaped.

    Args:
        template: file in `templates/`.
        values: what the template names; one that it names in vain is a mistake in the program.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
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
