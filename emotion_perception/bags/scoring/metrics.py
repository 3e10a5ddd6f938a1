# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Computes the metrics of a report from the tables of one or more recordings.

Percentiles of empty tables, and rates without a denominator, are None.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.inference.frame_result import FRAME_STATUSES, PROCESSED, UNDECODABLE
from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.scoring.frame_problems import stamp_counts
from emotion_perception.bags.scoring.tables import FaceTable, FrameTable, RegionTable
from emotion_perception.reporting.metrics import (
    Predictions,
    confusion_matrix,
    coverage,
    per_class,
    reliability,
    rounded,
    summarize,
)

LATENCY_DEFINITIONS = {
    "every_frame": "time of decoding, detection and classification of a frame",
    "realtime": "time from the scheduled arrival of a frame to its result",
    "recorded": "time from the stamp of an image to the arrival of its EmotionArray in the recording",
}
_PERCENTILES = (50, 90, 99)
_MINUTE = 60.0
_MAX_GAP_S = 2.0  # between two consecutive frames of a track; no label flip is counted across a longer gap


def all_metrics(frames: FrameTable, faces: FaceTable, regions: RegionTable, min_confidence: float) -> dict[str, Any]:
    """Returns the blocks `frames`, `predictions`, `recognition`, `subgroups`, `detection` and `stability`."""
    return {
        "frames": frame_counts(frames),
        "predictions": prediction_counts(faces),
        "recognition": recognition(faces, min_confidence),
        "subgroups": subgroups(faces),
        "detection": detection(regions),
        "stability": stability(faces, regions),
    }


def frame_counts(frames: FrameTable) -> dict[str, Any]:
    """Counts frames: in_bag, decoded, each status, without_face, `stamp_counts` and by size; and the drop rate."""
    counts = {name: int((frames.status == name).sum()) for name in FRAME_STATUSES}
    sizes, of_size = np.unique(frames.size[frames.size != ""], return_counts=True)
    return {
        "in_bag": len(frames.bag),
        "decoded": len(frames.bag) - counts[UNDECODABLE],
        **counts,
        "without_face": int(((frames.status == PROCESSED) & (frames.faces == 0)).sum()),
        **stamp_counts(frames),
        "sizes": {str(size): int(count) for size, count in zip(sizes, of_size, strict=True)},
        "drop_rate": _rate(counts["dropped"] + counts["skipped"], len(frames.bag)),
    }


def timing(frames: FrameTable) -> dict[str, Any]:
    """Returns n, mean, percentiles and maximum of each measured time, in milliseconds."""
    return {name: _distribution(values) for name, values in frames.times.items()}


def duration_s(frames: FrameTable) -> float:
    """Returns the time from the first to the last stamp, summed over the recordings, in seconds."""
    spans = [np.ptp(frames.stamp_ns[frames.bag == bag]) for bag in np.unique(frames.bag)]
    return rounded(float(np.sum(spans)) / NS)


def recognition(faces: FaceTable, min_confidence: float) -> dict[str, Any] | None:
    """Returns accuracy and calibration on the labeled faces, or None if no face is labeled.

    `smoothed` is computed from the smoothed probabilities, `raw` from those of single frames. `published_accuracy` is
    the accuracy of the label that the node publishes, which has hysteresis besides.
    """
    labeled = faces.truth != ""
    if not labeled.any():
        return None
    raw, smoothed = (_predictions(faces, kind, labeled) for kind in (faces.probabilities, faces.smoothed))
    confusion = confusion_matrix(smoothed)
    certain = ~faces.uncertain[labeled]
    correct = faces.label[labeled] == faces.truth[labeled]
    return {
        "smoothed": summarize(smoothed),
        "raw": summarize(raw),
        "published_accuracy": rounded(correct.mean()),
        "per_class": per_class(confusion, faces.labels),
        "confusion": confusion.tolist(),
        "reliability": {"smoothed": reliability(smoothed), "raw": reliability(raw)},
        "certain": {
            "min_confidence": rounded(min_confidence),
            "coverage": rounded(certain.mean()),
            "accuracy": _rate(int(correct[certain].sum()), int(certain.sum())),
        },
        "coverage": coverage(smoothed, min_confidence),
    }


def subgroups(faces: FaceTable) -> dict[str, Any]:
    """Returns the summary of the smoothed predictions of each subgroup in the labels."""
    summaries = {}
    for group in sorted(set(faces.group[faces.truth != ""].tolist()) - {""}):
        selected = (faces.group == group) & (faces.truth != "")
        summaries[group] = summarize(_predictions(faces, faces.smoothed, selected))
    return summaries


def detection(regions: RegionTable) -> dict[str, Any] | None:
    """Returns the detection recall over the labeled regions and by subgroup, or None if no region is labeled."""
    if not len(regions.bag):
        return None
    detected = regions.track_id > 0
    by_group = {
        str(group): {"regions": int((regions.group == group).sum()), "recall": _mean(detected[regions.group == group])}
        for group in np.unique(regions.group[regions.group != ""])
    }
    return {
        "regions": len(detected),
        "detected": int(detected.sum()),
        "recall": _mean(detected),
        "subgroups": by_group,
    }


def id_switches(regions: RegionTable) -> int | None:
    """Returns how often the track id of a person changed, or None if the labels name no person."""
    known = (regions.person != "") & (regions.track_id > 0)
    if not known.any():
        return None
    switches = 0
    persons = np.array([f"{bag} {name}" for bag, name in zip(regions.bag[known], regions.person[known], strict=True)])
    track_ids = regions.track_id[known]
    for person in np.unique(persons):
        switches += int((np.diff(track_ids[persons == person]) != 0).sum())
    return switches


def stability(faces: FaceTable, regions: RegionTable) -> dict[str, Any]:
    """Returns tracks, their total time in seconds, label flips per minute (raw and published) and id switches."""
    raw = faces.probabilities.argmax(axis=1) if len(faces.bag) else np.empty(0, np.int64)
    seconds, flips = 0.0, {"raw": 0, "published": 0}
    tracks = 0
    for rows in tracks_of(faces):
        tracks += 1
        steps = np.diff(faces.stamp_ns[rows]) / NS
        consecutive = (steps > 0) & (steps <= _MAX_GAP_S)
        seconds += float(steps[consecutive].sum())
        flips["raw"] += int((np.diff(raw[rows])[consecutive] != 0).sum())
        flips["published"] += int((faces.label[rows][1:] != faces.label[rows][:-1])[consecutive].sum())
    minutes = seconds / _MINUTE
    return {
        "tracks": tracks,
        "track_seconds": rounded(seconds),
        "flips_per_minute_raw": rounded(flips["raw"] / minutes) if minutes else None,
        "flips_per_minute_published": rounded(flips["published"] / minutes) if minutes else None,
        "id_switches": id_switches(regions),
    }


def prediction_counts(faces: FaceTable) -> dict[str, Any]:
    """Counts the classified faces, those that were not, and of the former the uncertain ones and each label."""
    return {
        "faces": len(faces.bag),
        "not_classified": faces.not_classified,
        "uncertain": int(faces.uncertain.sum()),
        "labels": {label: int((faces.label == label).sum()) for label in faces.labels},
    }


def tracks_of(faces: FaceTable) -> Iterator[NDArray[np.int64]]:
    """Yields the row indices of each track, ordered by recording and track id."""
    order = np.lexsort((np.arange(len(faces.bag)), faces.track_id, faces.bag))
    if not len(order):
        return
    ends = np.flatnonzero(np.diff(faces.track_id[order]) | np.diff(faces.bag[order])) + 1
    yield from np.split(order, ends)


def _predictions(faces: FaceTable, probabilities: NDArray[np.float32], selected: NDArray[np.bool_]) -> Predictions:
    """Returns the selected faces, all of them labeled, with their true labels."""
    truth = np.array([faces.labels.index(str(label)) for label in faces.truth[selected]], np.int64)
    return Predictions(probabilities[selected], truth, faces.labels)


def _distribution(values: NDArray[np.float64]) -> dict[str, float] | None:
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    percentiles = np.percentile(known, _PERCENTILES)
    return {
        "n": len(known),
        "mean": rounded(known.mean()),
        **{f"p{p}": rounded(value) for p, value in zip(_PERCENTILES, percentiles, strict=True)},
        "max": rounded(known.max()),
    }


def _rate(part: int, whole: int) -> float | None:
    return rounded(part / whole) if whole else None


def _mean(values: NDArray[np.bool_]) -> float | None:
    return rounded(values.mean()) if len(values) else None
