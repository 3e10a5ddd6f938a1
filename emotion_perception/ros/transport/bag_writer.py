# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes messages to a new rosbag2 folder in a thread of its own."""

import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from rosbags.interfaces import Qos
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

from emotion_perception.bags.io.messages import BAG_VERSION, typestore
from emotion_perception.core.errors import ConfigurationError, one_line
from emotion_perception.core.sync import ByteQueue

_PLUGINS = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}
_FLUSH_S = 0.5  # a recorder that is killed loses at most this
_OPEN_S = 10.0
_MEANT_IN_URLS = frozenset("?#%")


class _Announced(NamedTuple):
    topic: str
    kind: str
    profiles: Sequence[Qos]


class _Received(NamedTuple):
    topic: str
    received_ns: int
    raw: bytes


class BagWriter:
    """Writes a recording; no caller waits for the disk.

    Data are passed to the operating system twice a second, so a process that is killed leaves a truncated recording
    that can be read up to its end.

    Args:
        path: the folder to create.
        storage: `mcap` or `sqlite3`.
        queue_bytes: size of the queue to the disk.

    Raises:
        ConfigurationError: the folder exists or cannot be created.

    Attributes:
        counts: number of messages by topic that the operating system has taken in a readable form; changed by the
            writing thread alone after `announce`.
        refused: number of messages lost because the queue was full, by topic.
        fault: why nothing can be written any more, or None; where the file was removed, no message counts as written.
    """

    def __init__(self, path: Path, storage: str, queue_bytes: int) -> None:
        if path.exists():
            raise ConfigurationError(f"bag {path}: exists already")
        if storage == "sqlite3" and not _MEANT_IN_URLS.isdisjoint(str(path)):  # rosbags opens a URL of the path
            raise ConfigurationError(f"bag {path}: sqlite3 needs a path without ?, # and %")
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.fault: str | None = None
        self._path, self._plugin = path, _PLUGINS[storage]
        self._taken: Counter[str] = Counter()
        self._unflushed: Counter[str] = Counter()
        self._queue: ByteQueue[_Announced | _Received] = ByteQueue(queue_bytes)
        self._is_there: Callable[[], bool] = lambda: True
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bag_writer", daemon=True)
        self._thread.start()
        if not self._opened.wait(_OPEN_S) or self.fault:
            raise ConfigurationError(self.fault or f"bag {path}: the disk does not respond")

    def announce(self, topic: str, kind: str, profiles: Sequence[Qos]) -> None:
        """Adds a topic, once, before its first message.

        Args:
            topic: its full name.
            kind: a type that `typestore` knows.
            profiles: QoS of its publishers.
        """
        self.counts[topic] += 0
        self._queue.put(_Announced(topic, kind, profiles), 0)

    def write(self, topic: str, received_ns: int, raw: bytes) -> bool:
        """Queues a message; returns False if the queue is full, which counts the message as lost.

        Args:
            topic: its full name, announced before.
            received_ns: time of reception in nanoseconds.
            raw: the message, serialized as CDR.
        """
        taken = self._queue.put(_Received(topic, received_ns, raw), len(raw))
        self.refused[topic] += not taken
        self._taken[topic] += taken
        return taken

    @property
    def unwritten(self) -> Counter[str]:
        """Number of queued messages by topic that are not in the recording; after `close` they are lost."""
        return self._taken - self.counts

    def close(self, timeout_s: float) -> None:
        """Writes the queued messages and completes the recording; a disk that is too slow is a fault."""
        self._queue.close()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self.fault = f"bag {self._path}: the queued messages were not written within {timeout_s:.0f} s"

    def _run(self) -> None:
        try:
            with Writer(self._path, version=BAG_VERSION, storage_plugin=self._plugin) as writer:
                if self._plugin == StoragePlugin.SQLITE3:
                    # otherwise half a transaction may be in the file when the process is killed
                    _storage(writer).conn.execute("PRAGMA cache_spill=OFF")
                self._is_there = partial(_is_file, _storage(writer).path, os.stat(_storage(writer).path))
                self._opened.set()
                self._write_all(writer)
                self._flush(writer)  # so that a fault in writing the index affects no count
        except (OSError, sqlite3.Error, WriterError) as e:
            self.fault = f"bag {self._path}: {getattr(e, 'strerror', None) or one_line(e)}"
        except Exception as e:  # noqa: BLE001 - whatever it is, a recording must not go on without its writer
            self.fault = f"bag {self._path}: {type(e).__name__}: {one_line(e)}"
        if not self._is_there():
            self.fault = f"bag {self._path}: its file was removed, moved or replaced during the recording"
            self.counts = Counter(dict.fromkeys(self.counts, 0))
        self._queue.close()
        self._opened.set()

    def _write_all(self, writer: Writer) -> None:
        connections, flushed_s = {}, time.monotonic()
        while not self._queue.ended and self._is_there():
            item = self._queue.get(_FLUSH_S)
            if isinstance(item, _Announced):
                connections[item.topic] = writer.add_connection(
                    item.topic, item.kind, typestore=typestore(), offered_qos_profiles=item.profiles
                )
            elif item is not None:
                writer.write(connections[item.topic], item.received_ns, item.raw)
                self._unflushed[item.topic] += 1
            if time.monotonic() - flushed_s >= _FLUSH_S or self._has_closed_chunk(writer):
                self._flush(writer)
                flushed_s = time.monotonic()

    def _has_closed_chunk(self, writer: Writer) -> bool:
        """Returns whether rosbags has just written a chunk of mcap, which it does after each MiB."""
        is_mcap = writer.storage_plugin == StoragePlugin.MCAP
        return is_mcap and bool(self._unflushed) and not _storage(writer).chunk.msgs

    def _flush(self, writer: Writer) -> None:
        """Passes the data to the operating system, and counts them; rosbags itself waits for a MiB, or for the end."""
        storage = _storage(writer)
        if writer.storage_plugin == StoragePlugin.MCAP:
            if storage.chunk.msgs:
                storage.close_chunk()
            storage.bio.flush()
        else:
            storage.conn.commit()
        self.counts.update(self._unflushed)
        self._unflushed.clear()


def _is_file(path: Path, status: os.stat_result) -> bool:
    """Returns whether a path still names the file that had a status."""
    try:
        return os.path.samestat(os.stat(path), status)
    except OSError:
        return False


def _storage(writer: Writer) -> Any:
    """Returns the writer of the storage format, whose attributes rosbags does not declare."""
    return writer.storage
