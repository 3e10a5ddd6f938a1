# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Small recordings that claim to be large."""

import contextlib
import sqlite3
import struct

import lz4.frame
import numpy as np
from bag_files import header, image
from rosbags.rosbag2.storage_mcap import zstd

from emotion_perception.bags.io.messages import IMAGE, typestore

MAGIC = b"\x89MCAP0\r\n"
_BLOCK = bytes(1 << 20)


def text(value):
    data = value.encode()
    return struct.pack("<I", len(data)) + data


def record(kind, content):
    return bytes([kind]) + struct.pack("<Q", len(content)) + content


def image_message(level=90, stamp_ns=1_000_000_000):
    message = image(np.full((48, 64, 3), level, np.uint8), header(stamp_ns))
    return bytes(typestore().serialize_cdr(message, IMAGE))


def schema_and_channel():
    definition = typestore().generate_msgdef(IMAGE, ros_version=2)[0]
    schema = struct.pack("<H", 1) + text(IMAGE) + text("ros2msg") + text(definition)
    channel = struct.pack("<HH", 1, 1) + text("/image_raw") + text("cdr") + struct.pack("<I", 0)
    return record(0x03, schema) + record(0x04, channel)


def message_record(data, time_ns=1):
    return record(0x05, struct.pack("<HIQQ", 1, 0, time_ns, time_ns) + data)


def zeros(compression, mebibytes):
    """Returns compressed zeros."""
    if compression == "zstd":
        packer = zstd.ZstdCompressor()
        return b"".join(packer.compress(_BLOCK) for _ in range(mebibytes)) + packer.flush()
    packer = lz4.frame.LZ4FrameCompressor()
    return packer.begin() + b"".join(packer.compress(_BLOCK) for _ in range(mebibytes)) + packer.flush()


def chunk(compression, data, size, *, times=(1, 1)):
    head = struct.pack("<QQQI", *times, size, 0) + text(compression)
    return record(0x06, head + struct.pack("<Q", len(data)) + data)


def write_mcap(path, chunks, *, indexed, sizes=None):
    """Writes an mcap file of chunks with one message each; `indexed` with a summary.

    Args:
        path: the file.
        chunks: records of `chunk`.
        indexed: whether the file has a summary, which claims the sizes.
        sizes: uncompressed size of each chunk, as the summary declares it.
    """
    start = MAGIC + record(0x01, text("ros2") + text("test")) + schema_and_channel()
    data, places = start, []
    for part in chunks:
        index = record(0x07, struct.pack("<HI", 1, 16) + bytes(16))
        places.append((len(data), len(part), len(data) + len(part), len(index)))
        data += part + index
    data += record(0x0F, bytes(4))
    summary = len(data) if indexed else 0
    if indexed:
        data += schema_and_channel()
        for (at, length, index_at, index_length), size in zip(places, sizes, strict=True):
            info = struct.pack("<QQQQ", 1, 1, at, length) + struct.pack("<I", 10) + struct.pack("<HQ", 1, index_at)
            compression = chunks[0][9 + 28 :][4 : 4 + struct.unpack("<I", chunks[0][9 + 28 : 9 + 32])[0]].decode()
            info += struct.pack("<Q", index_length) + text(compression) + struct.pack("<QQ", 0, size)
            data += record(0x08, _with_compressed_size(info, length, compression))
        counts = struct.pack("<I", 10) + struct.pack("<HQ", 1, len(chunks))
        data += record(0x0B, struct.pack("<QHIIIIQQ", len(chunks), 1, 1, 0, 0, len(chunks), 1, 1) + counts)
    data += record(0x02, struct.pack("<QQI", summary, 0, 0)) + MAGIC
    path.write_bytes(data)
    return path


def _with_compressed_size(info, chunk_length, compression):
    compressed = chunk_length - 9 - 28 - 4 - len(compression) - 8
    return info[:-16] + struct.pack("<Q", compressed) + info[-8:]


def write_view(path):
    """Writes an sqlite3 file of a few kB whose messages are computed, without end."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            f"""
            CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT,
                                offered_qos_profiles TEXT);
            INSERT INTO topics VALUES(1, '/image_raw', '{IMAGE}', 'cdr', '');
            CREATE VIEW messages AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)
                SELECT id, 1 AS topic_id, id AS timestamp, zeroblob(100000000) AS data FROM n;
            """
        )
    connection.close()
    return path


def write_packed_messages(folder, mebibytes):
    """Writes an sqlite3 recording with compressed messages, of which the second is larger than the limit."""
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "bag_0.db3")) as connection, connection:
        connection.executescript(
            f"""
            CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT,
                                offered_qos_profiles TEXT);
            CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB);
            INSERT INTO topics VALUES(1, '/image_raw', '{IMAGE}', 'cdr', '');
            """
        )
        packed = zstd.compress(image_message()), zeros("zstd", mebibytes)
        connection.executemany("INSERT INTO messages VALUES(?, 1, ?, ?)", [(1, 1, packed[0]), (2, 2, packed[1])])
    connection.close()
    write_metadata(folder, ["bag_0.db3"], compression_mode="MESSAGE")
    return folder


def write_metadata(folder, files, *, storage="sqlite3", compression_mode="", count=2):
    topic = f"{{name: /image_raw, type: {IMAGE}, serialization_format: cdr, offered_qos_profiles: ''}}"
    (folder / "metadata.yaml").write_text(
        f"""rosbag2_bagfile_information:
  version: 5
  storage_identifier: {storage}
  relative_file_paths: [{", ".join(files)}]
  duration: {{nanoseconds: 1}}
  starting_time: {{nanoseconds_since_epoch: 1}}
  message_count: {count}
  topics_with_message_count:
    - {{topic_metadata: {topic}, message_count: {count}}}
  compression_format: {"zstd" if compression_mode else "''"}
  compression_mode: "{compression_mode}"
"""
    )
