# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads text files and tables as spreadsheets and editors write them.

Encodings are UTF-8, UTF-16 and UTF-32 with a byte-order mark, and UTF-8 and UTF-16 without one; bytes that are not
UTF-8 are read as Windows-1252. Tables are separated by commas, semicolons, tabs or vertical bars.
"""

import codecs
import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from emotion_perception.core.errors import DatasetError
from emotion_perception.core.printable import AS_WINDOWS_1252
from emotion_perception.core.regular_files import MAX_TEXT_BYTES, open_regular, read_regular

_SAMPLE = 4096  # bytes in which the encoding is recognized
_MARKS = (  # the longer one first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = ",;\t|"  # the first one wins a draw
_MAX_LINE = 1 << 20  # characters of a table


def decode_text(content: bytes) -> str:
    """Returns the text of a file's content, without a byte-order mark.

    Raises:
        ValueError: it is not text, because it contains zero bytes.
    """
    return content.decode(_encoding_of(content[:_SAMPLE]), errors=AS_WINDOWS_1252)


def read_text(path: Path) -> str:
    """Returns the text of a file, see `decode_text`.

    Raises:
        OSError: the file is missing, not readable, not a regular file, or larger than `MAX_TEXT_BYTES`.
        ValueError: it is not text.
    """
    return decode_text(read_regular(path, MAX_TEXT_BYTES))


def open_text(path: Path) -> TextIO:
    """Opens a text file of any size; line breaks are kept as they are.

    Raises:
        OSError: the file is missing, not readable, or not a regular file, which could block or never end.
        ValueError: it is not text, because it contains zero bytes.
    """
    file = open_regular(path)
    try:
        encoding = _encoding_of(file.read(_SAMPLE))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return io.TextIOWrapper(file, newline="", encoding=encoding, errors=AS_WINDOWS_1252)


def read_table(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yields the line number, from 1, and the cells of every row that is not empty, the header included.

    The delimiter is the one that is most frequent in the header. Cells have no spaces around them; where the delimiter
    is a semicolon, programs in many languages write a comma for the decimal point, see `parse_number`.

    Raises:
        DatasetError: the file is missing, not text, or not a table; the message does not contain the file's name.
    """
    try:
        with open_text(path) as file:
            yield from _rows(file)
    except OSError as e:
        raise DatasetError(e.strerror or str(e)) from e
    except ValueError as e:
        if isinstance(e, DatasetError):
            raise
        raise DatasetError(str(e)) from e


def parse_number(text: str) -> float:
    """Returns the number of a cell, with a decimal point or a decimal comma.

    Raises:
        ValueError: it is not a number.
    """
    return float(text.replace(",", ".") if text.count(",") == 1 else text)


def _rows(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    lines: Iterator[str] = _lines(file)
    first, skipped = next(lines, ""), 0
    if first.lower().startswith("sep=") and len(first.rstrip()) == len("sep=;"):  # written by Excel
        delimiter, first, skipped = first.rstrip()[-1], "", 1
    else:
        delimiter = max(_DELIMITERS, key=first.count)
    lines = itertools.chain([first] if first else [], lines)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    if "\0" in first:
        raise DatasetError("not a text file (it contains zero characters)")
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield reader.line_num + skipped, stripped
    except csv.Error as e:
        raise DatasetError(f"line {reader.line_num + skipped}: not a table ({e})") from e


def _lines(file: TextIO) -> Iterator[str]:
    """Yields the lines of a table, none of them read beyond its limit."""
    number = 0
    while line := file.readline(_MAX_LINE + 1):
        number += 1
        if len(line) > _MAX_LINE:
            raise DatasetError(f"line {number}: not a table (more than {_MAX_LINE:,} characters)")
        yield line


def _encoding_of(sample: bytes) -> str:
    """Returns the encoding of a file that begins with some bytes.

    Raises:
        ValueError: it is not text.
    """
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    if b"\0" not in sample:
        return "utf-8"
    for encoding, zeros, others in (("utf-16-le", sample[1::2], sample[::2]), ("utf-16-be", sample[::2], sample[1::2])):
        if zeros.count(0) > 0.8 * len(zeros) and 0 not in others:  # text in a Latin script, without a mark
            return encoding
    raise ValueError("not a text file (it contains zero bytes)")
