# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import json

import pytest

from emotion_perception.core import assets
from emotion_perception.core.assets import file_sha256, load_manifest, models_folder, resolve_model_file
from emotion_perception.core.errors import ConfigurationError, ModelFileError

SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Three empty folders: the user's own, the package's and the cache's; the manifest knows one file, `abc`."""
    found = {name: tmp_path / name for name in ("own", "package", "cache/emotion_perception")}
    for folder in found.values():
        folder.mkdir(parents=True)
    monkeypatch.setenv("EMOTION_PERCEPTION_MODELS", str(found["own"]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(assets, "PACKAGE_MODELS", found["package"])
    manifest = tmp_path / "manifest.json"
    fields = {"file": "abc.onnx", "sha256": SHA256_OF_ABC, "license": "MIT", "source": "a test", "fetch": "letters"}
    manifest.write_text(json.dumps({"abc": fields}))
    entries = load_manifest(manifest)
    monkeypatch.setattr(assets, "load_manifest", lambda: entries)
    return list(found.values())


@pytest.mark.parametrize("name", sorted(load_manifest()))
def test_every_entry_of_the_shipped_manifest_says_all_that_people_need(name):
    model = load_manifest()[name]
    assert len(model.sha256) == 64
    assert model.license
    assert model.source
    assert not model.fetch or model.wheel or model.url
    assert model.wheel is None or ("==" in model.wheel.requirement and len(model.wheel.sha256) == 64)


def test_the_detectors_files_are_in_the_manifest():
    assert {"centerface", "mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet", "yunet"} <= set(load_manifest())


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_file_is_found_in_each_of_the_three_folders(folders, place):
    (folders[place] / "abc.onnx").write_bytes(b"abc")
    assert resolve_model_file("abc") == folders[place] / "abc.onnx"


def test_the_users_folder_comes_first(folders):
    for folder in folders:
        (folder / "abc.onnx").write_bytes(b"abc")
    assert resolve_model_file("abc") == folders[0] / "abc.onnx"


def test_a_missing_file_is_one_line_that_names_the_command(folders):
    with pytest.raises(ModelFileError, match="emotion-perception fetch letters") as caught:
        resolve_model_file("abc")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"ab", b"abcd"])
def test_a_file_cut_short_or_changed_is_refused(folders, content):
    (folders[2] / "abc.onnx").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"abc\.onnx is damaged .* emotion-perception fetch letters"):
        resolve_model_file("abc")


def test_a_path_of_the_users_own_is_taken_as_it_is(folders, tmp_path):
    own = tmp_path / "mine.onnx"
    own.write_bytes(b"something else")
    assert resolve_model_file("abc", str(own)) == own


def test_a_path_of_the_users_own_may_begin_with_a_tilde_or_be_a_url(folders, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    own = tmp_path / "my model.onnx"
    own.write_bytes(b"something else")
    assert resolve_model_file("abc", "~/my model.onnx") == own
    assert resolve_model_file("abc", own.as_uri()) == own


def test_without_a_home_folder_the_files_of_the_package_are_found_and_others_are_one_line(folders, monkeypatch):
    def unknown(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("pathlib.Path.expanduser", lambda path: unknown(path) if str(path).startswith("~") else path)
    with pytest.raises(ConfigurationError, match="set HOME"):
        resolve_model_file("abc")
    (folders[1] / "abc.onnx").write_bytes(b"abc")
    assert resolve_model_file("abc") == folders[1] / "abc.onnx"


@pytest.mark.parametrize("content", [None, b""])
def test_a_path_of_the_users_own_that_is_missing_or_empty_is_refused(folders, tmp_path, content):
    own = tmp_path / "mine.onnx"
    if content is not None:
        own.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"mine\.onnx: "):
        resolve_model_file("abc", str(own))


def test_an_unknown_name_is_refused_with_the_known_ones(folders):
    with pytest.raises(ModelFileError, match="'abd'; known: abc"):
        resolve_model_file("abd")


@pytest.mark.parametrize("text", ["{", "[]", '{"abc": {"file": "abc.onnx"}}', '{"abc": 3}'])
def test_a_manifest_that_is_none_is_refused(tmp_path, text):
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(ModelFileError, match="not a manifest"):
        load_manifest(path)


@pytest.mark.parametrize(
    ("own", "xdg", "expected"),
    [
        ("/own", "/xdg", "/own"),
        ("", "/xdg", "/xdg/emotion_perception"),
        ("", "relative", "/home/x/.cache/emotion_perception"),
        ("", "", "/home/x/.cache/emotion_perception"),
    ],
)
def test_fetched_files_go_to_the_users_folder_or_the_cache(monkeypatch, own, xdg, expected):
    monkeypatch.setenv("HOME", "/home/x")
    monkeypatch.setenv("EMOTION_PERCEPTION_MODELS", own)
    monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    assert str(models_folder()) == expected


def test_the_hash_is_that_of_the_content(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert file_sha256(path) == SHA256_OF_ABC
    with pytest.raises(ModelFileError, match="nothing: No such file"):
        file_sha256(tmp_path / "nothing")
