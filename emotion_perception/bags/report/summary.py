# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a command prints of a report."""

from collections.abc import Mapping
from typing import Any


def lines_of(report: Mapping[str, Any]) -> list[str]:
    """Returns a few lines: frames, recognition, steadiness, speed, and what was wrong."""
    frames, steady = report["frames"], report["steadiness"]
    outcomes = ("dropped", "skipped", "undecodable", "failed", "no_image")
    lost = ", ".join(f"{frames[name]} {name.replace('_', ' ')}" for name in outcomes if frames[name])
    lines = [
        f"{report['bag']}: {frames['in_bag']} frames in {report['duration_s']:.1f} s, {frames['processed']} processed"
        f"{', ' + lost if lost else ''}, {frames['without_face']} without face"
    ]
    if report["recognition"]:
        smoothed, uncertain = report["recognition"]["smoothed"], report["recognition"]["uncertain"]
        lines.append(
            f"recognition: {smoothed['accuracy']:.1%} of {smoothed['n']} labeled faces, macro F1 "
            f"{smoothed['macro_f1']:.1%}, ECE {smoothed['ece']:.1%}; certain {uncertain['coverage']:.1%}"
        )
    if report["detection"]:
        lines.append(f"detection: {report['detection']['recall']:.1%} of {report['detection']['regions']} regions")
    if steady["track_seconds"]:
        lines.append(
            f"steadiness: {steady['tracks']} tracks, {steady['flips_per_minute_shown']:.1f} label flips a minute "
            f"({steady['flips_per_minute_raw']:.1f} of single frames)"
        )
    latency = report["timing"]["latency_ms"]
    if latency:
        lines.append(f"latency: p50 {latency['p50']:.1f} ms, p90 {latency['p90']:.1f} ms, p99 {latency['p99']:.1f} ms")
    broken = [f"not evaluated: {bag}: {problem}" for bag, problem in report.get("broken", {}).items()]
    return [*lines, *(f"problem: {problem}" for problem in report["problems"]), *broken]
