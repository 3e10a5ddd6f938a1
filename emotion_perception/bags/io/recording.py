# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads rosbag2 recordings, intact or damaged."""

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from rosbags.interfaces import MessageDefinitionFormat
from rosbags.rosbag2 import Reader

from emotion_perception.bags.io.recorded_topic import Entry, Topic
from emotion_perception.bags.io.recovery import RecoveredMcap, RecoveredSqlite
from emotion_perception.core.errors import RecordingError, one_line

STORAGE_SUFFIXES = (".mcap", ".db3")
_METADATA = "metadata.yaml"
_CHUNK = 1 << 20  # bytes hashed at a time


class _Storage(Protocol):
    """A storage file, or all storage files of a recording."""

    topics: list[Topic]

    def messages(self, names: Collection[str]) -> Iterator[Entry]: ...

    def close(self) -> None: ...


class Recording:
    """A rosbag2 folder, or one storage file of it.

    Damage is tolerated as far as possible: without metadata.yaml the storage files are read directly; of a truncated
    file everything before the damage is read.

    Args:
        path: the folder, or a .mcap or .db3 file.

    Attributes:
        path: as given.
        files: the storage files, in the order of recording.
        problems: the damage that was found, one line each; reading messages may add lines.

    Raises:
        RecordingError: there is no recording, or nothing of it can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self.files = _storage_files(path)
        self._storages = self._open()

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def topics(self) -> list[Topic]:
        """All topics, sorted by name; a topic that is in several files is listed once, with the sum of its messages."""
        found: dict[str, Topic] = {}
        for topic in (topic for storage in self._storages for topic in storage.topics):
            earlier = found.get(topic.name, replace(topic, count=0))
            found[topic.name] = replace(earlier, count=earlier.count + topic.count)
        return sorted(found.values())

    def messages(self, names: Collection[str]) -> Iterator[Entry]:
        """Yields the messages of topics in the order of recording.

        Reading a file ends where it is damaged; `problems` then has a line about it.
        """
        for storage in self._storages:
            count = 0
            try:
                for count, entry in enumerate(storage.messages(names), 1):  # noqa: B007 - read below
                    yield entry
            except Exception as e:  # noqa: BLE001 - see _IntactStorage
                self._note(f"reading stopped after {count} messages ({one_line(e)})")

    def sha256(self) -> str:
        """Returns the SHA-256 of the concatenated storage files, in hexadecimal."""
        digest = hashlib.sha256()
        for path in self.files:
            with open(path, "rb") as file:
                while block := file.read(_CHUNK):
                    digest.update(block)
        return digest.hexdigest()

    def close(self) -> None:
        """Closes the files."""
        for storage in self._storages:
            storage.close()

    def _open(self) -> list[_Storage]:
        if self.path.is_dir() and (self.path / _METADATA).is_file():
            try:
                return [_IntactStorage(self.path)]
            except Exception as e:  # noqa: BLE001 - see _IntactStorage
                self._note(one_line(e))
        elif self.path.is_dir():
            self._note(f"{_METADATA} is missing")
        storages = [storage for path in self.files if (storage := self._open_file(path)) is not None]
        if not storages:
            raise RecordingError(f"{self.path}: nothing of this recording can be read ({'; '.join(self.problems)})")
        return storages

    def _open_file(self, path: Path) -> _Storage | None:
        try:
            return _IntactStorage(path)
        except Exception as e:  # noqa: BLE001 - see _IntactStorage
            self._note(f"{path.name} is damaged or truncated, it is read up to the damage ({one_line(e)})")
        try:
            return RecoveredMcap(path) if path.suffix == ".mcap" else RecoveredSqlite(path)
        except RecordingError as e:
            self._note(str(e).removeprefix(f"{path}: "))
            return None

    def _note(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


class _IntactStorage:
    """A folder or a storage file that rosbags can read.

    rosbags passes on the exceptions of its parsers and databases, so every exception is taken for damage.
    """

    def __init__(self, path: Path) -> None:
        self._reader = Reader(path)
        self._reader.open()
        connections: Sequence[Any] = self._reader.connections
        self.topics = [
            Topic(
                connection.topic,
                connection.msgtype,
                connection.msgcount,
                connection.msgdef.data if connection.msgdef.format == MessageDefinitionFormat.MSG else "",
            )
            for connection in connections
        ]

    def messages(self, names: Collection[str]) -> Iterator[Entry]:
        """Yields the messages of topics in the order of recording."""
        wanted = [connection for connection in self._reader.connections if connection.topic in names]
        if wanted:  # for rosbags an empty list means all topics
            for connection, received_ns, raw in self._reader.messages(wanted):
                yield Entry(connection.topic, received_ns, raw)

    def close(self) -> None:
        """Closes the files."""
        self._reader.close()


def is_recording(path: Path) -> bool:
    """Returns whether a path is one recording: a storage file, or a folder with metadata.yaml or with storage files.

    A folder without metadata.yaml whose subfolders are recordings is not one itself, even if it has storage files.
    """
    if not path.is_dir():
        return path.is_file() and path.suffix in STORAGE_SUFFIXES
    if (path / _METADATA).is_file():
        return True
    files = [entry for entry in path.iterdir() if entry.suffix in STORAGE_SUFFIXES]
    return bool(files) and not any(entry.is_dir() and is_recording(entry) for entry in path.iterdir())


def _storage_files(path: Path) -> list[Path]:
    """Returns the storage files of a recording, sorted by their numbers."""
    if not path.exists():
        raise RecordingError(f"{path}: no such file or folder")
    if path.is_file():
        if path.suffix not in STORAGE_SUFFIXES:
            raise RecordingError(f"{path}: not a rosbag2 folder, nor a file ending in {' or '.join(STORAGE_SUFFIXES)}")
        return [path]
    suffixes = (*STORAGE_SUFFIXES, *(f"{suffix}.zstd" for suffix in STORAGE_SUFFIXES))
    files = [entry for entry in path.iterdir() if entry.name.endswith(suffixes)]
    if not files:
        raise RecordingError(f"{path}: has no .mcap or .db3 file, so it is no rosbag2 recording")
    return sorted(files, key=_by_number)


def _by_number(path: Path) -> list[tuple[int, str]]:
    """Returns a sort key that puts bag_10 after bag_9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]
