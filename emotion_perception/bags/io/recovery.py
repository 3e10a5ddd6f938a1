# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads damaged storage files up to the damage, e.g. files that a power cut truncated."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from mcap.records import Channel, Chunk, Footer, Message, Schema
from mcap.stream_reader import StreamReader, breakup_chunk

from emotion_perception.bags.io.limits import (
    MAX_RECORD_BYTES,
    SQLITE_DAMAGE,
    check_tables,
    limit_rows,
    open_sqlite,
    unpack_chunk,
)
from emotion_perception.bags.io.recorded_topic import Entry, Topic, type_in
from emotion_perception.core.errors import RecordingError, one_line
from emotion_perception.core.regular_files import open_regular


class RecoveredMcap:
    """A truncated mcap file, read record by record; an incomplete or too large chunk and what follows it are lost.

    Raises:
        RecordingError: no channel can be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_complete = False  # whether nothing before the end of the file is damaged
        self.topics: list[Topic] = []
        counts: dict[int, int] = {}
        channels: dict[int, tuple[Channel, Schema | None]] = {}
        for channel, schema, _ in self._records():
            channels[channel.id] = (channel, schema)
            counts[channel.id] = counts.get(channel.id, 0) + 1
        for number, (channel, schema) in sorted(channels.items()):
            definition = schema.data.decode(errors="replace") if schema else ""
            self.topics.append(Topic(channel.topic, _type(channel, schema), counts[number], definition))
        if not channels:
            raise RecordingError(f"{path}: nothing can be recovered from this damaged file")

    def messages(self, types: Mapping[str, str]) -> Iterator[Entry]:
        """Yields the messages of topics, given with their types, in the order of the file."""
        for channel, schema, message in self._records():
            if types.get(channel.topic) == _type(channel, schema):
                yield Entry(channel.topic, message.log_time, bytes(message.data))

    def close(self) -> None:
        """Does nothing: the file is only open while messages are read."""

    def _records(self) -> Iterator[tuple[Channel, Schema | None, Message]]:
        schemas: dict[int, Schema] = {}
        channels: dict[int, Channel] = {}
        with open_regular(self._path) as file:
            for record in _intact_records(file):
                if isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel):
                    channels[record.id] = record
                elif isinstance(record, Footer):
                    self.is_complete = True
                elif isinstance(record, Message) and record.channel_id in channels:
                    channel = channels[record.channel_id]
                    yield channel, schemas.get(channel.schema_id), record


def _type(channel: Channel, schema: Schema | None) -> str:
    return type_in(channel.message_encoding, schema.name if schema else "")


class _StrictReader(StreamReader):
    """A reader that does not skip zeros as records without end: those are what a hole in a file reads as."""

    def _read_record(self, opcode: int, length: int) -> Any:
        if not opcode:
            raise RecordingError("zeros in place of a record")  # mcap has no record of kind 0
        return super()._read_record(opcode, length)


def _intact_records(file: BinaryIO) -> Iterator[Any]:
    """Yields the records of a file and of its chunks up to the end or the damage."""
    try:
        for record in _StrictReader(file, emit_chunks=True, record_size_limit=MAX_RECORD_BYTES).records:
            if isinstance(record, Chunk):
                data = unpack_chunk(record.data, record.compression)
                yield from breakup_chunk(replace(record, compression="", data=data))
            else:
                yield record
    except Exception:  # noqa: BLE001 - the parser and the decompressors raise errors of many types
        return


class RecoveredSqlite:
    """A truncated sqlite3 file, read in the order of its rows.

    Raises:
        RecordingError: its table of topics cannot be read.
    """

    def __init__(self, path: Path) -> None:
        with contextlib.suppress(*SQLITE_DAMAGE):
            check_tables(path)
        self._path = path
        self._connection = open_sqlite(path)
        limit_rows(self._connection)
        # SQLite then reads a file whose last pages are missing
        self._connection.execute("PRAGMA writable_schema=ON")
        try:
            rows = self._connection.execute("SELECT id, name, type FROM topics ORDER BY id").fetchall()
        except SQLITE_DAMAGE as e:
            self._connection.close()
            raise RecordingError(f"{path}: nothing can be recovered from this damaged file ({one_line(e)})") from e
        self._topics = {number: (name, kind) for number, name, kind in rows}
        definitions = dict(self._rows("SELECT topic_type, encoded_message_definition FROM message_definitions"))
        counts: dict[int, int] = {}
        for (number,) in self._rows("SELECT topic_id FROM messages ORDER BY id"):
            counts[number] = counts.get(number, 0) + 1
        self.topics = [
            Topic(name, kind, counts.get(k, 0), text if isinstance(text := definitions.get(kind), str) else "")
            for k, name, kind in rows
        ]

    def messages(self, types: Mapping[str, str]) -> Iterator[Entry]:
        """Yields the messages of topics, given with their types, in the order of the file."""
        for number, received_ns, data in self._rows("SELECT topic_id, timestamp, data FROM messages ORDER BY id"):
            name, kind = self._topics.get(number, ("", ""))
            if name in types and types[name] == kind:
                yield Entry(name, received_ns, data)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Yields the rows up to the first unreadable one; none if the table is missing."""
        try:
            yield from self._connection.execute(query)
        except SQLITE_DAMAGE:
            return
