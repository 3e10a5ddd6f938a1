# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.reporting.documents import BEGIN, END, replace_measurement


def test_the_text_goes_between_the_marks_however_often(tmp_path):
    path = tmp_path / "benchmarks.md"
    path.write_text(f"before\n{BEGIN}old\n{END}after\n")
    for text in ("first\n", "second\n"):
        replace_measurement(path, text)
        assert path.read_text() == f"before\n{BEGIN}{text}{END}after\n"


@pytest.mark.parametrize("text", ["no marks", BEGIN])
def test_a_document_without_marks_is_left_alone(tmp_path, text):
    path = tmp_path / "other.md"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"other.md: the markers .* are missing"):
        replace_measurement(path, "new")
    assert path.read_text() == text
