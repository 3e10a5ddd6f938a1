# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import jinja2
import pytest

from emotion_perception.reporting.pages import render_template

FRAMED = """{% extends "page.html.j2" %}
{% block title %}{{ value }}{% endblock %}
{% block body %}
<p>{{ value }}</p>
{% endblock %}
"""


@pytest.fixture
def page(tmp_path):
    """Returns a function that fills a template of the given text."""

    def page(text, file="it.html.j2", **values):
        (tmp_path / file).write_text(text)
        return render_template(tmp_path, file, **values)

    return page


def test_a_page_stands_in_the_shared_frame(page):
    found = page(FRAMED, value="a<b")
    assert found.startswith("<!doctype html>\n")
    assert "<title>a&lt;b</title>\n" in found
    assert found.endswith("<body>\n<p>a&lt;b</p>\n</body>\n</html>\n")


@pytest.mark.parametrize(("file", "expected"), [("it.html.j2", "a&lt;b"), ("it.md.j2", "a<b")])
def test_values_are_escaped_in_html_alone(page, file, expected):
    assert page("{{ value }}", file, value="a<b") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ 0.1234 | percent }}", "12.3%"),
        ("{{ none | percent }}", "–"),
        ("{{ [0.1, 0.25] | interval }}", "10.0% to 25.0%"),
        ("{{ 'a|b' | cell }}", "a\\|b"),
    ],
)
def test_figures_are_shown_as_people_read_them(page, text, expected):
    assert page(text) == expected


def test_a_value_that_is_not_given_is_a_mistake(page):
    with pytest.raises(jinja2.UndefinedError, match="'value' is undefined"):
        page("{{ value }}")
