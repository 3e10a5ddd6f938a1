# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Opens a rosbag2 recording, whole or damaged, and hands out its messages in the order of recording."""

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


class _Source(Protocol):
    """A storage file, or all files of a recording."""

    topics: list[Topic]

    def messages(self, names: Collection[str]) -> Iterator[Entry]: ...

    def close(self) -> None: ...


class Recording:
    """A rosbag2 folder, or one storage file of it.

    What is wrong with it is worked around where it can be: without metadata.yaml the storage files are read
    themselves; of a file without its end everything before the damage is read.

    Args:
        path: the folder, or a .mcap or .db3 file.

    Attributes:
        path: the same.
        files: the storage files, in the order of recording.
        problems: what was wrong, one line each; reading may add to it.

    Raises:
        RecordingError: there is no recording, or nothing of it can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self.files = _storage_files(path)
        self._sources = self._open()

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def topics(self) -> list[Topic]:
        """All topics, by name; one that several files hold is listed once, with all its messages."""
        found: dict[str, Topic] = {}
        for topic in (topic for source in self._sources for topic in source.topics):
            earlier = found.get(topic.name, replace(topic, count=0))
            found[topic.name] = replace(earlier, count=earlier.count + topic.count)
        return sorted(found.values())

    def messages(self, names: Collection[str]) -> Iterator[Entry]:
        """Yields the messages of topics; a damaged place ends its file, and is added to `problems`."""
        for source in self._sources:
            count = 0
            try:
                for count, entry in enumerate(source.messages(names), 1):  # noqa: B007 - read below
                    yield entry
            except Exception as e:  # noqa: BLE001 - see _Whole
                self._note(f"reading stopped after {count} messages ({one_line(e)})")

    def sha256(self) -> str:
        """Returns the SHA-256 of the storage files' content, one after the other; of one file, what sha256sum says."""
        whole = hashlib.sha256()
        for path in self.files:
            with open(path, "rb") as file:
                while block := file.read(_CHUNK):
                    whole.update(block)
        return whole.hexdigest()

    def close(self) -> None:
        """Closes the files."""
        for source in self._sources:
            source.close()

    def _open(self) -> list[_Source]:
        if self.path.is_dir() and (self.path / _METADATA).is_file():
            try:
                return [_Whole(self.path)]
            except Exception as e:  # noqa: BLE001 - see _Whole
                self._note(one_line(e))
        elif self.path.is_dir():
            self._note(f"{_METADATA} is missing")
        sources = [source for path in self.files if (source := self._open_file(path)) is not None]
        if not sources:
            raise RecordingError(f"{self.path}: nothing of this recording can be read ({'; '.join(self.problems)})")
        return sources

    def _open_file(self, path: Path) -> _Source | None:
        try:
            return _Whole(path)
        except Exception as e:  # noqa: BLE001 - see _Whole
            self._note(f"{path.name} is damaged or cut short, what is before that is read ({one_line(e)})")
        try:
            return RecoveredMcap(path) if path.suffix == ".mcap" else RecoveredSqlite(path)
        except RecordingError as e:
            self._note(str(e).removeprefix(f"{path}: "))
            return None

    def _note(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


class _Whole:
    """What rosbags reads: a whole folder or a whole storage file.

    Of damaged ones it raises whatever its parsers and its databases raise, so every exception counts as damage.
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
        if wanted:  # rosbags takes none for all
            for connection, received_ns, raw in self._reader.messages(wanted):
                yield Entry(connection.topic, received_ns, raw)

    def close(self) -> None:
        """Closes the files."""
        self._reader.close()


def is_recording(path: Path) -> bool:
    """Returns whether a path looks like one recording: a storage file, a folder with metadata.yaml, or one with files.

    A folder without metadata.yaml that holds recordings in folders of their own is none, whatever files lie beside.
    """
    if not path.is_dir():
        return path.is_file() and path.suffix in STORAGE_SUFFIXES
    if (path / _METADATA).is_file():
        return True
    files = [entry for entry in path.iterdir() if entry.suffix in STORAGE_SUFFIXES]
    return bool(files) and not any(entry.is_dir() and is_recording(entry) for entry in path.iterdir())


def _storage_files(path: Path) -> list[Path]:
    """Returns the storage files of a recording, in the order of their numbers."""
    if not path.exists():
        raise RecordingError(f"{path}: no such file or folder")
    if path.is_file():
        if path.suffix not in STORAGE_SUFFIXES:
            raise RecordingError(f"{path}: not a rosbag2 folder, nor a file ending in {' or '.join(STORAGE_SUFFIXES)}")
        return [path]
    suffixes = (*STORAGE_SUFFIXES, *(f"{suffix}.zstd" for suffix in STORAGE_SUFFIXES))
    files = [entry for entry in path.iterdir() if entry.name.endswith(suffixes)]
    if not files:
        raise RecordingError(f"{path}: holds no .mcap or .db3 file, so it is no rosbag2 recording")
    return sorted(files, key=_by_number)


def _by_number(path: Path) -> list[tuple[int, str]]:
    """Returns a key by which bag_10 comes after bag_9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]
