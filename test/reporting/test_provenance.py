import resource
import sys
from datetime import datetime, timedelta, timezone

import pytest

from emotion_perception.reporting.provenance import command_line, now, peak_memory_mib


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
    expected = share and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 * share
    assert peak_memory_mib() == (share and pytest.approx(expected, abs=0.1))
