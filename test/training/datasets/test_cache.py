# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import os

import numpy as np
import pytest

from emotion_perception.core.errors import DatasetError, ImageError
from emotion_perception.core.printable import printable
from emotion_perception.training.datasets import cache
from emotion_perception.training.datasets.cache import FileListing, default_folder, fingerprint, mapped_dataset

COUNT = 10


class Source:
    """Ten images, and how often each was decoded; some are corrupt, and one may stop everything."""

    def __init__(self, bad=(), stop_at=None):
        self.bad, self.stop_at, self.decoded = set(bad), stop_at, []

    def read(self, row):
        if row == self.stop_at:
            raise KeyboardInterrupt
        self.decoded.append(row)
        if row in self.bad:
            raise ImageError("corrupt image")
        return np.full((4, 6), row, np.uint8)

    def listing(self):
        return FileListing(
            names=[f"{row}.png" for row in range(COUNT)],
            labels=[row % 2 for row in range(COUNT)],
            class_names=("anger", "fear"),
            shape=(4, 6),
            read=self.read,
            splits=["train"] * 8 + ["test"] * 2,
            split_order=("train", "test"),
            subjects=[f"S{row // 2}" for row in range(COUNT)],
        )


def load(source, key="key"):
    return mapped_dataset(source.listing, name="ten", key=key, workers=1)


def values(data):
    return [int(image[0, 0]) for image in data.images]


def only(folder):
    """Returns the one cache in the folder."""
    (found,) = (entry for entry in folder.iterdir() if entry.is_dir())
    return found


def test_an_image_is_decoded_once_and_then_mapped(cache_home):
    source = Source(bad=[3])
    first, second = load(source), load(source)
    assert source.decoded == list(range(COUNT))
    for data in (first, second):
        assert values(data) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
        assert data.labels.tolist() == [0, 1, 0, 0, 1, 0, 1, 0, 1]
        assert (data.subjects[3], data.filenames[3], data.splits[-1]) == ("S2", "4.png", "test")
        assert [str(problem) for problem in data.problems] == ["1 x corrupt image (3.png)"]
    assert sorted(path.name for path in only(cache_home).iterdir()) == ["images.u8", "rows.npz"]


def test_another_key_is_another_cache(cache_home):
    source = Source()
    load(source, "a"), load(source, "b")
    assert len(source.decoded) == 2 * COUNT


@pytest.mark.parametrize("workers", [1, 4])
def test_the_order_is_kept_however_many_threads_decode(workers):
    data = mapped_dataset(Source().listing, name="ten", key=workers, workers=workers)
    assert values(data) == list(range(COUNT))


def test_what_was_stopped_goes_on_where_it_was(monkeypatch):
    monkeypatch.setattr(cache, "_CHUNK", 4)
    stopped = Source(bad=[1], stop_at=9)
    with pytest.raises(KeyboardInterrupt):
        load(stopped)
    resumed = Source()
    assert values(load(resumed)) == [0, 2, 3, 4, 5, 6, 7, 8, 9]
    assert resumed.decoded == [8, 9]


@pytest.mark.parametrize(
    ("name", "content"),
    [("rows.npz", b"cut"), ("rows.npz", None), ("images.u8", b"cut"), ("images.u8", None)],
)
def test_a_damaged_cache_is_made_anew(cache_home, name, content):
    load(Source())
    path = only(cache_home) / name
    path.unlink() if content is None else path.write_bytes(content)
    again = Source()
    assert values(load(again)) == list(range(COUNT))
    assert again.decoded == list(range(COUNT))


NOTES = [
    "",
    "[]",
    '{"done": 8, "bad": {}}',
    '{"done": "x", "bad": {}}',
    '{"done": Infinity, "bad": {}}',
    '{"done": -1, "bad": {}}',
]


@pytest.mark.parametrize("note", ['{"done": 11, "bad": {}}', '{"done": 9, "bad": {"9999": "x"}}'])
def test_a_note_of_rows_that_there_are_not_is_not_believed(cache_home, note):
    load(Source())
    folder = only(cache_home)
    (folder / "rows.npz").unlink()
    (folder / "images.u8").write_bytes(bytes(11 * 24))
    (folder / "progress.json").write_text(note)
    assert values(load(Source())) == list(range(COUNT))


@pytest.mark.parametrize("name", ["rows.npz", "images.u8", "progress.json"])
def test_a_pipe_in_place_of_a_file_of_the_cache_is_replaced(cache_home, name):
    load(Source())
    (only(cache_home) / "rows.npz").unlink()
    (only(cache_home) / name).unlink(missing_ok=True)
    os.mkfifo(only(cache_home) / name)
    assert values(load(Source())) == list(range(COUNT))


def test_a_complete_cache_is_read_where_nothing_can_be_written(cache_home, monkeypatch):
    load(Source())

    def refuse(*arguments, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(cache, "FileLock", refuse)
    monkeypatch.setattr(cache.Path, "mkdir", refuse)
    assert values(load(Source())) == list(range(COUNT))


@pytest.mark.parametrize("name", ["a" * 240, "\udce9\u202e\U0001f600 \u0130", "a\nb"])
def test_a_data_folder_may_have_any_name(name):
    data = mapped_dataset(Source().listing, name=printable(name), key=name.encode("utf-8", "replace").decode())
    assert values(data) == list(range(COUNT))


@pytest.mark.parametrize("note", NOTES)
def test_a_note_of_progress_that_cannot_be_true_is_not_believed(cache_home, note):
    load(Source())
    folder = only(cache_home)
    (folder / "rows.npz").unlink()
    (folder / "images.u8").write_bytes(b"cut")
    (folder / "progress.json").write_text(note)
    assert values(load(Source())) == list(range(COUNT))


def test_a_disk_without_room_is_told_before_anything_is_decoded(monkeypatch):
    usage = type("Usage", (), {"free": 100})
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda folder: usage)
    source = Source()
    with pytest.raises(DatasetError, match=r"MB, 0.0 MB are free"):
        load(source)
    assert source.decoded == []


def test_a_cache_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="cache .*file/ten-.*: Not a directory"):
        mapped_dataset(Source().listing, name="ten", key=1, cache=str(tmp_path / "file"))


def test_a_fingerprint_tells_content_that_changed(tmp_path):
    (tmp_path / "a").write_text("one")
    before = fingerprint([tmp_path / "a"])
    assert fingerprint([tmp_path / "a"]) == before
    (tmp_path / "a").write_text("three")
    assert fingerprint([tmp_path / "a"]) != before
    absent = fingerprint([tmp_path / "b"])
    (tmp_path / "b").write_text("two")
    assert fingerprint([tmp_path / "b"]) != absent


def test_caches_lie_where_the_system_keeps_them(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "emotion_perception" / "images"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/x")
    assert str(default_folder()) == "/home/x/.cache/emotion_perception/images"
