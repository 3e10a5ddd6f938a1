# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every figure of a report, computed from the tables of one or more recordings.

Percentiles of empty tables, and rates without a denominator, are None.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotion_perception.bags.inference.frame_result import OUTCOMES, PROCESSED, UNDECODABLE
from emotion_perception.bags.io.messages import NS
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

LATENCY = {
    "every_frame": "work on a frame: decoding, detector, classifier",
    "realtime": "from the moment at which the frame was due to its answer",
    "recorded": "from the image's stamp to the arrival of its answer in the recording",
}
_PERCENTILES = (50, 90, 99)
_MINUTE = 60.0
_LONGEST_PAUSE_S = 2.0  # between two frames of a track that count as following each other


def all_of(frames: FrameTable, faces: FaceTable, regions: RegionTable, min_confidence: float) -> dict[str, Any]:
    """Returns the figures of a report: frames, answers, recognition, groups, detection and steadiness."""
    return {
        "frames": account(frames),
        "answers": answers(faces),
        "recognition": recognition(faces, min_confidence),
        "groups": groups(faces),
        "detection": detection(regions),
        "steadiness": steadiness(faces, regions),
    }


def account(frames: FrameTable) -> dict[str, Any]:
    """Returns what became of the frames: in_bag, decoded, each outcome, without_face, stamps_backward and sizes."""
    counts = {name: int((frames.outcome == name).sum()) for name in OUTCOMES}
    back = (np.diff(frames.stamp_ns) < 0) & (np.diff(frames.bag) == 0)
    sizes, of_size = np.unique(frames.size[frames.size != ""], return_counts=True)
    return {
        "in_bag": len(frames.bag),
        "decoded": len(frames.bag) - counts[UNDECODABLE],
        **counts,
        "without_face": int(((frames.outcome == PROCESSED) & (frames.faces == 0)).sum()),
        "stamps_backward": int(back.sum()),
        "sizes": {str(size): int(count) for size, count in zip(sizes, of_size, strict=True)},
        "drop_rate": _share(counts["dropped"] + counts["skipped"], len(frames.bag)),
    }


def timing(frames: FrameTable) -> dict[str, Any]:
    """Returns mean, percentiles and maximum of each time that was measured, in milliseconds."""
    return {name: _distribution(values) for name, values in frames.times.items()}


def duration_s(frames: FrameTable) -> float:
    """Returns the time from the first to the last stamp, summed over the recordings, in seconds."""
    spans = [np.ptp(frames.stamp_ns[frames.bag == bag]) for bag in np.unique(frames.bag)]
    return rounded(float(np.sum(spans)) / NS)


def recognition(faces: FaceTable, min_confidence: float) -> dict[str, Any] | None:
    """Returns how right the answers are where people have said what a face shows; None where they have not.

    `smoothed` is what the node publishes as label and score, but for the hysteresis of the label, which
    `shown_accuracy` has too; `raw` is each frame alone.
    """
    judged = faces.truth != ""
    if not judged.any():
        return None
    raw, smoothed = (_answers(faces, kind, judged) for kind in (faces.probabilities, faces.smoothed))
    confusion = confusion_matrix(smoothed)
    certain = ~faces.uncertain[judged]
    shown = faces.label[judged] == faces.truth[judged]
    return {
        "smoothed": summarize(smoothed),
        "raw": summarize(raw),
        "shown_accuracy": rounded(shown.mean()),
        "per_class": per_class(confusion, faces.labels),
        "confusion": confusion.tolist(),
        "reliability": {"smoothed": reliability(smoothed), "raw": reliability(raw)},
        "uncertain": {
            "below": rounded(min_confidence),
            "coverage": rounded(certain.mean()),
            "accuracy": _share(int(shown[certain].sum()), int(certain.sum())),
        },
        "coverage": coverage(smoothed, min_confidence),
    }


def groups(faces: FaceTable) -> dict[str, Any]:
    """Returns the summary of the smoothed answers for each group that the labels name."""
    found = {}
    for group in sorted(set(faces.group[faces.truth != ""].tolist()) - {""}):
        chosen = (faces.group == group) & (faces.truth != "")
        found[group] = summarize(_answers(faces, faces.smoothed, chosen))
    return found


def detection(regions: RegionTable) -> dict[str, Any] | None:
    """Returns how many labeled regions a face was found in, also by group; None where no region is labeled."""
    if not len(regions.bag):
        return None
    found = regions.track > 0
    by_group = {
        str(group): {"regions": int((regions.group == group).sum()), "recall": _mean(found[regions.group == group])}
        for group in np.unique(regions.group[regions.group != ""])
    }
    return {"regions": len(found), "found": int(found.sum()), "recall": _mean(found), "groups": by_group}


def id_switches(regions: RegionTable) -> int | None:
    """Returns how often a person's face got another number than before; None where nobody says who is who."""
    known = (regions.person != "") & (regions.track > 0)
    if not known.any():
        return None
    switches = 0
    pairs = np.array([f"{bag} {who}" for bag, who in zip(regions.bag[known], regions.person[known], strict=True)])
    tracks = regions.track[known]
    for who in np.unique(pairs):
        switches += int((np.diff(tracks[pairs == who]) != 0).sum())
    return switches


def steadiness(faces: FaceTable, regions: RegionTable) -> dict[str, Any]:
    """Returns tracks, their time in seconds, label flips a minute raw and shown, and id switches."""
    raw = faces.probabilities.argmax(axis=1) if len(faces.bag) else np.empty(0, np.int64)
    seconds, flips = 0.0, {"raw": 0, "shown": 0}
    tracks = 0
    for rows in tracks_of(faces):
        tracks += 1
        steps = np.diff(faces.stamp_ns[rows]) / NS
        following = (steps > 0) & (steps <= _LONGEST_PAUSE_S)
        seconds += float(steps[following].sum())
        flips["raw"] += int((np.diff(raw[rows])[following] != 0).sum())
        flips["shown"] += int((faces.label[rows][1:] != faces.label[rows][:-1])[following].sum())
    minutes = seconds / _MINUTE
    return {
        "tracks": tracks,
        "track_seconds": rounded(seconds),
        "flips_per_minute_raw": rounded(flips["raw"] / minutes) if minutes else None,
        "flips_per_minute_shown": rounded(flips["shown"] / minutes) if minutes else None,
        "id_switches": id_switches(regions),
    }


def answers(faces: FaceTable) -> dict[str, Any]:
    """Returns how many faces there are, how many of them uncertain, and how many show which label."""
    return {
        "faces": len(faces.bag),
        "uncertain": int(faces.uncertain.sum()),
        "labels": {label: int((faces.label == label).sum()) for label in faces.labels},
    }


def tracks_of(faces: FaceTable) -> Iterator[NDArray[np.int64]]:
    """Yields the rows of each track, by recording and number."""
    order = np.lexsort((np.arange(len(faces.bag)), faces.track, faces.bag))
    if not len(order):
        return
    ends = np.flatnonzero(np.diff(faces.track[order]) | np.diff(faces.bag[order])) + 1
    yield from np.split(order, ends)


def _answers(faces: FaceTable, probabilities: NDArray[np.float32], chosen: NDArray[np.bool_]) -> Predictions:
    """Returns the chosen faces, all of them judged, beside what people say of them."""
    truth = np.array([faces.labels.index(str(label)) for label in faces.truth[chosen]], np.int64)
    return Predictions(probabilities[chosen], truth, faces.labels)


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


def _share(part: int, whole: int) -> float | None:
    return rounded(part / whole) if whole else None


def _mean(values: NDArray[np.bool_]) -> float | None:
    return rounded(values.mean()) if len(values) else None
