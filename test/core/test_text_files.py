# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import os

import pytest

from emotion_perception.core.errors import DatasetError
from emotion_perception.core.printable import encodable, printable
from emotion_perception.core.text_files import parse_number, read_table, read_text

TABLE = "name,label\nJos\u00e9,Happy\nM\u00fcller,Sad\n"
ROWS = [(1, ["name", "label"]), (2, ["Jos\u00e9", "Happy"]), (3, ["M\u00fcller", "Sad"])]


@pytest.fixture
def write(tmp_path):
    def to_file(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content)
        return path

    return to_file


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"]
)
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_a_table_is_read_in_every_encoding_and_with_every_line_break(write, encoding, line_break):
    assert list(read_table(write(TABLE.replace("\n", line_break).encode(encoding)))) == ROWS


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_that_of_the_header(write, delimiter):
    assert list(read_table(write(TABLE.replace(",", delimiter).encode()))) == ROWS


def test_excels_line_about_the_delimiter_is_followed(write):
    content = b'\xef\xbb\xbfsep=;\r\nname;label\r\n"a;b";" Happy "\r\n;;\r\n'
    assert list(read_table(write(content))) == [(2, ["name", "label"]), (3, ["a;b", "Happy"])]


def test_a_byte_order_mark_alone_and_an_empty_file_have_no_rows(write):
    assert list(read_table(write(b""))) == []
    assert list(read_table(write(b"\xff\xfe"))) == []
    assert list(read_table(write(b"\n \n,,\n"))) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a text file"),
        (b'name,label\n"a,Happy', "line 2: not a table"),
        (b"name,label\n" + b"x" * 200_000, "line 2: not a table"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(write, content, words):
    with pytest.raises(DatasetError, match=words):
        list(read_table(write(content)))


def test_what_is_no_regular_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # opening it would block
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="not a"):
            read_text(path)
    with pytest.raises(DatasetError, match="No such file"):
        list(read_table(tmp_path / "absent"))


@pytest.mark.parametrize(("text", "number"), [("1.5", 1.5), ("1,5", 1.5), ("-3", -3), ("1e-3", 1e-3)])
def test_a_number_has_a_decimal_point_or_comma(text, number):
    assert parse_number(text) == number


def test_a_name_in_another_encoding_can_be_written_and_is_one_line():
    name = os.fsdecode(b"caf\xe9\n\x1b.png")
    assert encodable(name) == "caf\u00e9\n\x1b.png"
    assert printable(name) == "caf\u00e9\\n\\x1b.png"
    assert printable("\ud800 \u4eba") == "\\ud800 \u4eba"
