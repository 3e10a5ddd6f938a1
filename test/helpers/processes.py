# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs and ends processes."""

import subprocess
import sys

# A program that runs another one and prints its largest memory in KiB. The kernel counts the memory that a process had
# before exec, i.e. that of its parent, so the parent must be small, unlike a process that runs many tests.
_MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stderr=subprocess.STDOUT)
print()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def run_and_measure(*words):
    """Runs the program `emotion-perception`; returns its exit code, output, and largest memory in MiB."""
    program = [sys.executable, "-m", "emotion_perception.cli", *map(str, words)]
    done = subprocess.run([sys.executable, "-S", "-c", _MEASURE, *program], capture_output=True, text=True, check=False)
    output, _, largest_kib = done.stdout[:-1].rpartition("\n")
    return done.returncode, output[:-1], int(largest_kib) // 1024


def wait_or_kill(process, timeout_s):
    """Waits for the end of a process, and kills it if it takes longer."""
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def kill_running(*processes):
    """Kills those processes that still run, and waits for their end; None stands for one that was not started."""
    for process in processes:
        if process is not None and process.poll() is None:
            process.kill()
            process.communicate()
