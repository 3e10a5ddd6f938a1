# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is downloaded has its SHA-256 in this repository, and every installation by a script demands it."""

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PARTS = {"runtime", "build", "bags", "web", "test", "bench"}  # lists that are only read by others
SCRIPTS = [
    *ROOT.glob("scripts/*.sh"),
    *ROOT.glob("scripts/*.py"),
    *ROOT.glob(".github/workflows/*.yml"),
    ROOT / ".ci/run",
    ROOT / "Makefile",
    ROOT / "emotion_perception/fetch.py",
]
GUIDES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.guarantee("Every package of every lock has the SHA-256 of its files.", section="Programs")
@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_package_of_a_lock_has_hashes(lock):
    lines = [line for line in lock.read_text().splitlines() if not line.startswith("#")]
    packages = re.split(r"\n(?=\S)", "\n".join(lines))
    for package in packages:
        head, *hashes = package.split(" \\\n    ")
        assert re.fullmatch(r"[a-z0-9._-]+==[^\s;]+( ; [^\\]+)?", head), package
        assert hashes, f"{head} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", text) for text in hashes), package


def test_every_list_has_its_lock():
    lists = {path.stem for path in (ROOT / "requirements").glob("*.in")} - PARTS
    levels = {f"{distro}-{level}" for distro in ("jazzy", "kilted") for level in ("bags", "web", "test", "bench")}
    assert {path.stem for path in LOCKS} == lists | levels | {"ros-apt-web", "no-ros-training"}


def test_every_fetched_file_has_its_hash_and_that_of_its_wheel():
    manifest = json.loads((ROOT / "emotion_perception/models/manifest.json").read_text())
    for name, entry in manifest.items():
        for part in (entry, entry.get("wheel", entry)):
            assert re.fullmatch("[0-9a-f]{64}", part["sha256"]), name
        assert "==" in entry.get("wheel", {"requirement": "=="})["requirement"], name


def calls(text):
    """Returns the calls of pip and uv that install or download, each with the rest of its command."""
    starts = re.finditer(r"\bpip\b\W[^\n]*?(?:\\\n[^\n]*?)?\b(?:install|download)\b|\buv pip (?:install|sync)\b", text)
    return [text[start.start() : start.end() + 250] for start in starts]


@pytest.mark.guarantee("Scripts and CI install packages with `--require-hashes` only.", section="Programs")
def test_every_installation_by_a_script_demands_hashes():
    found = {path.name: calls(path.read_text()) for path in SCRIPTS}
    assert [len(found[name]) for name in ("setup_steps.sh", "uv_environment.sh", "fetch.py")] == [1, 1, 1]
    for name, commands in found.items():
        for command in commands:
            of_this_package = command.startswith("pip install --no-deps --no-build-isolation .\n")
            assert "--require-hashes" in command or of_this_package, f"{name}: {command}"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_where_a_guide_installs_a_list_it_demands_hashes(guide):
    for line in re.sub(r"\\\n\s*", " ", guide.read_text()).splitlines():
        if re.search(r"pip.* -r \S*requirements/", line):
            assert "--require-hashes" in line, line
            assert not re.search(r"requirements/\S+\.in\b", line), line


@pytest.fixture
def wheel(tmp_path):
    """A wheel in a folder of its own."""
    path = tmp_path / "index" / "harmless-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("harmless.py", "")
        archive.writestr("harmless-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: harmless\nVersion: 1.0\n")
        archive.writestr(
            "harmless-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("harmless-1.0.dist-info/RECORD", "")
    return path


@pytest.mark.parametrize(
    ("hash_of", "message"),
    [
        (lambda wheel: f" --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}", ""),
        (lambda _: f" --hash=sha256:{'0' * 64}", "DO NOT MATCH THE HASHES"),
        (lambda _: "", "Hashes are required in --require-hashes mode"),
    ],
    ids=["its hash", "another hash", "no hash"],
)
def test_the_set_up_installs_only_files_with_the_hash_of_the_lock(tmp_path, wheel, hash_of, message):
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (tmp_path / "lock.txt").write_text(f"harmless==1.0{hash_of(wheel)}\n")
    options = f'--no-index --find-links "{wheel.parent}" --target "{tmp_path}/site"'
    script = f"""set -eu; . "{ROOT}/scripts/setup_steps.sh"; root="{tmp_path}" logs="{tmp_path}"
        install_lock pip "{tmp_path}/venv" "{tmp_path}/lock.txt" {options}"""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PIP_FIND_LINKS", "PIP_CONFIG_FILE")
    }
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode == 0) == (tmp_path / "site/harmless.py").exists() == (not message), done.stderr
    assert message in done.stderr


def test_the_list_of_licenses_fits_the_locks():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/write_licenses.py", "--check"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
