# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import resource
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from emotion_perception.reporting.provenance import command_line, now, peak_memory_mib

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["/usr/bin/emotion-perception", "evaluate", "a file"], "emotion-perception evaluate 'a file'"),
        (["/src/emotion_perception/cli.py", "models"], "emotion-perception models"),
    ],
)
def test_the_command_is_as_one_may_type_it(monkeypatch, words, expected):
    monkeypatch.setattr(sys, "argv", words)
    assert command_line() == expected


def test_the_time_is_that_of_the_whole_world():
    age = datetime.now(timezone.utc) - datetime.fromisoformat(now())
    assert timedelta(0) <= age < timedelta(minutes=1)


@pytest.mark.parametrize(("platform", "share"), [("linux", 1), ("darwin", 1 / 1024), ("win32", None)])
def test_the_peak_of_memory_is_in_mib_where_the_system_tells(monkeypatch, platform, share):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "no such line here")
    expected = share and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 * share
    assert peak_memory_mib() == (share and pytest.approx(expected, abs=0.1))


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="there is no /proc here")
def test_the_peak_is_that_of_this_program_not_of_the_one_that_started_it():
    held = bytearray(300 * 2**20)
    code = "from emotion_perception.reporting.provenance import peak_memory_mib; print(peak_memory_mib())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert 5 < float(done.stdout) < 150, f"{len(held)} bytes are ours"
