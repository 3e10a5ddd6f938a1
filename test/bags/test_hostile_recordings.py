# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""emotion-perception as a process, on recordings that claim to be large, that lie about themselves, or are no files."""

import json
import os
import time

import cv2
import numpy as np
import pytest
from bag_files import header, message_of, write_bag
from bag_scene import stamps
from hostile_bags import chunk, image_message, message_record, write_mcap, write_packed_messages, write_view, zeros
from processes import run_and_measure

from emotion_perception.bags.io.limits import MIB, unpack_files
from emotion_perception.bags.io.messages import COMPRESSED
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.errors import RecordingError

MAX_RESIDENT_MIB = 1600  # the program with its model takes about 400, and a record at its limit twice 256
LARGE_MIB = 3072
MESSAGE = message_record(image_message())


def bomb(tmp_path, compression, declared, *, indexed=False):
    packed = zeros(compression, LARGE_MIB)
    path = write_mcap(tmp_path / "bomb.mcap", [chunk(compression, packed, declared)], indexed=indexed, sizes=[declared])
    assert path.stat().st_size < 20 * MIB
    return path


@pytest.mark.slow
@pytest.mark.guarantee(
    "A small recording that claims gigabytes is one line and takes no memory for them (limits in recordings.md).",
    section="Programs",
)
@pytest.mark.parametrize(
    ("compression", "declared", "indexed"),
    [
        ("zstd", LARGE_MIB * MIB, False),
        ("zstd", LARGE_MIB * MIB, True),
        ("zstd", 100, True),
        ("lz4", LARGE_MIB * MIB, False),
    ],
)
def test_a_chunk_that_claims_gigabytes_is_one_line(tmp_path, compression, declared, indexed):
    path = bomb(tmp_path, compression, declared, indexed=indexed)
    code, output, resident_mib = run_and_measure("evaluate-bag", path, "--out", tmp_path / "out")
    assert code == 1
    assert "compressed data of more than 256 MiB" in output
    assert "Traceback" not in output
    assert resident_mib < MAX_RESIDENT_MIB


def test_what_comes_before_a_message_beyond_the_limit_is_read(tmp_path):
    path = write_packed_messages(tmp_path / "packed", 512)
    code, output, resident_mib = run_and_measure("evaluate-bag", path, "--out", tmp_path / "out")
    assert code == 0
    assert "problem: reading stopped after 1 messages (compressed data of more than 256 MiB)" in output
    assert "problem: 1 images were read, 2 are declared" in output
    assert resident_mib < MAX_RESIDENT_MIB


def line(path):
    """Returns the one line of a recording of which nothing can be read."""
    with pytest.raises(RecordingError) as caught:
        Recording(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_chunks_that_overlap_are_not_unpacked_together(tmp_path):
    part = chunk("zstd", zeros("zstd", 200), 200 * MIB)
    path = write_mcap(tmp_path / "overlap.mcap", [part] * 20, indexed=True, sizes=[200 * MIB] * 20)
    assert "chunks of more than 1 GiB overlap in time" in line(path)


def test_a_chunk_of_millions_of_empty_records_is_damage(tmp_path):
    path = write_mcap(tmp_path / "empty.mcap", [chunk("zstd", zeros("zstd", 100), 100 * MIB)], indexed=False)
    assert "a chunk of empty records" in line(path)


def test_messages_that_a_database_computes_are_not_read(tmp_path):
    assert "its table messages is computed, not stored" in line(write_view(tmp_path / "view.db3"))


def test_compressed_files_are_unpacked_up_to_the_limit(tmp_path, monkeypatch):
    (tmp_path / "bag_0.db3.zstd").write_bytes(zeros("zstd", 8))
    target = tmp_path / "unpacked"
    target.mkdir()
    packed = tmp_path / "bag_0.db3.zstd"
    assert unpack_files([packed], target) == ({packed: target / "bag_0.db3"}, [])
    assert (target / "bag_0.db3").stat().st_size == 8 * MIB
    monkeypatch.setattr("emotion_perception.bags.io.limits.MAX_UNPACKED_BYTES", 4 * MIB)
    (target / "bag_0.db3").unlink()
    unpacked, problems = unpack_files([packed], target)
    assert not unpacked
    assert "unpacked" in problems[0]


def bad_metadata():
    """Returns name -> (content of metadata.yaml, the problem)."""
    aliases = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    aliases += "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    return {
        "aliases": (aliases + "rosbag2_bagfile_information: {storage_identifier: *i}", "more than 1,000,000 values"),
        "itself": ("rosbag2_bagfile_information: &a [*a]", "refers to itself"),
        "nested": ("[" * 5000, "cannot be used"),
        "twice": ("rosbag2_bagfile_information: {relative_file_paths: [bag.mcap, bag.mcap]}", "more than once"),
        "text": ("rosbag2_bagfile_information: {relative_file_paths: bag.mcap}", "is not a list of names"),
        "empty": ("", "it has no list relative_file_paths"),
        "list": ("- 1\n", "it has no list relative_file_paths"),
        "large": ("#" * (17 * MIB), "larger than the limit of 16 MiB"),
    }


@pytest.mark.parametrize("name", bad_metadata())
def test_a_hostile_metadata_file_is_a_problem_and_the_images_are_read(tmp_path, name):
    content, problem = bad_metadata()[name]
    bag = write_bag(tmp_path / "bag", [np.zeros((48, 64, 3), np.uint8)] * 3, stamps(3))
    (bag / "metadata.yaml").write_text(content)
    with Recording(bag) as recording:
        assert len(list(recording.messages(["/image_raw"]))) == 3
        assert problem in recording.problems[0]
        assert len(recording.problems[0]) < 300


@pytest.mark.guarantee(
    "A FIFO, device, socket or folder where a file is meant is one line, at once.", section="Programs"
)
@pytest.mark.parametrize("suffix", [".mcap", pytest.param(".db3", marks=pytest.mark.slow)])
def test_a_fifo_is_no_recording(tmp_path, suffix):
    os.mkfifo(tmp_path / f"bag{suffix}")
    begun_s = time.monotonic()
    code, output, _ = run_and_measure("evaluate-bag", tmp_path / f"bag{suffix}", "--out", tmp_path / "out")
    assert (code, time.monotonic() - begun_s < 60) == (1, True)
    assert f"bag{suffix}: a FIFO, not a file" in output


def gray_bag(path, **options):
    return write_bag(path, [np.full((48, 64, 3), 90, np.uint8)] * 2, stamps(2), **options)


@pytest.mark.guarantee(
    "In a folder each recording is evaluated once, under a name of its own, whatever links and equal names there are.",
    section="Programs",
)
def test_every_recording_is_found_once_under_a_name_of_its_own(tmp_path):
    folder, out = tmp_path / "all", tmp_path / "out"
    gray_bag(folder / "b")
    gray_bag(tmp_path / "other_mcap")
    gray_bag(tmp_path / "other_db3", storage="sqlite3")
    (tmp_path / "other_mcap" / "other_mcap.mcap").rename(folder / "a.mcap")
    (tmp_path / "other_db3" / "other_db3.db3").rename(folder / "a.db3")
    (folder / "b.mcap").write_bytes((folder / "b" / "b.mcap").read_bytes())
    (folder / "sub").mkdir()
    (folder / "sub" / "up").symlink_to("..")
    (folder / "sub" / "above").symlink_to("../..")
    (folder / "again").symlink_to("b")
    (folder / "again.mcap").symlink_to("a.mcap")
    (folder / "gone.mcap").symlink_to("nowhere.mcap")
    code, output, _ = run_and_measure("evaluate-bag", folder, "--out", out)
    assert code == 0, output
    report = json.loads((out / "report.json").read_text())
    assert list(report["bags"]) == ["a.db3", "a.mcap", "b", "b.mcap"]
    assert {name: (out / name / "report.json").is_file() for name in report["bags"]} == dict.fromkeys(
        report["bags"], True
    )


def compressed_bag(path, datas, stamps_ns):
    messages = [
        ("/front/image_raw/compressed", COMPRESSED, 10**9 + k, jpeg_message(data, stamp))
        for k, (data, stamp) in enumerate(zip(datas, stamps_ns, strict=True))
    ]
    return write_bag(path, [], [], topic="/empty", extra=messages)


def jpeg_message(data, stamp_ns):
    return message_of(COMPRESSED, header=header(stamp_ns), format="jpeg", data=np.frombuffer(data, np.uint8))


JPEG = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8))[1].tobytes()
HALF = JPEG[: len(JPEG) // 2]
TIMES = [10**9 + k * 10**8 for k in range(4)]


@pytest.mark.slow
@pytest.mark.guarantee(
    "A recording of which no image can be processed is exit code 1 and a problem with the reason in report.json.",
    section="Programs",
)
def test_a_recording_without_one_decodable_image_fails_with_the_reason(tmp_path):
    compressed_bag(tmp_path / "all" / "bad", [HALF] * 4, TIMES)
    compressed_bag(tmp_path / "all" / "good", [JPEG] * 4, TIMES)
    reason = f"4 of 4 images cannot be decoded, the first: {len(HALF)} bytes of a compressed 64x48 image are truncated"
    code, output, _ = run_and_measure("evaluate-bag", tmp_path / "all" / "bad", "--out", tmp_path / "one")
    assert (code, f"problem: {reason}" in output) == (1, True)
    assert json.loads((tmp_path / "one" / "report.json").read_text())["problems"][0] == reason
    for _ in range(2):  # the second time the reports are there already
        code, output, _ = run_and_measure("evaluate-bag", tmp_path / "all", "--out", tmp_path / "many")
        assert (code, f"not evaluated: bad: {reason}" in output) == (1, True)
    code, output, _ = run_and_measure("label-bag", tmp_path / "all" / "bad", "--out", tmp_path / "labels.csv")
    assert (code, "none of its 4 images can be processed" in output) == (1, True)


@pytest.mark.guarantee(
    "Undecodable images, and stamps that are equal, zero or go backward, are counted problems.", section="Programs"
)
@pytest.mark.parametrize(
    ("datas", "times", "problem"),
    [
        ([JPEG, HALF, JPEG, HALF], TIMES, "2 of 4 images cannot be decoded, the first: "),
        pytest.param(
            [JPEG] * 4,
            [TIMES[0], TIMES[0], TIMES[1], TIMES[1]],
            "2 of 4 stamps equal the stamp before",
            marks=pytest.mark.slow,
        ),
        pytest.param([JPEG] * 4, [0] * 4, "4 of 4 stamps are zero", marks=pytest.mark.slow),
        ([JPEG] * 4, [TIMES[0], TIMES[2], TIMES[1], TIMES[3]], "1 of 4 stamps go backward"),
    ],
    ids=["undecodable", "equal", "zero", "backward"],
)
def test_what_is_wrong_with_frames_is_a_counted_problem(tmp_path, datas, times, problem):
    bag = compressed_bag(tmp_path / "bag", datas, times)
    code, output, _ = run_and_measure("evaluate-bag", bag, "--out", tmp_path / "out")
    assert code == 0
    assert f"problem: {problem}" in output
    (found,) = json.loads((tmp_path / "out" / "report.json").read_text())["problems"]
    assert found.startswith(problem)
