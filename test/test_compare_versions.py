# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tables of scripts/compare_versions.py."""

from typing import Any

from compare_versions import CASES, lost_frames, table


def run(side: str, p50: float, cpu: float, **more: Any) -> dict[str, Any]:
    latency = {"p50": p50, "p90": p50, "p99": 2 * p50}
    frames = {"frames_dropped": 0, "frames_lost_in_transport": 0}
    measured = {"latency_ms": latency, "cpu_percent": {"all": cpu}, "memory_mib": {"a": 100.0, "b": 50.0}}
    return {"side": side, "counts": True, "frames": frames, "statuses": {"ok": 10}, **measured, **more}


def test_the_table_has_the_medians_and_their_ratios():
    floor = [{"side": "floor", "counts": True, "latency_ms": {"p50": 5.0, "p99": 7.0}} for _ in range(3)]
    before = [run("before", p50, 150.0) for p50 in (40.0, 50.0, 90.0)]
    now = [run("now", 10.0, 60.0) for _ in range(2)] + [run("now", 11.0, 60.0, statuses={"ok": 8, "skipped": 2})]
    rows = {line.split(" | ")[0]: line for line in table(CASES["face"], [*floor, *before, *now])}
    assert rows["| before"].split(" | ")[1:6] == ["3", "50.0", "10.00", "100.0", "20.00"]
    assert rows["| now"].split(" | ")[1:10] == ["3", "10.0", "2.00", "20.0", "4.00", "0, 2", "60.0", "0.40", "150.0"]
    assert rows["| floor"].split(" | ")[6] == ""


def test_failed_and_disturbed_runs_are_reported_and_left_out():
    runs = [run("now", 10.0, 60.0), run("now", 90.0, 60.0, counts=False)]
    runs.append({"side": "before", "counts": True, "error": "no clip"})
    lines = table(CASES["face"], runs)
    assert any(line.startswith("| now | 1 | 10.0 |") for line in lines)
    assert "Failed: before: no clip" in lines
    assert "Repeated because of steal: 1 of 3 runs." in lines


def test_every_frame_without_emotions_is_counted_once():
    frames = {"frames_dropped": 3, "frames_lost_in_transport": 1}
    assert lost_frames({"frames": frames, "statuses": {"ok": 90, "skipped": 2}}) == 6
    assert lost_frames({"frames_dropped": 2, "answers": {"ok": 5, "failed": 1}}) == 3
