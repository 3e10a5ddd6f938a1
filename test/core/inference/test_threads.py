# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import os
import subprocess
import sys

import pytest

from emotion_perception.core.inference import threads
from emotion_perception.core.inference.threads import parallel_runs, thread_count, usable_cores


@pytest.fixture
def cgroups(tmp_path, monkeypatch):
    """Returns a function that puts this process into a cgroup with these files, on a machine of 64 cores."""

    def write(line, **files):
        own = tmp_path / "cgroup"
        own.write_text(f"{line}\n")
        for name, content in files.items():
            path = tmp_path / "sys" / name.replace("__", "/").replace("cpu_", "cpu.")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        monkeypatch.setattr(threads, "_OWN_CGROUP", own)
        monkeypatch.setattr(threads, "_CGROUPS", tmp_path / "sys")
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)))

    return write


def test_a_number_that_is_requested_is_taken():
    assert thread_count(7) == 7


@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (2, 1), (3, 1), (4, 2), (8, 4), (64, 4)])
def test_the_automatic_number_is_half_of_the_cores_from_one_to_four(monkeypatch, cores, expected):
    monkeypatch.setattr(threads, "usable_cores", lambda: cores)
    assert thread_count(0) == expected


@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (2, 2), (3, 3), (4, 2), (8, 2), (64, 4)])
def test_the_runs_of_a_large_batch_use_the_other_cores_too(monkeypatch, cores, expected):
    monkeypatch.setattr(threads, "usable_cores", lambda: cores)
    assert parallel_runs(0) == expected
    assert parallel_runs(2) == 1


@pytest.mark.guarantee(
    "`num_threads: 0` follows CPU affinity and cgroup quota, not the machine's cores.", section="Programs"
)
def test_the_affinity_of_the_process_limits_the_cores():
    code = "from emotion_perception.core.inference import usable_cores; print(usable_cores())"
    core = min(os.sched_getaffinity(0))
    prefix = f"import os; os.sched_setaffinity(0, {{{core}}}); "
    found = subprocess.run(
        [sys.executable, "-c", prefix + code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "1"


@pytest.mark.parametrize(
    ("quota", "cores"), [("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1), ("max 100000", 64)]
)
def test_a_quota_of_version_2_limits_the_cores_and_parts_count_as_a_whole_one(cgroups, quota, cores):
    cgroups("0::/pod/app", pod__app__cpu_max=quota)
    assert usable_cores() == cores


def test_the_quota_of_a_cgroup_that_contains_this_one_limits_too(cgroups):
    cgroups("0::/pod/app", pod__app__cpu_max="max 100000", pod__cpu_max="300000 100000")
    assert usable_cores() == 3


def test_a_quota_of_version_1_limits_the_cores(cgroups):
    files = {"cpu,cpuacct__app__cpu_cfs_quota_us": "400000", "cpu,cpuacct__app__cpu_cfs_period_us": "100000"}
    cgroups("4:cpu,cpuacct:/app", **files)
    assert usable_cores() == 4


@pytest.mark.parametrize("content", ["", "nonsense", "100 0", "-1"])
def test_a_quota_that_cannot_be_read_is_none(cgroups, content):
    cgroups("0::/", cpu_max=content)
    assert usable_cores() == 64
