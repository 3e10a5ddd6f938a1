# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import hashlib

import pytest

from emotion_perception.core.errors import ModelFileError
from emotion_perception.training.data_hash import data_sha256


@pytest.fixture
def folder(tmp_path):
    """Returns a function that writes a folder of files."""

    def write(name, files):
        for file, content in files.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(content)
        return tmp_path / name

    return write


FILES = {"happy/1.png": "one", "sad/1.png": "two"}


def test_the_identity_of_a_file_is_the_hash_of_its_bytes(folder):
    assert data_sha256(folder("data", FILES) / "happy" / "1.png") == hashlib.sha256(b"one").hexdigest()


def test_the_identity_of_a_folder_does_not_depend_on_where_it_lies(folder):
    assert data_sha256(folder("a", FILES)) == data_sha256(folder("b", dict(reversed(FILES.items()))))


@pytest.mark.parametrize(
    "other",
    [
        {**FILES, "sad/1.png": "three"},
        {"happy/1.png": "one", "sad/2.png": "two"},
        {"happy/1.png": "two", "sad/1.png": "one"},
        {**FILES, "sad/2.png": ""},
    ],
)
def test_another_content_or_name_is_another_identity(folder, other):
    assert data_sha256(folder("a", FILES)) != data_sha256(folder("b", other))


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ModelFileError, match="absent"):
        data_sha256(tmp_path / "absent")


def test_results_of_this_package_in_a_folder_are_no_part_of_it(folder):
    before = data_sha256(folder("data", FILES))
    folder("data", {"results/.emotion_perception.json": "{}", "results/plots/a.png": "plot"})
    assert data_sha256(folder("data", {})) == before
    folder("data", {"more/a.png": "image"})
    assert data_sha256(folder("data", {})) != before
