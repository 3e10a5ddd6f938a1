# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Text summary of a report for the command line."""

from collections.abc import Mapping
from typing import Any


def summary_lines(report: Mapping[str, Any]) -> list[str]:
    """Returns lines with frames, recognition, stability, latency and problems."""
    frames, stability = report["frames"], report["stability"]
    statuses = ("dropped", "skipped", "undecodable", "failed", "no_image")
    unprocessed = ", ".join(f"{frames[name]} {name.replace('_', ' ')}" for name in statuses if frames[name])
    lines = [
        f"{report['bag']}: {frames['in_bag']} frames in {report['duration_s']:.1f} s, {frames['processed']} processed"
        f"{', ' + unprocessed if unprocessed else ''}, {frames['without_face']} without face"
    ]
    if report["recognition"]:
        smoothed, certain = report["recognition"]["smoothed"], report["recognition"]["certain"]
        lines.append(
            f"recognition: {smoothed['accuracy']:.1%} of {smoothed['n']} labeled faces, macro F1 "
            f"{smoothed['macro_f1']:.1%}, ECE {smoothed['ece']:.1%}; {certain['coverage']:.1%} not uncertain"
        )
    if report["detection"]:
        lines.append(
            f"detection: {report['detection']['recall']:.1%} of {report['detection']['regions']} labeled regions"
        )
    if stability["track_seconds"]:
        lines.append(
            f"stability: {stability['tracks']} tracks, "
            f"{stability['flips_per_minute_published']:.1f} label flips per minute "
            f"({stability['flips_per_minute_raw']:.1f} without smoothing)"
        )
    latency = report["timing"]["latency_ms"]
    if latency:
        lines.append(f"latency: p50 {latency['p50']:.1f} ms, p90 {latency['p90']:.1f} ms, p99 {latency['p99']:.1f} ms")
    failed = [f"not evaluated: {bag}: {problem}" for bag, problem in report.get("failed", {}).items()]
    return [*lines, *(f"problem: {problem}" for problem in report["problems"]), *failed]
