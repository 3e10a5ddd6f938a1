# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs emotion-perception: in this process, which has imported torch already, or as it is installed."""

import contextlib
import io
import shutil
import subprocess

from emotion_perception.cli import main


def program(*words):
    """Runs the program in this process; returns exit code and standard error."""
    error = io.StringIO()
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        code = main([str(word) for word in words])
    return code, error.getvalue()


def installed_program(*words):
    """Runs the installed program; returns exit code and standard error."""
    command = [shutil.which("emotion-perception"), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    return done.returncode, done.stderr


def refused(words, *parts, run=program):
    """Runs the program, which has to end with 1 and one line that has all the parts; returns the line."""
    code, error = run(*words)
    line = error.strip().splitlines()[-1]
    assert code == 1, error
    assert "Traceback" not in error
    assert "unexpected error" not in line
    assert line.startswith("emotion-perception: ")
    assert all(part in line for part in parts), line
    return line
