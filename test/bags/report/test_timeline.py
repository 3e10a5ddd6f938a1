# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import re

import numpy as np
import pytest

from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.report.timeline import HEIGHT, MAX_TRACKS, WIDTH, make_timeline
from emotion_perception.bags.scoring.tables import FaceTable
from emotion_perception.core.rendering import EMOTION_COLORS

LABELS = ("sadness", "happiness")
T0 = 1_700_000_000 * NS


def table(seconds, happy, *, track=1, truth="", uncertain=False):
    """Returns the faces of one track, happy by those shares."""
    count = len(seconds)
    rows = np.array([[1 - share, share] for share in happy], np.float32).reshape(count, 2)
    names = np.array([LABELS[int(share > 0.5)] for share in happy], np.str_)
    track_ids = np.full(count, track) if np.isscalar(track) else np.array(track)
    return FaceTable(
        labels=LABELS,
        bag=np.zeros(count, np.int64),
        stamp_ns=np.array([T0 + round(second * NS) for second in seconds], np.int64),
        track_id=track_ids.astype(np.int64),
        label=names,
        score=np.ones(count),
        uncertain=np.full(count, uncertain),
        probabilities=rows,
        smoothed=rows,
        truth=np.full(count, truth, object).astype(np.str_),
        group=np.full(count, "", np.str_),
    )


def points(path):
    """Returns the points of each closed part of an area."""
    return [[tuple(map(float, point.split())) for point in re.split("[ML]", part)[1:]] for part in path.split("Z")[:-1]]


def test_the_areas_fill_the_height_and_the_time():
    faces = table([0, 1, 2], [0.25, 0.25, 0.25])
    timeline = make_timeline(faces, faces.stamp_ns.tolist(), T0)
    (line,) = timeline.tracks
    (sad_label, sad_color, sad), (happy_label, happy_color, happy) = line.areas
    assert (sad_label, happy_label) == LABELS
    assert (sad_color, happy_color) == tuple(EMOTION_COLORS[label] for label in LABELS)
    assert points(sad) == [[(0, 25), (500, 25), (1000, 25), (1000, 100), (500, 100), (0, 100)]]
    assert points(happy) == [[(0, 0), (500, 0), (1000, 0), (1000, 25), (500, 25), (0, 25)]]
    assert (WIDTH, HEIGHT) == (1000, 100)


def test_a_gap_of_a_track_is_left_empty():
    seconds = [*np.arange(0, 2.01, 0.1), *np.arange(8, 10.01, 0.1)]
    faces = table(seconds, [0.9] * len(seconds))
    (line,) = make_timeline(faces, faces.stamp_ns.tolist(), T0).tracks
    parts = points(line.areas[1][2])
    assert [(part[0][0], part[len(part) // 2][0]) for part in parts] == [(0, 200), (800, 1000)]
    assert [(bar.x, round(bar.x + bar.width)) for bar in line.predicted] == [(0, 210), (800, 1010)]


def test_faces_that_are_rarer_than_the_gap_still_have_an_area():
    faces = table([0, 2, 4, 6], [0.9] * 4)
    (line,) = make_timeline(faces, faces.stamp_ns.tolist(), T0).tracks
    assert len(points(line.areas[1][2])) == 1
    assert len(line.predicted) == 1


@pytest.mark.parametrize(("uncertain", "opacity"), [(False, 1.0), (True, 0.4)])
def test_a_run_of_equal_labels_is_one_bar(uncertain, opacity):
    faces = table([0, 1, 2, 3], [0.9, 0.9, 0.1, 0.1], uncertain=uncertain, truth="happiness")
    (line,) = make_timeline(faces, faces.stamp_ns.tolist(), T0).tracks
    assert [(bar.label, round(bar.x), bar.color, bar.opacity) for bar in line.predicted] == [
        ("happiness", 0, EMOTION_COLORS["happiness"], opacity),
        ("sadness", 667, EMOTION_COLORS["sadness"], opacity),
    ]
    assert [(bar.label, bar.opacity) for bar in line.true] == [("happiness", 1.0)]


def test_a_long_track_has_no_more_points_than_can_be_told_apart():
    seconds = np.arange(0, 3600, 0.1)
    faces = table(seconds, np.full(len(seconds), 0.9))
    (line,) = make_timeline(faces, faces.stamp_ns.tolist(), T0).tracks
    assert len(points(line.areas[0][2])[0]) <= 1202


def test_the_longest_tracks_are_shown_in_the_order_of_their_beginning():
    track = [number for number in range(1, 16) for _ in range(20 - number)]
    faces = table(np.arange(len(track)) * 0.1, [0.9] * len(track), track=track)
    timeline = make_timeline(faces, faces.stamp_ns.tolist(), T0)
    assert [line.track_id for line in timeline.tracks] == list(range(1, 1 + MAX_TRACKS))


@pytest.mark.parametrize(
    ("seconds", "texts"),
    [(2.0, ["0", "0.5", "1", "1.5", "2"]), (600, ["0", "120", "240", "360", "480", "600"]), (1e7, None), (0, ["0"])],
)
def test_the_axis_counts_seconds(seconds, texts):
    timeline = make_timeline(table([], []), [T0, T0 + round(seconds * NS)], T0)
    assert timeline.tracks == []
    assert len(timeline.ticks) <= 10
    assert texts is None or [text for _, text in timeline.ticks] == texts
    assert all(-1e-6 <= place <= WIDTH * (1 + 1e-9) for place, _ in timeline.ticks)


def test_stamps_before_the_first_image_are_on_the_time_line():
    faces = table([-1, 0, 1], [0.9] * 3)
    timeline = make_timeline(faces, faces.stamp_ns.tolist(), T0)
    assert (timeline.start_ns, timeline.seconds) == (T0 - NS, 2.0)
    assert [text for _, text in timeline.ticks] == ["-1", "-0.5", "0", "0.5", "1"]
