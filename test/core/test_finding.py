import numpy as np
import pytest

from emotion_perception.core.config import DetectionConfig
from emotion_perception.core.finding import FaceFinder
from emotion_perception.core.tracking import Tracker
from emotion_perception.core.types import Box, Face

IMAGE = np.zeros((100, 200, 3), np.uint8)


class Scripted:
    """Finds the faces it was given, whatever the picture."""

    name = "scripted"

    def __init__(self, *faces):
        self.faces = list(faces)

    def detect(self, image_bgr):
        return self.faces


class OnlyTheLeftHalf:
    """Refuses what begins in the right half."""

    def __init__(self):
        self.refused, self.seen = 0, []

    def verify(self, image_bgr, faces, *, threshold, max_faces):
        self.seen.append((list(faces), threshold, max_faces))
        kept = [face for face in faces if face.box.x_min < 100]
        self.refused += len(faces) - len(kept)
        return kept[:max_faces]


def face(x_min, score=0.9, side=40):
    return Face(box=Box(x_min, 20, x_min + side, 20 + side), score=score)


def find(finder, stamp_s=0.0, **parameters):
    found = finder.find(IMAGE, stamp_s, DetectionConfig(**parameters))
    return [(face.id, face.box.x_min, face.box.x_max) for face in found]


def test_faces_are_selected_numbered_and_best_first():
    finder = FaceFinder(Scripted(face(10, 0.5), face(100, 0.8), face(60, 0.2)), None, Tracker())
    assert find(finder) == [(1, 100, 140), (2, 10, 50)]
    assert find(finder, max_faces=1) == [(1, 100, 140)]
    assert finder.refused == 0


def test_what_the_verifier_refuses_gets_no_number_and_is_counted():
    verifier = OnlyTheLeftHalf()
    finder = FaceFinder(Scripted(face(120, 0.9), face(10, 0.8)), verifier, Tracker())
    assert find(finder, verifier_threshold=0.7, max_faces=5) == [(1, 10, 50)]
    assert finder.refused == 1
    assert verifier.seen == [([face(120, 0.9), face(10, 0.8)], 0.7, 5)]


def test_the_verifier_sees_no_detection_that_is_left_out_anyway():
    verifier = OnlyTheLeftHalf()
    find(FaceFinder(Scripted(face(10, 0.1), face(60, 0.9, side=10)), verifier, Tracker()))
    assert verifier.seen[0][0] == []


def test_a_refusal_now_and_then_costs_no_number():
    detector = Scripted(face(98))
    finder = FaceFinder(detector, OnlyTheLeftHalf(), Tracker())
    answers = []
    for step in range(6):
        detector.faces = [face(98 + 4 * (step % 2))]
        answers.append(find(finder, step / 10))
    assert answers == [[(1, 98, 138)], []] * 3


@pytest.mark.parametrize("margins", [(0.0, 0.5, 0.0), (1.0, 0.0, 0.25)])
def test_a_changed_margin_moves_no_track(margins):
    detector = Scripted(face(80))
    finder = FaceFinder(detector, None, Tracker())
    for step, margin in enumerate(margins):
        assert find(finder, step / 10, margin=margin, track_iou=0.9) == [(1, 80 - 40 * margin, 120 + 40 * margin)]


def test_every_region_is_inside_the_picture():
    finder = FaceFinder(Scripted(face(5), face(170)), None, Tracker())
    assert [(x_min, x_max) for _, x_min, x_max in find(finder, margin=0.5)] == [(0, 65), (150, 200)]
