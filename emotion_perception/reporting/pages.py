# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Renders Jinja templates of reports; HTML pages extend `page.html.j2` of this package."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

from emotion_perception.core.printable import encodable

_SHARED = Path(__file__).parent / "templates"


def render_template(templates: Path, template: str, **values: Any) -> str:
    """Renders a template; values are escaped in HTML templates.

    Args:
        templates: folder of the template; templates of this package can be extended and included, too.
        template: name of the file in that folder.
        values: variables of the template.

    Raises:
        jinja2.UndefinedError: the template uses a variable that is not given.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([templates, _SHARED]),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"urlencode": _url, "percent": _percent, "interval": interval_text, "cell": _cell}
    return encodable(environment.get_template(template).render(values))


def _url(path: str) -> str:
    """Returns a relative path as a URL, also of a name that is not UTF-8, for which jinja2's own filter raises."""
    return quote(path, errors="surrogateescape")


def _percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{fraction:.1%}"


def interval_text(ends: list[float] | None) -> str:
    """Returns the ends of an interval of fractions, e.g. `61.2% to 65.0%`."""
    return "no interval" if ends is None else " to ".join(f"{end:.1%}" for end in ends)


def _cell(text: str) -> str:
    """Escapes a name for a cell of a Markdown table."""
    return str(text).replace("|", "\\|")
