# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Limits of what a recording may claim, checked before memory is taken or anything is unpacked.

A compressed file of a hundred kilobytes can stand for gigabytes, and so can a length in a damaged one.
"""

import contextlib
import io
import shutil
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import lz4.frame
import yaml
from rosbags.rosbag2 import storage_mcap

from emotion_perception.core.errors import RecordingError, one_line
from emotion_perception.core.regular_files import MAX_TEXT_BYTES, MIB, open_regular, read_regular
from emotion_perception.core.yaml_limits import SAFE_LOADER, check_yaml

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SQLITE_DAMAGE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What Python's sqlite3 raises where a file is damaged; the second one if a name in it is no UTF-8."""
GIB = 1 << 30
MAX_RECORD_BYTES = 256 * MIB
"""Limit of a message, a chunk of mcap, compressed or not, and any other record: more than the largest image."""
MAX_CHUNK_RECORDS = 1_000_000
"""Limit of the records in a compressed chunk."""
MAX_OVERLAP_BYTES = 1 * GIB
"""Limit of the chunks of mcap whose times overlap, which are held in memory together."""
MAX_UNPACKED_BYTES = 64 * GIB
"""Limit of the files of a recording with compressed files, unpacked, and of a copy with its write-ahead log."""
MAX_HASHED_BYTES = 64 * GIB
"""Limit of the storage files of a recording whose hash is computed."""
MAX_INTEGER = (1 << 63) - 1
"""Largest number that a table can hold; mcap's times and the track ids of messages reach further."""
_FREE_BYTES = 1 * GIB  # that unpacking leaves on the disk
_BLOCK_BYTES = 1 * MIB
_TOO_LARGE = f"compressed data of more than {MAX_RECORD_BYTES // MIB} MiB"
_RECORD_HEAD = 9  # bytes: kind and length
_LIMIT_LENGTH = 0  # SQLITE_LIMIT_LENGTH
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"  # CDR begins with a zero


def unpack_message(data: bytes) -> bytes:
    """Returns a message in CDR that may be compressed, which metadata.yaml alone would tell.

    Raises:
        RecordingError, zstd.ZstdError: see `unpack_zstd`.
    """
    return unpack_zstd(data) if data.startswith(_ZSTD_MAGIC) else data


def unpack_zstd(data: bytes) -> bytes:
    """Returns the content of zstd frames.

    Raises:
        RecordingError: it is larger than `MAX_RECORD_BYTES`, or cut short.
        zstd.ZstdError: it is damaged.
    """
    parts, left = [], MAX_RECORD_BYTES
    while data:
        decompressor = zstd.ZstdDecompressor()
        part = decompressor.decompress(data, left + 1)
        left -= len(part)
        _check_unpacked(decompressor, left)
        parts.append(part)
        data = decompressor.unused_data
    return b"".join(parts)


def unpack_lz4(data: bytes) -> bytes:
    """Returns the content of LZ4 frames, with the limits of `unpack_zstd`."""
    parts, left = [], MAX_RECORD_BYTES
    while data:
        decompressor = lz4.frame.LZ4FrameDecompressor()
        part = decompressor.decompress(data, left + 1)
        left -= len(part)
        _check_unpacked(decompressor, left)
        parts.append(part)
        data = decompressor.unused_data or b""
    return b"".join(parts)


def _check_unpacked(decompressor: Any, left: int) -> None:
    if left < 0:
        raise RecordingError(_TOO_LARGE)
    if not decompressor.eof:
        raise RecordingError("compressed data are cut short")


def unpack_chunk(data: bytes, compression: str) -> bytes:
    """Returns the records of a chunk of mcap.

    Raises:
        RecordingError: they are larger or more than the limits, cut short, or compressed in another way.
        RuntimeError, zstd.ZstdError: they are damaged.
    """
    if not compression:
        return data
    if compression not in _UNPACK:
        raise RecordingError(f"a chunk is compressed with {compression[:20]!a}")
    records = _UNPACK[compression](data)
    at = count = 0
    while at + _RECORD_HEAD <= len(records):
        if not records[at] or count == MAX_CHUNK_RECORDS:
            raise RecordingError(f"a chunk of empty records, or more than {MAX_CHUNK_RECORDS:,}")
        at += _RECORD_HEAD + int.from_bytes(records[at + 1 : at + _RECORD_HEAD], "little")
        count += 1
    return records


_UNPACK: dict[str, Callable[[bytes], bytes]] = {"zstd": unpack_zstd, "lz4": unpack_lz4}
# rosbags unpacks whatever a chunk contains, and compares its size afterwards
storage_mcap.DECOMPRESSORS.update(
    {name: lambda data, _, name=name: unpack_chunk(data, name) for name in _UNPACK}  # type: ignore[misc]
)


class LimitedPath(type(Path())):  # type: ignore[misc]  # the class of the system's paths
    """A path whose file is regular and gives no more than `MAX_RECORD_BYTES` at once; for rosbags' reader of mcap."""

    def open(self, mode: str = "r", *args: Any, **options: Any) -> Any:
        """Opens the file for reading."""
        if mode != "rb":
            return super().open(mode, *args, **options)
        return _LimitedFile(open_regular(Path(self)).detach())  # type: ignore[attr-defined]


class _LimitedFile(io.BufferedReader):
    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_RECORD_BYTES:
            raise RecordingError(f"a record of {size:,} bytes, more than {MAX_RECORD_BYTES // MIB} MiB")
        return super().read(size)


class UrlPath(type(Path())):  # type: ignore[misc]  # the class of the system's paths
    """A path that is formatted as part of a URL; for rosbags' reader of sqlite3, which opens `file:{path}`."""

    def __format__(self, _: str) -> str:
        return url_of(Path(self)).removeprefix("file:")


def url_of(path: Path) -> str:
    """Returns the URL of a file, in which no character of its path has another meaning."""
    return path.resolve().as_uri()


def open_sqlite(path: Path) -> sqlite3.Connection:
    """Opens an sqlite3 file for reading, for any thread, without a lock and without its journal or write-ahead log.

    Raises:
        sqlite3.DatabaseError: it cannot be opened.
    """
    return sqlite3.connect(f"{url_of(path)}?mode=ro&immutable=1", uri=True, check_same_thread=False)


def check_overlap(chunks: Sequence[Any]) -> None:
    """Checks the chunks in the index of an mcap file.

    Args:
        chunks: have the fields of mcap's ChunkIndex.

    Raises:
        RecordingError: one is larger than `MAX_RECORD_BYTES`, or more than `MAX_OVERLAP_BYTES` are needed at the same
            time.
    """
    if any(chunk.uncompressed_size > MAX_RECORD_BYTES for chunk in chunks):
        raise RecordingError(_TOO_LARGE)
    changes = sorted(
        change
        for chunk in chunks
        for change in (
            (chunk.message_start_time, 0, chunk.uncompressed_size),
            (chunk.message_end_time, 1, -chunk.uncompressed_size),
        )
    )
    size = 0
    for _, _, change in changes:
        size += change
        if size > MAX_OVERLAP_BYTES:
            raise RecordingError(f"chunks of more than {MAX_OVERLAP_BYTES // GIB} GiB overlap in time")


def check_tables(path: Path) -> None:
    """Checks that the tables of an sqlite3 file are tables: a view or a virtual table can compute rows without end.

    Raises:
        RecordingError: one is not.
        sqlite3.DatabaseError, UnicodeDecodeError: the file is damaged.
        OSError: it is no regular file, or cannot be read.
    """
    open_regular(path).close()  # SQLite would wait for a writer of a FIFO
    with contextlib.closing(open_sqlite(path)) as connection:
        computed = connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('view', 'table') AND coalesce(rootpage, 0) = 0"
        ).fetchmany(1)
    if computed:
        raise RecordingError(f"its table {computed[0][0]} is computed, not stored")


def limit_rows(connection: Any) -> None:
    """Limits the values that a connection to SQLite, of Python or of apsw, returns to `MAX_RECORD_BYTES`."""
    set_limit = getattr(connection, "limit", None) or getattr(connection, "setlimit", None)
    if set_limit is not None:  # Python has it from 3.11 on
        set_limit(_LIMIT_LENGTH, MAX_RECORD_BYTES)


def read_metadata(path: Path) -> dict[str, Any]:
    """Returns `rosbag2_bagfile_information` of a metadata.yaml.

    Raises:
        RecordingError: it is no such file, too large, or has more values than `check_yaml` allows.
    """
    try:
        text = read_regular(path, MAX_TEXT_BYTES).decode()
        check_yaml(text)
        content = yaml.load(text, Loader=SAFE_LOADER)
        information = content["rosbag2_bagfile_information"]
        files = information["relative_file_paths"]
        if not isinstance(files, list) or not all(isinstance(name, str) for name in files):
            raise ValueError("relative_file_paths is not a list of names")
        if len(set(files)) < len(files):
            raise ValueError("it names a file more than once")
    except OSError as e:
        raise RecordingError(f"{path.name}: {e.strerror}") from e
    except (TypeError, KeyError) as e:
        raise RecordingError(f"{path.name} cannot be used (it has no list relative_file_paths)") from e
    except UnicodeDecodeError as e:
        raise RecordingError(f"{path.name} cannot be used (not UTF-8 text)") from e
    except (yaml.YAMLError, ValueError) as e:
        raise RecordingError(f"{path.name} cannot be used ({one_line(e)})") from e
    return dict(information)


def unpack_files(files: Sequence[Path], folder: Path) -> tuple[dict[Path, Path], list[str]]:
    """Unpacks files of a recording with compressed files, NAME.zstd, into a folder.

    Of a damaged or truncated file everything before the damage is unpacked.

    Returns:
        The unpacked file of each file of which there is one, and a line for each problem: damage, files that are larger
        than `MAX_UNPACKED_BYTES` together, or would leave less than a GiB of the disk.
    """
    unpacked, problems, size = {}, [], 0
    for path in files:
        target = folder / path.stem
        try:
            with open_regular(path) as packed, zstd.open(packed, "rb") as source, open(target, "xb") as file:
                _copy(path, source.read1, file, size)  # `read` would lose what comes before the damage
        except RecordingError as e:
            problems.append(str(e))
        except (OSError, EOFError, zstd.ZstdError) as e:
            if _size(target):
                unpacked[path] = target
            what = "is damaged or truncated, it is unpacked up to the damage" if _size(target) else "cannot be unpacked"
            problems.append(f"{path.name} {what} ({one_line(e)})")
        else:
            unpacked[path] = target
        size += _size(target)
    return unpacked, problems


def wal_of(path: Path) -> Path | None:
    """Returns the write-ahead log of an sqlite3 file; None if there is none, or it is empty."""
    wal = path.with_name(f"{path.name}-wal")
    try:
        return wal if path.suffix.lower() == ".db3" and wal.stat().st_size else None
    except OSError:
        return None


def merge_wal(path: Path, wal: Path, folder: Path) -> Path:
    """Copies an sqlite3 file into a folder and applies its write-ahead log, which may hold its last messages.

    SQLite applies it only where it may write, and the recording is not changed.

    Raises:
        RecordingError: they are larger than `MAX_UNPACKED_BYTES`, leave less than a GiB of the disk, or are damaged.
    """
    try:
        for source in (path, wal):
            with open_regular(source) as original, open(folder / source.name, "xb") as file:
                _copy(source, original.read, file, _size(folder / path.name))
        with contextlib.closing(sqlite3.connect(folder / path.name)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except RecordingError as e:
        raise RecordingError(f"{e}; {wal.name} is not read") from e
    except (OSError, *SQLITE_DAMAGE) as e:
        raise RecordingError(f"{wal.name} is not read ({one_line(e)})") from e
    return folder / path.name


def _copy(path: Path, read: Callable[[int], bytes], file: IO[bytes], size: int) -> None:
    """Copies a file, with its function `read`, of a recording of which that many bytes are copied already."""
    folder = Path(file.name).parent
    while block := read(_BLOCK_BYTES):
        size += len(block)
        if size > MAX_UNPACKED_BYTES:
            raise RecordingError(f"{path.name}: more than {MAX_UNPACKED_BYTES // GIB} GiB, unpacked")
        if shutil.disk_usage(folder).free < _FREE_BYTES:
            raise RecordingError(f"{path.name}: unpacked, it leaves less than 1 GiB of {folder.parent}")
        file.write(block)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
