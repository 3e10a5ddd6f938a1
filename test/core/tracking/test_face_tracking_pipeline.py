# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest

from emotion_perception.core.detection.base import Candidates, FaceDetector
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
    options = with_values(TrackerOptions(detection_interval=1), parameters)
    found = tracking.update(IMAGE, stamp_s, detector, options)
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


class Patches(FaceDetector):
    """Finds bright patches; counts the searches of whole images and of regions.

    Attributes:
        whole: number of whole images that were searched.
        regions: number of regions.
        blind: finds nothing in whole images.
    """

    name = "patches"
    thread_safe = True

    def __init__(self):
        super().__init__(DetectorOptions(detection_size=0))
        self.whole = self.regions = 0
        self.blind = False

    def detect(self, image_bgr):
        self.whole += 1
        return [] if self.blind else super().detect(image_bgr)

    def detect_region(self, image_bgr, region, size):
        self.regions += 1
        return super().detect_region(image_bgr, region, size)

    def detect_candidates(self, image_bgr):
        _, _, stats, _ = cv2.connectedComponentsWithStats((image_bgr[..., 0] > 128).astype(np.uint8))
        xywh = stats[1:, :4].astype(np.float64)
        xyxy = np.hstack((xywh[:, :2], xywh[:, :2] + xywh[:, 2:]))
        return Candidates(xyxy, np.full(len(xyxy), 0.9), np.full((len(xyxy), 5, 2), np.nan))


class Stream:
    """Runs a pipeline on images with bright squares, 30 Hz.

    Args:
        interval: `detection_interval`.
        search_s: how long the search of a whole image takes by the clock of the pipeline; None gives it no clock.
        others: further options.
    """

    def __init__(self, interval, *, search_s=None, non_face_filter=None, **others):
        self.detector, self._times_s = Patches(), iter(np.arange(0, 1e6, search_s or 1.0).tolist())
        clock_s = None if search_s is None else lambda: next(self._times_s)
        self.tracking = FaceTrackingPipeline(self.detector, non_face_filter, Tracker(), clock_s=clock_s)
        self._detector_options = with_values(DetectorOptions(min_face_px=1), others)
        self._options = with_values(TrackerOptions(detection_interval=interval), others)

    def show(self, frame, *x_mins, side=20, y_min=50):
        """Returns track id and left edge of each face, from left to right; `frame` counts thirtieths of a second."""
        image = np.full((120, 400, 3), 30, np.uint8)
        for x_min in x_mins:
            image[y_min : y_min + side, x_min : x_min + side] = 230
        faces = self.tracking.update(image, frame / 30, self._detector_options, self._options)
        return sorted(((face.track_id, face.box.x_min) for face in faces), key=lambda pair: pair[1])


@pytest.mark.parametrize("interval", [2, 3, 5])
def test_between_two_searches_faces_are_found_in_regions_under_their_ids(interval):
    stream = Stream(interval)
    found = [stream.show(frame, 60 + 3 * frame, 250 - 2 * frame) for frame in range(2 * interval + 1)]
    for frame, faces in enumerate(found):
        assert [track_id for track_id, _ in faces] == [track_id for track_id, _ in found[0]]
        assert [x for _, x in faces] == pytest.approx([60 + 3 * frame, 250 - 2 * frame], abs=1)
    assert (stream.detector.whole, stream.detector.regions) == (3, 2 * 2 * (interval - 1))


def test_a_fast_face_is_followed():
    stream = Stream(30)
    found = [stream.show(frame, 10 + 9 * frame) for frame in range(30)]  # nearly half its side in each frame
    assert [x for ((_, x),) in found] == pytest.approx([10 + 9 * frame for frame in range(30)], abs=1)
    assert stream.detector.whole == 1


@pytest.mark.guarantee(
    "Between two searches of the whole image, a known face that is not found in its region triggers a search on the "
    "same frame.",
    section="Face detection node",
)
@pytest.mark.parametrize("interval", [0, 30])
def test_a_lost_face_is_searched_in_the_same_frame(interval):
    stream = Stream(interval, search_s=10.0)
    for frame in range(4):
        stream.show(frame, 60)
    whole = stream.detector.whole
    assert [x for _, x in stream.show(4, 300)] == [300]
    assert stream.detector.whole == whole + 1


def test_a_face_that_was_hidden_is_found_in_its_region_when_it_is_back():
    stream = Stream(30)
    assert stream.show(0, 60) == [(1, 60)]
    for frame in range(1, 11):
        assert stream.show(frame) == []
    assert stream.show(11, 62) == [(1, 62)]
    assert stream.detector.whole == 2


def test_a_lost_face_is_not_searched_in_a_region_for_longer_than_a_second():
    stream = Stream(30, max_missed_s=10.0)
    for frame in (0, 1):
        stream.show(frame, *([60] if frame == 0 else []))
    for frame in (10, 20, 30):
        stream.show(frame)
    regions = stream.detector.regions
    stream.show(31)
    assert stream.detector.regions == regions


@pytest.mark.guarantee(
    "With `detection_interval: 0` a face that appears is found within a third of a second of stamp time, however long "
    "a search takes and however many frames are dropped.",
    section="Face detection node",
)
@pytest.mark.parametrize("kept", [range(1000), range(0, 1000, 2), range(0, 1000, 7), range(0, 1000, 30)])
@pytest.mark.parametrize("appears", [40, 47, 53, 65])
def test_with_auto_a_new_face_is_found_within_a_third_of_a_second(kept, appears):
    stream = Stream(0, search_s=5.0, max_missed_s=3.0)
    seen, found = None, None
    for frame in kept:
        faces = stream.show(frame, 60, *([300] if frame >= appears else []), side=12)
        seen = frame if seen is None and frame >= appears else seen
        if len(faces) == 2:
            found = frame
            break
    assert found - seen <= 10


def test_with_auto_a_face_that_changes_the_scene_is_found_before_the_next_regular_search():
    stream = Stream(0, search_s=0.0098)  # every eighth frame, every fifth while the scene changes
    found = [len(stream.show(frame, 60, *([300] if frame >= 31 else []), side=40)) for frame in range(45)]
    assert found.index(2) <= 35
    assert stream.detector.whole < 15


@pytest.mark.parametrize(("frame", "searches"), [(15, 1), (45, 2), (-30, 2)])
def test_after_a_gap_or_a_step_back_the_image_is_searched(frame, searches):
    stream = Stream(30)
    for each in (0, frame):
        stream.show(each, 60)
    assert stream.detector.whole == searches


def test_after_a_reset_the_image_is_searched_and_ids_go_on():
    stream = Stream(30)
    assert stream.show(0, 60) == [(1, 60)]
    stream.tracking.reset()
    assert stream.show(1, 60) == [(2, 60)]
    assert stream.detector.whole == 2


def test_a_face_that_only_its_region_shows_stays():
    stream = Stream(3)
    stream.show(0, 60)
    stream.detector.blind = True
    assert [stream.show(frame, 60) for frame in range(1, 8)] == [[(1, 60)]] * 7
    assert stream.detector.whole == 3


def test_more_faces_than_five_are_searched_in_the_whole_image():
    stream, x_mins = Stream(30), range(10, 370, 60)
    for frame in range(3):
        assert len(stream.show(frame, *x_mins)) == 6
    assert (stream.detector.whole, stream.detector.regions) == (3, 0)


def test_the_non_face_filter_sees_what_regions_show():
    stream = Stream(30, non_face_filter=OnlyTheLeftHalf())
    assert stream.show(0, 60, 90) == [(1, 60), (2, 90)]
    assert [x for _, x in stream.show(1, 60, 104)] == [60]
    assert stream.tracking.rejected >= 1


def test_without_a_clock_the_same_images_have_the_same_faces():
    frames = [(frame, (60 + frame, *([200] if frame % 20 > 7 else []))) for frame in range(60)]
    streams = [Stream(0), Stream(0)]
    first, second = ([stream.show(frame, *x_mins) for frame, x_mins in frames] for stream in streams)
    assert first == second
    assert [stream.detector.whole for stream in streams] == [streams[0].detector.whole] * 2


def test_what_was_detected_beforehand_is_not_detected_again():
    tracking = FaceTrackingPipeline(detector := Patches(), None, Tracker())
    options = TrackerOptions(detection_interval=1)
    image = np.full((120, 400, 3), 30, np.uint8)
    image[50:90, 60:100] = 230
    detections = tracking.detect(image, options)
    found = tracking.update(image, 0.0, DetectorOptions(), options, detections=detections)
    assert [(face.track_id, face.box.x_min) for face in found] == [(1, 60)]
    assert detector.whole == 1


@pytest.mark.parametrize("interval", [0, 2])
def test_nothing_is_detected_beforehand_where_not_every_frame_is_searched(interval, monkeypatch):
    tracking = FaceTrackingPipeline(detector := Patches(), None, Tracker())
    assert tracking.detect(IMAGE, TrackerOptions(detection_interval=interval)) is None
    monkeypatch.setattr(Patches, "thread_safe", False)
    assert tracking.detect(IMAGE, TrackerOptions(detection_interval=1)) is None
    assert detector.whole == 0
