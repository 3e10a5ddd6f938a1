# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Texts that can be written and logged, of names that are not UTF-8 or have several lines."""

import codecs

AS_WINDOWS_1252 = "emotion_perception.windows_1252"
"""Handler of decoding errors that reads bytes as Windows-1252."""


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end


codecs.register_error(AS_WINDOWS_1252, _as_windows_1252)


def encodable(text: str) -> str:
    """Returns a text that can be written as UTF-8: bytes of a file name that are not UTF-8 are read as Windows-1252.

    Python keeps such bytes as lone surrogates (PEP 383), which no text file, page or plot can contain.
    """
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", AS_WINDOWS_1252)
    except UnicodeEncodeError:  # other surrogates, e.g. of a JSON file
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def printable(text: str) -> str:
    r"""Returns a name for messages, tables and reports: `encodable`, and on one line, a line break as `\n`."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in encodable(text)
    )
