# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import argparse
from pathlib import Path

import pytest

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.paths import find_below, local_path, path_argument, user_cache


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("my faces/a%20b", "my faces/a%20b"),
        ("~/faces", "/home/robot/faces"),
        ("file:///tmp/my%20faces/a%25.csv", "/tmp/my faces/a%.csv"),
        ("FILE://localhost/tmp/x", "/tmp/x"),
        ("file://~/faces", "/home/robot/faces"),
        ("file:///~/faces", "/home/robot/faces"),
        ("file:///tmp/a#b?c", "/tmp/a#b?c"),
    ],
)
def test_a_path_may_be_a_url_or_begin_at_home(monkeypatch, text, path):
    monkeypatch.setenv("HOME", "/home/robot")
    assert local_path(text) == Path(path)
    assert path_argument(text) == Path(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a path is empty"),
        ("file://data/x", "names the machine 'data'"),
        ("https://data/x", "https://data/x: a URL, but only files of this machine are read"),
        ("~nobody_at_all/x", "set HOME"),
        ("a\0b", "a path has no null character"),
        ("file:///tmp/a%00b", "a path has no null character"),
    ],
)
def test_a_path_that_names_nothing_here_is_refused(text, words):
    with pytest.raises(ConfigurationError, match=words):
        local_path(text)
    with pytest.raises(argparse.ArgumentTypeError, match=words):
        path_argument(text)


def test_a_link_that_leads_to_itself_is_refused(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "loop", tmp_path / "loop" / "x"):
        with pytest.raises(ConfigurationError, match=r"loop(/x)?: Too many levels of symbolic links"):
            local_path(str(path))


def test_a_name_is_found_in_a_folder_or_one_below(tmp_path):
    (tmp_path / "archive" / "images [1]").mkdir(parents=True)
    assert find_below(tmp_path, "images [1]") == tmp_path / "archive" / "images [1]"
    assert find_below(tmp_path / "archive", "images [1]") == tmp_path / "archive" / "images [1]"
    assert find_below(tmp_path, "other") is None


def test_the_users_cache_is_where_xdg_says(monkeypatch):
    monkeypatch.setenv("HOME", "/home/robot")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert user_cache() == Path("/home/robot/.cache/emotion_perception")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert user_cache() == Path("/var/cache/emotion_perception")
