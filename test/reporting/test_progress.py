# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

from emotion_perception.reporting import progress
from emotion_perception.reporting.progress import progress_bar


@pytest.mark.parametrize("shown", [False, True])
def test_a_bar_writes_nothing_where_there_is_no_terminal(capfd, shown):
    with progress_bar(3, "counting", shown=shown) as bar:
        bar.update(3)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("options", "unit"), [({}, " images"), ({"unit": "frames"}, " frames")])
def test_a_bar_is_over_images_or_what_it_is_told(monkeypatch, options, unit):
    monkeypatch.setattr(progress, "tqdm", lambda **given: given)
    given = progress_bar(3, "counting", shown=True, **options)
    assert given == {"total": 3, "desc": "counting", "unit": unit, "disable": None, "leave": False}
