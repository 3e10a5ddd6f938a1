# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs and ends processes."""

import os
import subprocess
import sys


def run_and_measure(*words):
    """Runs the program `emotion-perception`; returns its exit code, output, and largest memory in MiB."""
    program = [sys.executable, "-m", "emotion_perception.cli", *map(str, words)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    return process.returncode, output, usage.ru_maxrss // 1024


def wait_or_kill(process, timeout_s):
    """Waits for the end of a process, and kills it if it takes longer."""
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
