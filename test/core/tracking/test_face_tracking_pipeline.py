# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest

from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.options import with_values
from emotion_perception.core.tracking.face_tracking_pipeline import FaceTrackingPipeline
from emotion_perception.core.tracking.options import TrackerOptions
from emotion_perception.core.tracking.tracker import Tracker
from emotion_perception.core.types import Box, Face

IMAGE = np.zeros((100, 200, 3), np.uint8)


class Scripted:
    """Finds the faces it was given, whatever the image."""

    name = "scripted"
    thread_safe = True

    def __init__(self, *faces):
        self.faces = list(faces)

    def detect(self, image_bgr):
        return self.faces


class OnlyTheLeftHalf:
    """Refuses what begins in the right half."""

    def __init__(self):
        self.rejected, self.seen = 0, []

    def filter(self, image_bgr, faces, *, threshold, max_faces):
        self.seen.append((list(faces), threshold, max_faces))
        kept = [face for face in faces if face.box.x_min < 100]
        self.rejected += len(faces) - len(kept)
        return kept[:max_faces]


def face(x_min, score=0.9, side=40):
    return Face(box=Box(x_min, 20, x_min + side, 20 + side), score=score)


def update(tracking, stamp_s=0.0, **parameters):
    detector = with_values(DetectorOptions(), parameters)
    found = tracking.update(IMAGE, stamp_s, detector, with_values(TrackerOptions(), parameters))
    return [(face.track_id, face.box.x_min, face.box.x_max) for face in found]


def test_faces_are_selected_numbered_and_best_first():
    tracking = FaceTrackingPipeline(Scripted(face(10, 0.5), face(100, 0.8), face(60, 0.2)), None, Tracker())
    assert update(tracking) == [(1, 100, 140), (2, 10, 50)]
    assert update(tracking, max_faces=1) == [(1, 100, 140)]
    assert tracking.rejected == 0


def test_what_the_non_face_filter_refuses_gets_no_number_and_is_counted():
    non_face_filter = OnlyTheLeftHalf()
    tracking = FaceTrackingPipeline(Scripted(face(120, 0.9), face(10, 0.8)), non_face_filter, Tracker())
    assert update(tracking, non_face_threshold=0.7, max_faces=5) == [(1, 10, 50)]
    assert tracking.rejected == 1
    assert non_face_filter.seen == [([face(120, 0.9), face(10, 0.8)], 0.7, 5)]


def test_the_non_face_filter_sees_at_most_four_times_the_faces_that_are_wanted():
    non_face_filter, many = OnlyTheLeftHalf(), [face(120, 0.9)] * 100
    update(FaceTrackingPipeline(Scripted(*many), non_face_filter, Tracker()), max_faces=5)
    assert [len(faces) for faces, _, _ in non_face_filter.seen] == [20]


def test_the_non_face_filter_sees_no_detection_that_is_left_out_anyway():
    non_face_filter = OnlyTheLeftHalf()
    update(FaceTrackingPipeline(Scripted(face(10, 0.1), face(60, 0.9, side=10)), non_face_filter, Tracker()))
    assert non_face_filter.seen[0][0] == []


def test_a_refusal_now_and_then_costs_no_number():
    detector = Scripted(face(98))
    tracking = FaceTrackingPipeline(detector, OnlyTheLeftHalf(), Tracker())
    answers = []
    for step in range(6):
        detector.faces = [face(98 + 4 * (step % 2))]
        answers.append(update(tracking, step / 10))
    assert answers == [[(1, 98, 138)], []] * 3


@pytest.mark.parametrize("margins", [(0.0, 0.5, 0.0), (1.0, 0.0, 0.25)])
def test_a_changed_margin_moves_no_track(margins):
    detector = Scripted(face(80))
    tracking = FaceTrackingPipeline(detector, None, Tracker())
    for step, margin in enumerate(margins):
        assert update(tracking, step / 10, margin=margin, track_iou=0.9) == [(1, 80 - 40 * margin, 120 + 40 * margin)]


def test_every_region_is_inside_the_image():
    tracking = FaceTrackingPipeline(Scripted(face(5), face(170)), None, Tracker())
    assert [(x_min, x_max) for _, x_min, x_max in update(tracking, margin=0.5)] == [(0, 65), (150, 200)]


class Counting(Scripted):
    """Counts how often it looks."""

    looks = 0

    def detect(self, image_bgr):
        self.looks += 1
        return self.faces


def textured(shift=0):
    noise = np.random.default_rng(1).integers(0, 256, (25, 60, 3), dtype=np.uint8)
    scene = cv2.resize(noise, (240, 100), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(scene[:, 40 - shift : 240 - shift])


def places(tracking, steps, every, move=2):
    options = TrackerOptions(detection_interval=every)
    return [
        (face.track_id, face.box.x_min)
        for step in steps
        for face in tracking.update(textured(move * step), step / 30, DetectorOptions(), options)
    ]


def test_between_two_looks_faces_are_followed_under_their_numbers():
    tracking = FaceTrackingPipeline(detector := Counting(face(60)), None, Tracker())
    found = places(tracking, range(3), every=3)
    assert [number for number, _ in found] == [1, 1, 1]
    assert [x for _, x in found] == pytest.approx([60, 62, 64], abs=1)
    assert detector.looks == 1
    places(tracking, range(3, 10), every=3, move=2)
    assert detector.looks == 4


@pytest.mark.guarantee(
    "A face that optical flow loses triggers a detection on the same frame.", section="Face detection node"
)
def test_a_lost_face_is_looked_for_at_once():
    tracking = FaceTrackingPipeline(detector := Counting(face(60)), None, Tracker())
    options = TrackerOptions(detection_interval=10)
    tracking.update(textured(), 0.0, DetectorOptions(), options)
    detector.faces = []
    assert tracking.update(np.zeros((100, 200, 3), np.uint8), 0.1, DetectorOptions(), options) == []
    assert detector.looks == 2


@pytest.mark.parametrize(("stamp_s", "looks"), [(0.5, 1), (1.5, 2), (-1.0, 2)])
def test_after_a_gap_or_a_step_back_it_looks(stamp_s, looks):
    tracking = FaceTrackingPipeline(detector := Counting(face(60)), None, Tracker())
    for stamp in (0.0, stamp_s):
        tracking.update(textured(), stamp, DetectorOptions(), TrackerOptions(detection_interval=10))
    assert detector.looks == looks


def test_a_image_from_before_every_frame_was_looked_at_is_forgotten():
    tracking = FaceTrackingPipeline(detector := Counting(face(60)), None, Tracker())
    for step, every in enumerate((3, 1, 1, 3)):
        tracking.update(textured(10 * step), step / 30, DetectorOptions(), TrackerOptions(detection_interval=every))
    assert detector.looks == 4


def test_after_a_reset_it_looks_and_numbers_go_on():
    tracking = FaceTrackingPipeline(detector := Counting(face(60)), None, Tracker())
    first = places(tracking, [0], every=5)
    tracking.reset()
    assert detector.looks == 1
    assert [number for number, _ in first + places(tracking, [1], every=5)] == [1, 2]
    assert detector.looks == 2


def test_what_was_seen_beforehand_is_not_looked_at_again():
    tracking = FaceTrackingPipeline(detector := Counting(face(60)), None, Tracker())
    detections = tracking.detect(IMAGE, TrackerOptions())
    assert detector.looks == 1
    found = tracking.update(IMAGE, 0.0, DetectorOptions(), TrackerOptions(), detections=detections)
    assert [(face.track_id, face.box.x_min) for face in found] == [(1, 60)]
    assert detector.looks == 1


def test_nothing_is_seen_beforehand_where_faces_are_followed_or_threads_may_not_share(monkeypatch):
    tracking = FaceTrackingPipeline(detector := Counting(face(60)), None, Tracker())
    assert tracking.detect(IMAGE, TrackerOptions(detection_interval=2)) is None
    monkeypatch.setattr(Counting, "thread_safe", False)
    assert tracking.detect(IMAGE, TrackerOptions()) is None
    assert detector.looks == 0
