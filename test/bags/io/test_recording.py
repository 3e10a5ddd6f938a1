# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import contextlib
import hashlib
import itertools
import os
import shutil
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from bag_files import camera_info, header, image, write_bag
from bag_scene import STEP, T0, scene, stamps
from hostile_bags import image_message
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from emotion_perception.bags.io.images import image_topic
from emotion_perception.bags.io.messages import CAMERA_INFO, IMAGE, typestore
from emotion_perception.bags.io.recording import Recording, is_recording
from emotion_perception.core.errors import RecordingError

COUNT = 40
STORAGES = {"mcap": ".mcap", "sqlite3": ".db3"}


def noise(count=COUNT):
    """Returns images that no compression makes small, so that a cut goes through them."""
    rng = np.random.default_rng(1)
    return [rng.integers(0, 255, (120, 160, 3), np.uint8) for _ in range(count)]


def entries(path, topic="/image_raw"):
    with Recording(path) as recording:
        return list(recording.messages([topic])), recording.problems


def entries_or_line(path):
    """Returns the messages, none where there is one clear line instead."""
    try:
        return entries(path)[0]
    except RecordingError as e:
        if "\n" in str(e):
            raise
        return []


def write_compressed(path, images, mode, plugin):
    """Writes images at `stamps` as rosbag2 compresses them."""
    writer = Writer(path, version=8, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/image_raw", IMAGE, typestore=typestore())
        for image_bgr, stamp in zip(images, stamps(len(images)), strict=True):
            raw = bytes(typestore().serialize_cdr(image(image_bgr, header(stamp)), IMAGE))
            writer.write(connection, stamp, raw)
    return path


@pytest.fixture(params=STORAGES)
def storage(request):
    return request.param


@pytest.fixture
def bag(tmp_path, storage):
    info = [("/camera_info", CAMERA_INFO, T0, camera_info(header(T0), width=160, height=120))]
    return write_bag(tmp_path / "bag", noise(), stamps(COUNT), storage=storage, extra=info)


def storage_file(bag):
    return next(path for path in bag.iterdir() if path.suffix in STORAGES.values())


def test_a_whole_recording_is_read_in_order(bag):
    with Recording(bag) as recording:
        assert [(topic.name, topic.type, topic.count) for topic in recording.topics] == [
            ("/camera_info", "sensor_msgs/msg/CameraInfo", 1),
            ("/image_raw", "sensor_msgs/msg/Image", COUNT),
        ]
        found = list(recording.messages(["/image_raw"]))
        assert [entry.received_ns for entry in found] == stamps(COUNT)
        assert len(list(recording.messages(["/image_raw", "/camera_info"]))) == COUNT + 1
        assert list(recording.messages([])) == []
        assert recording.problems == []


def test_a_storage_file_is_a_recording_too(bag):
    assert entries(storage_file(bag)) == entries(bag)


def test_without_metadata_the_files_are_read_themselves(bag):
    whole, _ = entries(bag)
    (bag / "metadata.yaml").unlink()
    assert entries(bag) == (whole, ["metadata.yaml is missing"])


@pytest.mark.parametrize("text", ["", "not: [yaml", "rosbag2_bagfile_information: {}", "a: 1"])
def test_metadata_that_is_damaged_is_told_and_does_without(bag, text):
    whole, _ = entries(bag)
    (bag / "metadata.yaml").write_text(text)
    found, problems = entries(bag)
    assert found == whole
    assert len(problems) == 1


@pytest.mark.parametrize("part", [0.5, 0.7, 0.9, 0.999])
def test_what_a_power_cut_leaves_is_read_up_to_the_cut(bag, part):
    whole, _ = entries(bag)
    file = storage_file(bag)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * part)])
    (bag / "metadata.yaml").unlink()
    found, problems = entries(bag)
    assert found == whole[: len(found)]
    assert len(found) >= part * COUNT - 20  # rosbags' chunks of one MiB hold 18 of these images
    assert len(found) == COUNT or len(problems) == 2  # the missing metadata, and where reading stopped


def test_metadata_that_promises_more_than_is_left_does_not_matter(bag):
    file = storage_file(bag)
    file.write_bytes(file.read_bytes()[:-100_000])
    found, problems = entries(bag)
    assert COUNT - 20 <= len(found) < COUNT
    assert problems


def test_any_cut_ends_in_messages_or_in_one_clear_line(bag, tmp_path):
    whole, _ = entries(bag)
    file = storage_file(bag)
    content = file.read_bytes()
    for place in (*range(0, 5000, 97), *range(5000, len(content), len(content) // 23)):
        cut = tmp_path / f"cut{file.suffix}"
        cut.write_bytes(content[:place])
        found = entries_or_line(cut)
        assert found == whole[: len(found)]


@pytest.mark.parametrize("seed", range(12))
def test_damage_anywhere_ends_in_messages_or_in_one_clear_line(bag, seed):
    rng = np.random.default_rng(seed)
    file = storage_file(bag)
    content = bytearray(file.read_bytes())
    at = int(rng.integers(0, len(content) - 3000)) if seed % 2 else int(rng.integers(0, 4000))
    content[at : at + 2000] = rng.bytes(2000)
    file.write_bytes(content)
    assert len(entries_or_line(bag)) <= COUNT


def test_parts_of_a_recording_follow_each_other_by_their_numbers(tmp_path, storage):
    folder = tmp_path / "long"
    folder.mkdir()
    for number in range(11):
        part = write_bag(tmp_path / "part", [scene()], [T0 + number * STEP], storage=storage)
        shutil.move(storage_file(part), folder / f"long_{number}{STORAGES[storage]}")
        shutil.rmtree(part)
    with Recording(folder) as recording:
        assert [entry.received_ns for entry in recording.messages(["/image_raw"])] == stamps(11)
        assert [topic.count for topic in recording.topics] == [11]


@pytest.mark.parametrize("mode", [CompressionMode.FILE, CompressionMode.MESSAGE, CompressionMode.STORAGE])
def test_compressed_recordings_are_read(tmp_path, mode):
    plugin = StoragePlugin.MCAP if mode == CompressionMode.STORAGE else StoragePlugin.SQLITE3
    writer = Writer(tmp_path / "bag", version=8, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/info", CAMERA_INFO, typestore=typestore())
        raw = bytes(typestore().serialize_cdr(camera_info(header(T0), width=8, height=6), CAMERA_INFO))
        writer.write(connection, T0, raw)
    found, problems = entries(tmp_path / "bag", "/info")
    assert [(entry.received_ns, bytes(entry.raw)) for entry in found] == [(T0, raw)]
    assert problems == []


@pytest.mark.guarantee(
    "A recording is read from its own files, whatever characters its path has.", section="Recording and replay"
)
@pytest.mark.parametrize(
    ("name", "read_as_url"),
    [
        ("run#1", "run"),
        ("what?", "what"),
        ("50%20off", "50 off/bag.db3"),
        ("dir%23x", "dir#x/bag.db3"),
        ("100%", "100"),
    ],
)
def test_a_path_with_characters_of_urls_opens_no_other_file(tmp_path, name, read_as_url):
    (tmp_path / read_as_url).parent.mkdir(exist_ok=True)
    shutil.copy(
        storage_file(write_bag(tmp_path / "one", [scene()], stamps(1), storage="sqlite3")), tmp_path / read_as_url
    )
    (tmp_path / name).mkdir()
    bag = write_bag(tmp_path / "three", [scene()] * 3, stamps(3), storage="sqlite3")
    shutil.copy(storage_file(bag), tmp_path / name / "bag.db3")
    found, problems = entries(tmp_path / name)
    assert [entry.received_ns for entry in found] == stamps(3)
    assert problems == ["metadata.yaml is missing"]


def test_files_are_unpacked_into_a_folder_of_any_name(tmp_path, monkeypatch):
    (tmp_path / "a%23b").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a%23b"))
    bag = write_compressed(tmp_path / "bag", noise(2), CompressionMode.FILE, StoragePlugin.SQLITE3)
    found, problems = entries(bag)
    assert [entry.received_ns for entry in found] == stamps(2)
    assert problems == []


@pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize("part", [1, 0.8])
def test_compressed_messages_are_unpacked_also_without_metadata_or_end(tmp_path, plugin, part):
    raw = image_message()
    bag = write_compressed(tmp_path / "bag", noise(), CompressionMode.MESSAGE, plugin)
    whole, _ = entries(bag)
    (bag / "metadata.yaml").unlink()
    file = storage_file(bag)
    os.truncate(file, int(file.stat().st_size * part))
    found, _ = entries(bag)
    assert len(found) >= part * COUNT - 20
    assert found == whole[: len(found)]
    assert {entry.raw[:4] for entry in found} == {raw[:4]}


@pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_a_compressed_file_without_its_end_is_read_up_to_the_cut(tmp_path, plugin):
    bag = write_compressed(tmp_path / "bag", noise(), CompressionMode.FILE, plugin)
    whole, _ = entries(bag)
    (file,) = bag.glob("*.zstd")
    os.truncate(file, file.stat().st_size * 4 // 5)
    found, problems = entries(bag)
    assert found == whole[: len(found)]
    assert len(found) >= 0.8 * COUNT - 20
    assert problems[0].startswith(f"{file.name} is damaged or truncated, it is unpacked up to the damage (")
    file.write_bytes(b"rubbish")
    with pytest.raises(RecordingError, match="cannot be unpacked"):
        Recording(bag)


def leave_wal(bag, folder, *, only):
    """Copies an sqlite3 recording as a killed recorder leaves it: its last messages, or all, are in the log."""
    folder.mkdir()
    file = storage_file(bag)
    with contextlib.closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT topic_id, timestamp, data FROM messages").fetchall()
        if only:
            with database:
                database.execute("DELETE FROM messages")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA wal_autocheckpoint=0")
        with database:
            last = rows if only else [(topic, time + COUNT * STEP, raw) for topic, time, raw in rows]
            database.executemany("INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)", last)
        for suffix in ("", "-wal"):
            shutil.copy(f"{file}{suffix}", folder / f"bag.db3{suffix}")
    return folder


@pytest.mark.guarantee(
    "The messages in the write-ahead log of an sqlite3 recording are read, and neither file is changed.",
    section="Recording and replay",
)
@pytest.mark.parametrize("only", [False, True])
def test_messages_in_a_write_ahead_log_are_read(tmp_path, only):
    bag = write_bag(tmp_path / "bag", noise(), stamps(COUNT), storage="sqlite3")
    killed = leave_wal(bag, tmp_path / "killed", only=only)
    before = {path.name: path.read_bytes() for path in killed.iterdir()}
    found, problems = entries(killed)
    assert [entry.received_ns for entry in found] == stamps(COUNT if only else 2 * COUNT)
    assert problems == ["metadata.yaml is missing"]
    assert {path.name: path.read_bytes() for path in killed.iterdir()} == before


def test_the_hash_covers_the_write_ahead_log(tmp_path):
    killed = leave_wal(
        write_bag(tmp_path / "bag", noise(2), stamps(2), storage="sqlite3"), tmp_path / "killed", only=False
    )
    with Recording(killed) as recording:
        whole = b"".join(path.read_bytes() for path in (killed / "bag.db3", killed / "bag.db3-wal"))
        assert recording.sha256() == hashlib.sha256(whole).hexdigest()


def test_a_write_ahead_log_that_cannot_be_applied_is_a_problem(tmp_path, monkeypatch):
    bag = write_bag(tmp_path / "bag", noise(2), stamps(2), storage="sqlite3")
    killed = leave_wal(bag, tmp_path / "killed", only=False)
    monkeypatch.setattr("emotion_perception.bags.io.limits.MAX_UNPACKED_BYTES", 1 << 16)
    found, problems = entries(killed)
    assert [entry.received_ns for entry in found] == stamps(2)
    assert problems == ["metadata.yaml is missing", "bag.db3: more than 0 GiB, unpacked; bag.db3-wal is not read"]


@pytest.mark.guarantee(
    "Of a topic with several types the one with the most messages is read, and the others are a problem.",
    section="Recording and replay",
)
@pytest.mark.parametrize("part", [1, 0.9])
def test_no_message_is_read_as_one_of_another_type(tmp_path, storage, part):
    others = [("/image_raw", CAMERA_INFO, T0, camera_info(header(T0), width=8, height=6))] * 3
    bag = write_bag(tmp_path / "bag", noise(), stamps(COUNT), storage=storage, extra=others)
    file = storage_file(bag)
    os.truncate(file, int(file.stat().st_size * part))
    with Recording(bag) as recording:
        (topic,) = recording.topics
        found = list(recording.messages(["/image_raw"]))
    assert topic.type == IMAGE
    assert [entry.received_ns for entry in found] == stamps(COUNT)[: len(found)]
    assert all(len(entry.raw) > 120 * 160 * 3 for entry in found)
    left_out = f"/image_raw is read as {IMAGE}; 3 messages of the type {CAMERA_INFO} are left out"
    assert left_out in recording.problems


@pytest.mark.parametrize("profile", ["ros2", ""])
def test_a_topic_of_another_encoding_is_none_of_images(tmp_path, profile):
    with (tmp_path / "bag.mcap").open("wb") as file:
        writer = McapWriter(file)
        writer.start(profile=profile)
        schema = writer.register_schema(IMAGE, "ros2msg" if profile else "jsonschema", b"")
        writer.add_message(writer.register_channel("/image_raw", "json", schema), T0, b"{}", T0)
        writer.finish()
    with Recording(tmp_path / "bag.mcap") as recording, pytest.raises(RecordingError, match=f"{IMAGE} in json"):
        image_topic(recording, None)


def test_the_hash_is_that_of_the_file_and_changes_with_it(bag):
    with Recording(bag) as recording:
        before = recording.sha256()
    file = storage_file(bag)
    assert before == hashlib.sha256(file.read_bytes()).hexdigest()
    shutil.copy(file, bag / f"{file.stem}_1{file.suffix}")
    (bag / "metadata.yaml").unlink()
    with Recording(bag) as recording:
        assert recording.sha256() != before


@pytest.mark.guarantee(
    "A recording with a hole of 1 TB is read up to the hole; no hash is computed of more than 64 GiB.",
    section="Recording and replay",
)
def test_a_hole_at_the_end_costs_no_time(tmp_path, storage):
    file = storage_file(write_bag(tmp_path / "bag", [scene()], stamps(1), storage=storage))
    os.truncate(file, 1 << 40)  # takes no place on the disk
    with Recording(file) as recording:
        assert len(list(recording.messages(["/image_raw"]))) == 1
        assert recording.sha256() is None
        assert recording.problems[-1] == "larger than 64 GiB, so no hash is computed"


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda path: None, "no such file or folder"),
        (lambda path: path.mkdir(), "has no .mcap or .db3 file"),
        (lambda path: path.write_bytes(b"x"), "not a rosbag2 folder, nor a file ending in .mcap or .db3"),
    ],
)
def test_what_is_no_recording_is_one_clear_line(tmp_path, make, line):
    path = tmp_path / "thing"
    make(path)
    assert not is_recording(path)
    with pytest.raises(RecordingError, match=line):
        Recording(path)


@pytest.mark.parametrize("content", [b"", b"\x89MCAP0\r\n", b"rubbish" * 1000], ids=["empty", "magic only", "rubbish"])
@pytest.mark.parametrize("suffix", STORAGES.values())
def test_a_file_of_which_nothing_is_left_is_one_clear_line(tmp_path, suffix, content):
    path = tmp_path / f"bag{suffix}"
    path.write_bytes(content)
    assert is_recording(path)
    with pytest.raises(RecordingError, match="nothing of this recording can be read") as caught:
        Recording(path)
    assert "ord()" not in str(caught.value)


def test_damage_that_only_python_describes_is_told_in_words(tmp_path):
    bag = write_bag(tmp_path / "bag", [scene()], stamps(1), storage="sqlite3")
    file = storage_file(bag)
    content = file.read_bytes()
    file.write_bytes(content.replace(b"CREATE TABLE topics", b"CREATE TABLE\xfftopics"))
    with pytest.raises(RecordingError, match="its content cannot be parsed") as caught:
        Recording(file)
    assert "codec" not in str(caught.value)


@pytest.mark.guarantee(
    "Topics whose recorded names are not text of one line, and messages without time or content, are left out of a "
    "recording with a warning.",
    section="Recording and replay",
)
@pytest.mark.parametrize("name", ["/image\nraw", "/image\0", "", b"/image_raw"])
def test_a_topic_whose_name_is_no_text_is_left_out(tmp_path, name):
    info = [("/camera_info", CAMERA_INFO, T0, camera_info(header(T0), width=160, height=120))]
    bag = write_bag(tmp_path / "bag", [scene()], stamps(1), storage="sqlite3", extra=info)
    with contextlib.closing(sqlite3.connect(storage_file(bag))) as database, database:
        database.execute("UPDATE topics SET name = ? WHERE name = '/image_raw'", (name,))
    with Recording(bag) as recording:
        assert [topic.name for topic in recording.topics] == ["/camera_info"]
        assert "1 topics are left out, whose name or type is not text of one line" in recording.problems[-1]
        assert len(list(recording.messages(["/camera_info"]))) == 1


@pytest.mark.parametrize(("column", "value"), [("data", "text"), ("timestamp", "noon")])
def test_a_message_without_time_or_content_ends_the_reading(tmp_path, column, value):
    bag = write_bag(tmp_path / "bag", [scene()], stamps(1), storage="sqlite3")
    with contextlib.closing(sqlite3.connect(storage_file(bag))) as database, database:
        database.execute(f"UPDATE messages SET {column} = ?", (value,))
    found, problems = entries(bag)
    assert found == []
    assert problems[-1] == "reading stopped after 0 messages (a message has no time or no content)"


@pytest.mark.guarantee(
    "A mcap file with channels of other kinds, or with a summary of the least that its format asks for, is read whole "
    "and not called damaged.",
    section="Recording and replay",
)
@pytest.mark.parametrize(
    ("options", "other"),
    [
        ({"repeat_channels": False}, ""),
        ({"repeat_schemas": False}, ""),
        (
            {"repeat_channels": False, "repeat_schemas": False, "use_statistics": False, "use_summary_offsets": False},
            "",
        ),
        ({}, "jsonschema"),
    ],
)
def test_what_a_mcap_writer_may_leave_out_or_add_is_no_damage(tmp_path, options, other):
    raw, text = image_message(), typestore().generate_msgdef("sensor_msgs/msg/Image", ros_version=2)[0]
    with (tmp_path / "bag.mcap").open("wb") as file:
        writer = McapWriter(file, **options)
        writer.start(profile="ros2")
        schema = writer.register_schema("sensor_msgs/msg/Image", "ros2msg", text.encode())
        images = writer.register_channel("/image_raw", "cdr", schema)
        others = writer.register_channel(
            "/other", "json", writer.register_schema("Thing", other, b"{}") if other else 0
        )
        for number in range(3):
            writer.add_message(images, T0 + number, raw, T0 + number)
            writer.add_message(others, T0 + number, b"{}", T0 + number)
        writer.finish()
    found, problems = entries(tmp_path / "bag.mcap")
    assert [entry.received_ns for entry in found] == [T0, T0 + 1, T0 + 2]
    assert len(problems) == 1
    assert problems[0].startswith("bag.mcap is read in the order of the file, not by its index (")


def test_a_damaged_recording_may_be_closed_by_another_thread(bag):
    file = storage_file(bag)
    os.truncate(file, file.stat().st_size * 3 // 4)
    recording = Recording(file)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(recording.close).result()


def test_a_sqlite_file_of_something_else_is_one_clear_line(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "bag.db3")) as database, database:
        database.execute("CREATE TABLE addresses (street TEXT)")
    with pytest.raises(RecordingError, match="nothing of this recording can be read"):
        Recording(tmp_path / "bag.db3")


def test_reading_twice_gives_the_same(bag):
    with Recording(bag) as recording:
        first, second = (list(itertools.islice(recording.messages(["/image_raw"]), 5)) for _ in range(2))
    assert first == second
