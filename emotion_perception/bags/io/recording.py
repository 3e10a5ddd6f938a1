# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads rosbag2 recordings, intact or damaged."""

import hashlib
import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Protocol

from rosbags.interfaces import MessageDefinitionFormat
from rosbags.rosbag2 import Reader

from emotion_perception.bags.io.limits import (
    GIB,
    MAX_HASHED_BYTES,
    LimitedPath,
    UrlPath,
    check_overlap,
    check_tables,
    limit_rows,
    merge_wal,
    read_metadata,
    unpack_files,
    unpack_message,
    wal_of,
)
from emotion_perception.bags.io.recorded_topic import Entry, Topic, is_text, type_in
from emotion_perception.bags.io.recovery import RecoveredMcap, RecoveredSqlite
from emotion_perception.core.errors import RecordingError, one_line
from emotion_perception.core.regular_files import check_regular, open_regular

STORAGE_SUFFIXES = (".mcap", ".db3")
_COMPRESSED_SUFFIX = ".zstd"
_METADATA = "metadata.yaml"
_CHUNK = 1 << 20  # bytes hashed at a time
_SHOWN = 3  # names in a problem


class _Storage(Protocol):
    """A storage file, or all storage files of a recording."""

    topics: list[Topic]

    def messages(self, types: Mapping[str, str]) -> Iterator[Entry]: ...

    def close(self) -> None: ...


class Recording:
    """A rosbag2 folder, or one storage file of it.

    Damage is tolerated as far as possible: without metadata.yaml all storage files of the folder are read; of a
    truncated file everything before the damage is read. What is beyond the limits of `io.limits` counts as damage. The
    write-ahead log of an sqlite3 file, as a recorder that is running or was killed leaves it, is read with the file.

    Args:
        path: the folder, or a .mcap or .db3 file.

    Attributes:
        path: as given.
        files: the storage files, in the order of recording.
        topics: all topics, sorted by name, each once with the sum of its messages in all files; of a topic with several
            types those of the type with the most messages.
        declared: number of messages of each topic that metadata.yaml tells; empty where it does not.
        problems: the damage that was found, one line each; reading messages may add lines.

    Raises:
        RecordingError: there is no recording, or nothing of it can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self._stack = ExitStack()
        metadata = self._metadata()
        self.declared = _declared(metadata or {})
        self.files = self._chosen(_storage_files(path), metadata)
        try:
            self._storages = self._open()
            self.topics = self._merged()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _merged(self) -> list[Topic]:
        """Returns `topics`, and adds a problem for each type that is left out."""
        found: dict[tuple[str, str], Topic] = {}
        for topic in (topic for storage in self._storages for topic in storage.topics):
            key = topic.name, topic.type
            earlier = found.get(key, replace(topic, count=0))
            found[key] = replace(earlier, count=earlier.count + topic.count)
        merged: dict[str, Topic] = {}
        for topic in sorted(found.values(), key=lambda topic: -topic.count):
            read = merged.setdefault(topic.name, topic)
            if read is not topic and topic.count:
                what = f"{topic.count} messages of the type {topic.type} are left out"
                self._note(f"{topic.name} is read as {read.type}; {what}")
        return sorted(merged.values())

    def messages(self, names: Collection[str]) -> Iterator[Entry]:
        """Yields the messages of topics in the order of recording.

        Reading a file ends where it is damaged; `problems` then has a line about it.
        """
        types = {topic.name: topic.type for topic in self.topics if topic.name in names}
        for storage in self._storages:
            count = 0
            try:
                for entry in storage.messages(types):
                    if not isinstance(entry.received_ns, int) or not isinstance(entry.raw, bytes):
                        raise RecordingError("a message has no time or no content")  # SQLite stores any type
                    yield entry._replace(raw=unpack_message(entry.raw))
                    count += 1
            except Exception as e:  # noqa: BLE001 - see _IntactFile
                self._note(f"reading stopped after {count} messages ({_reason(e)})")

    def sha256(self) -> str | None:
        """Returns the SHA-256 of the concatenated storage files and their write-ahead logs, in hexadecimal.

        Of files that are larger than `MAX_HASHED_BYTES` together, e.g. one with a hole at its end, which would take
        hours, None is returned, and `problems` has a line about it.
        """
        files = [part for path in self.files for part in (path, wal_of(path)) if part is not None]
        if sum(path.stat().st_size for path in files) > MAX_HASHED_BYTES:
            self._note(f"larger than {MAX_HASHED_BYTES // GIB} GiB, so no hash is computed")
            return None
        digest = hashlib.sha256()
        for path in files:
            with open_regular(path) as file:
                while block := file.read(_CHUNK):
                    digest.update(block)
        return digest.hexdigest()

    def close(self) -> None:
        """Closes the files."""
        self._stack.close()

    def _metadata(self) -> dict[str, Any] | None:
        """Returns the content of metadata.yaml; None if there is none, or it cannot be used."""
        path = self.path / _METADATA
        if not self.path.is_dir():
            return None
        if not path.exists():
            self._note(f"{_METADATA} is missing")
            return None
        try:
            return read_metadata(path)
        except RecordingError as e:
            self._note(str(e))
            return None

    def _chosen(self, found: list[Path], metadata: dict[str, Any] | None) -> list[Path]:
        """Returns the regular files among the storage files that were found: those that the metadata names, if any."""
        files = []
        for path in found:
            try:
                check_regular(path, path.stat())
                files.append(path)
            except OSError as e:
                self._note(f"{path.name}: {e.strerror}")
        if metadata is None:
            return files
        named = [self.path / Path(name).name for name in metadata["relative_file_paths"]]
        missing = [path.name for path in named if path not in files]
        others = [path.name for path in files if path not in named]
        if missing:
            self._note(f"{_METADATA} names files that are missing: {_listed(missing)}")
        if len(missing) == len(named):
            return files
        if others:
            self._note(f"not read, as {_METADATA} does not name them: {_listed(others)}")
        return [path for path in named if path in files]

    def _open(self) -> list[_Storage]:
        packed = [path for path in self.files if path.suffix == _COMPRESSED_SUFFIX]
        unpacked, problems = unpack_files(packed, self._temporary_folder()) if packed else ({}, [])
        for problem in problems:
            self._note(problem)
        files = [unpacked.get(path, path) for path in self.files if path in unpacked or path not in packed]
        storages = [storage for path in files if (storage := self._open_file(self._with_wal(path))) is not None]
        for storage in storages:
            self._stack.callback(storage.close)
        if not storages:
            raise RecordingError(f"{self.path}: nothing of this recording can be read ({'; '.join(self.problems)})")
        return storages

    def _with_wal(self, path: Path) -> Path:
        """Returns a copy of an sqlite3 file that its write-ahead log is applied to, or the file if it has none."""
        wal = wal_of(path)
        if wal is None:
            return path
        try:
            return merge_wal(path, wal, self._temporary_folder())
        except RecordingError as e:
            self._note(str(e))
            return path

    def _temporary_folder(self) -> Path:
        return Path(self._stack.enter_context(TemporaryDirectory(prefix="emotion_perception-")))

    def _open_file(self, path: Path) -> _Storage | None:
        storage = self._intact_or_recovered(path)
        if storage is not None:
            named = [topic for topic in storage.topics if is_text(topic.name) and isinstance(topic.type, str)]
            if left_out := len(storage.topics) - len(named):
                self._note(f"{path.name}: {left_out} topics are left out, whose name or type is not text of one line")
            storage.topics = named
        return storage

    def _intact_or_recovered(self, path: Path) -> _Storage | None:
        try:
            return _IntactFile(path)
        except Exception as e:  # noqa: BLE001 - see _IntactFile
            reason = _reason(e)
        damage = f"{path.name} is damaged or truncated, it is read up to the damage ({reason})"
        try:
            recovered = RecoveredMcap(path) if _suffix(path) == ".mcap" else RecoveredSqlite(path)
        except (RecordingError, OSError) as e:
            self._note(damage)
            self._note(str(e).removeprefix(f"{path}: "))
            return None
        whole = isinstance(recovered, RecoveredMcap) and recovered.is_complete
        self._note(f"{path.name} is read in the order of the file, not by its index ({reason})" if whole else damage)
        return recovered

    def _note(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


class _IntactFile:
    """A storage file that rosbags can read.

    rosbags passes on the exceptions of its parsers and databases, so every exception is taken for damage.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        is_mcap = _suffix(path) == ".mcap"
        if not is_mcap:
            check_tables(path)
        reader: Any = Reader.STORAGE_PLUGINS[_suffix(path)](LimitedPath(path) if is_mcap else UrlPath(path))
        reader.open()
        try:
            if is_mcap:
                check_overlap(reader.chunks)
                known = [connection for connection in reader.connections if connection.msgtype != "__schemaless__"]
                if reader.chunks and not known:
                    raise RecordingError("its summary repeats no channel with its type")  # which a writer may leave out
            else:
                limit_rows(reader.dbconn)
        except BaseException:
            reader.close()
            raise
        self._reader = reader
        self.topics = [
            Topic(
                connection.topic,
                _type(connection),
                connection.msgcount,
                connection.msgdef.data if connection.msgdef.format == MessageDefinitionFormat.MSG else "",
            )
            for connection in reader.connections
        ]

    def messages(self, types: Mapping[str, str]) -> Iterator[Entry]:
        """Yields the messages of topics, given with their types, in the order of recording."""
        connections = self._reader.connections
        if wanted := [connection for connection in connections if types.get(connection.topic) == _type(connection)]:
            for connection, received_ns, raw in self._reader.messages(wanted):
                yield Entry(connection.topic, received_ns, raw)

    def close(self) -> None:
        """Closes the file."""
        self._reader.close()


def _type(connection: Any) -> str:
    return type_in(connection.ext.serialization_format, connection.msgtype)


def is_recording(path: Path) -> bool:
    """Returns whether a path is one recording: a storage file, or a folder with metadata.yaml or with storage files.

    Storage files without metadata.yaml are one recording if it can have written all of them: they have one suffix and
    differ in a number at most, as the files of rosbag2 do. A folder without metadata.yaml is none if it has a subfolder
    that is one.
    """
    if not path.is_dir():
        return path.exists() and _suffix(path) in STORAGE_SUFFIXES
    if (path / _METADATA).is_file():
        return True
    files = [entry for entry in path.iterdir() if _is_storage(entry)]
    if len({_without_number(entry) for entry in files}) != 1:
        return False
    own = path.resolve()
    folders = (entry.resolve() for entry in path.iterdir() if entry.is_dir())
    return not any(_has_storage(folder) for folder in folders if folder not in (own, *own.parents))


def _reason(error: Exception) -> str:
    """Returns the damage that an error tells; an error of Python itself, such as a KeyError, only tells a parser's."""
    told = isinstance(error, OSError) or type(error).__module__ not in ("builtins", "struct")
    return one_line(error) if told else "its content cannot be parsed"


def _has_storage(folder: Path) -> bool:
    return any(_is_storage(entry) or entry.name == _METADATA for entry in folder.iterdir())


def _is_storage(path: Path) -> bool:
    return path.name.lower().endswith(_ALL_SUFFIXES) and not path.is_dir()


_ALL_SUFFIXES = tuple(
    f"{suffix}{packed}" for suffix, packed in itertools.product(STORAGE_SUFFIXES, ("", _COMPRESSED_SUFFIX))
)


def _declared(metadata: Mapping[str, Any]) -> dict[str, int]:
    """Returns the number of messages of each topic in the content of a metadata.yaml, leaving out what is malformed."""
    entries = metadata.get("topics_with_message_count")
    found = {}
    for entry in entries if isinstance(entries, list) else ():
        with suppress(KeyError, TypeError):
            name, count = entry["topic_metadata"]["name"], entry["message_count"]
            if isinstance(name, str) and type(count) is int:
                found[name] = count
    return found


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _suffix(path: Path) -> str:
    return path.suffix.lower()


def _without_number(path: Path) -> str:
    """Returns the name of a storage file without the number that rosbag2 appends, e.g. `bag.mcap` of bag_1.mcap."""
    return re.sub(r"_\d+(?=\.)", "", path.name.lower())


def _storage_files(path: Path) -> list[Path]:
    """Returns the storage files of a recording, sorted by their numbers."""
    if not path.exists():
        raise RecordingError(f"{path}: no such file or folder")
    if not path.is_dir():
        if _suffix(path) not in STORAGE_SUFFIXES:
            raise RecordingError(f"{path}: not a rosbag2 folder, nor a file ending in {' or '.join(STORAGE_SUFFIXES)}")
        return [path]
    files = [entry for entry in path.iterdir() if _is_storage(entry)]
    if not is_recording(path) and (several := sorted(entry.name for entry in path.iterdir() if is_recording(entry))):
        raise RecordingError(
            f"{path}: a folder of recordings, not one of them; give the path of one: {_listed(several)}"
        )
    if not files:
        raise RecordingError(f"{path}: has no .mcap or .db3 file, so it is no rosbag2 recording")
    return sorted(files, key=_by_number)


def _by_number(path: Path) -> list[tuple[int, str]]:
    """Returns a sort key that puts bag_10 after bag_9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]
