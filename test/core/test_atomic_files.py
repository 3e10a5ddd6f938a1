# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
import os
import stat

import pytest

from emotion_perception.core.atomic_files import atomic_file, atomic_path, write_atomically


@pytest.mark.parametrize("content", ["Straße\n", b"\x00\xff"])
def test_a_file_is_written_as_a_whole(tmp_path, content):
    write_atomically(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_after_an_error_the_old_file_is_there(tmp_path):
    (tmp_path / "table.csv").write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_file(tmp_path / "table.csv") as file:
        file.write(f"half {1 / 0}")
    assert (tmp_path / "table.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_until_the_end_the_new_file_has_another_name_with_the_same_suffix(tmp_path):
    with atomic_path(tmp_path / "overlay.mp4") as part:
        assert part.suffix == ".mp4"
        assert not (tmp_path / "overlay.mp4").exists()
    assert (tmp_path / "overlay.mp4").exists()


def test_a_link_under_the_name_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "kept").write_text("somebody's")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    write_atomically(tmp_path / "link", "ours")
    assert (tmp_path / "kept").read_text() == "somebody's"
    assert not (tmp_path / "link").is_symlink()


def test_a_text_with_a_name_that_is_not_utf_8_is_written(tmp_path):
    write_atomically(tmp_path / "file", "data: " + os.fsdecode(b"caf\xe9"))
    assert (tmp_path / "file").read_text(encoding="utf-8") == "data: café"


def test_the_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    write_atomically(tmp_path / "file", "")
    assert stat.S_IMODE(os.stat(tmp_path / "file").st_mode) == stat.S_IMODE(os.stat(tmp_path / "plain").st_mode)


@pytest.mark.parametrize(("name", "error"), [("no folder/file", FileNotFoundError), ("a folder", IsADirectoryError)])
def test_an_error_names_the_file_that_was_to_be_written(tmp_path, name, error):
    (tmp_path / "a folder").mkdir()
    with pytest.raises(error) as caught:
        write_atomically(tmp_path / name, "")
    assert caught.value.filename == str(tmp_path / name)


def write_too_much(path):
    with atomic_path(path), open("/dev/full", "wb", buffering=0) as full:
        full.write(b"x")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_full_disk_is_an_error_that_names_the_file(tmp_path):
    with pytest.raises(OSError, match="No space left") as caught:
        write_too_much(tmp_path / "file")
    assert caught.value.filename == str(tmp_path / "file")
