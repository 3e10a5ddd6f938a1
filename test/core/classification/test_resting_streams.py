# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The shipped model on streams that are made of still images of people (Yale faces), as a camera would see them.

Every frame is an image of 96x96 in the middle of a larger one, moved by a pixel or two.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.classification.classifier import create_classifier
from emotion_perception.core.classification.options import ClassifierOptions, RecognizerOptions
from emotion_perception.core.classification.recognizer import EmotionRecognizer
from emotion_perception.core.detection import DetectorOptions, create_detector
from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.types import Box, Face

ROOT = Path(__file__).resolve().parents[3]
YALE = next((path for path in (ROOT, ROOT.parent) if (path / "shared/data").is_dir()), ROOT) / "shared/data/yale96.npz"
FPS = 5
PEOPLE = ("03", "05", "08", "11")
SIDE, MARGIN = 96, 12


@pytest.fixture(scope="module")
def yale():
    if not YALE.is_file():
        pytest.skip("../shared/data/yale96.npz is absent")
    with np.load(YALE) as file:
        return dict(zip(file["filename"].tolist(), file["images"], strict=True))


@pytest.fixture(scope="module")
def classifier():
    return create_classifier(ClassifierOptions(device="cpu", precision="float32", num_threads=1))


class Stream:
    """Shows images of one person to the classifier's half of the pipeline."""

    def __init__(self, classifier, baseline):
        self.recognizer, self.now_s = EmotionRecognizer(classifier), 0.0
        self.options = RecognizerOptions(baseline=baseline)
        self.rng = np.random.default_rng(0)

    def show(self, image, seconds, *, change=None):
        """Returns the last result."""
        for _ in range(round(seconds * FPS)):
            shown = image if change is None else change(image)
            frame = np.full((SIDE + 2 * MARGIN,) * 2 + (3,), 90, np.uint8)
            frame[MARGIN:-MARGIN, MARGIN:-MARGIN] = shown[..., None]
            x, y = MARGIN + self.rng.integers(-1, 2, 2)
            face = Face(Box(int(x) + 4, int(y) + 4, int(x) + SIDE - 4, int(y) + SIDE - 4), 0.9, track_id=1)
            (result,) = self.recognizer.recognize(frame, [face], self.now_s, self.options)
            self.now_s += 1 / FPS
        return result

    def calibrate(self, seconds=2.0):
        (done,) = self.recognizer.calibrate(1, seconds, self.options)
        return done


def cover_mouth(image):
    covered = image.copy()
    covered[60:, 20:76] = 30
    return covered


def darker(image):
    return (image * 0.45).astype(np.uint8)


def turned(image):
    """The face narrower on one side, as a head that turns by about 20 degrees looks."""
    corners = np.float32([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]])
    moved = np.float32([[0, 0], [SIDE * 0.9, SIDE * 0.06], [SIDE * 0.9, SIDE * 0.94], [0, SIDE]])
    return cv2.warpPerspective(image, cv2.getPerspectiveTransform(corners, moved), (SIDE, SIDE), borderValue=90)


@pytest.mark.guarantee(
    "After a calibration a smile and a surprise of the same person are recognized, and their rest is neutral.",
    section="Emotion classifier node",
)
@pytest.mark.parametrize("person", PEOPLE)
def test_a_calibrated_person_is_read_relative_to_rest(yale, classifier, person):
    stream = Stream(classifier, "on_request")
    stream.show(yale[f"{person}_normal"], 2.4)
    assert stream.calibrate().problem == ""
    labels = {name: stream.show(yale[f"{person}_{name}"], 2).label for name in ("normal", "happy", "surprised")}
    assert labels == {"normal": "neutral", "happy": "happiness", "surprised": "surprise"}


@pytest.mark.guarantee(
    "Three seconds of a covered mouth, a jump of the exposure or a turned head do not change the resting expression.",
    section="Emotion classifier node",
)
@pytest.mark.parametrize("change", [cover_mouth, darker, turned], ids=["occlusion", "exposure jump", "head turn"])
def test_what_disturbs_a_face_for_a_moment_does_not_change_its_rest(yale, classifier, change):
    for person in PEOPLE[:2]:
        stream = Stream(classifier, "auto")
        stream.show(yale[f"{person}_normal"], 60)
        stream.show(yale[f"{person}_normal"], 3, change=change)
        rest = stream.show(yale[f"{person}_normal"], 1.4)
        assert (rest.label, rest.baseline_weight) == ("neutral", 1.0)
        assert stream.show(yale[f"{person}_happy"], 1.4).label == "happiness"


def test_a_person_whose_rest_is_called_sad_becomes_neutral(yale, classifier):
    stream = Stream(classifier, "auto")
    assert stream.show(yale["05_normal"], 2).label == "sadness"
    assert stream.show(yale["05_normal"], 30).label == "neutral"
    assert stream.show(yale["05_happy"], 1.4).label == "happiness"


@pytest.mark.guarantee(
    "The woman of the demonstration, whose rest is called sadness, is neutral after a calibration, and happy later.",
    section="Emotion classifier node",
)
def test_a_calibration_makes_the_rest_of_the_demonstration_neutral(classifier):
    try:
        clip, detector = cv2.VideoCapture(str(resolve_model_file("demo_clip"))), create_detector(DetectorOptions())
    except ModelFileError as e:
        pytest.skip(str(e))
    recognizer, options = EmotionRecognizer(classifier), RecognizerOptions()
    labels = {}
    for number in range(315):
        stamp_s, (_, image) = number / 30, clip.read()
        if number % 3:  # ten images a second
            continue
        faces = [replace(face, track_id=1) for face in detector.detect(image)[:1]]
        labels[number] = [face.label for face in recognizer.recognize(image, faces, stamp_s, options)]
        if number == 90:
            (done,) = recognizer.calibrate(1, 1.5, options)
            assert done.problem == ""
    assert all(labels[number] == ["sadness"] for number in range(30, 91, 3))
    assert all(labels[number] == ["neutral"] for number in range(105, 130, 3))
    assert all(labels[number] == ["happiness"] for number in range(270, 315, 3))


@pytest.mark.guarantee(
    "A calibration is refused while the expression changes.",
    section="Emotion classifier node",
)
def test_a_person_who_changes_the_expression_is_not_calibrated(yale, classifier):
    stream = Stream(classifier, "on_request")
    for name in ("normal", "happy", "normal", "surprised"):
        stream.show(yale[f"03_{name}"], 0.6)
    refused = stream.calibrate()
    assert refused.problem.startswith("the face is not still")
    assert stream.show(yale["03_normal"], 0.2).baseline_weight == 0.0
