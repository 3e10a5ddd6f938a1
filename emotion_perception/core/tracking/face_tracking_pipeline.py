# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""From an image to its tracked faces: detect in the image or around known faces, select, filter, track, add margin."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.detection import DetectorOptions, FaceDetector, NonFaceFilter, add_margin, passing_faces
from emotion_perception.core.images import iou
from emotion_perception.core.tracking.detection_schedule import AUTO, DetectionSchedule
from emotion_perception.core.tracking.face_regions import detect_in_regions
from emotion_perception.core.tracking.options import TrackerOptions
from emotion_perception.core.tracking.scene_change import SceneChange
from emotion_perception.core.tracking.tracker import ExpectedFace, Tracker
from emotion_perception.core.types import Face

_MAX_FILTERED = 4  # times max_faces: so many detections at most are given to the non-face filter
_MAX_REGIONS = 5  # more take as long as the whole image at the default size
_LOST_S = 1.0  # so long a lost face is searched around where it should be
_SAME = 0.3  # overlap of two boxes that show one face


class FaceTrackingPipeline:
    """Detects and tracks the faces of one stream of images.

    Args:
        detector: detects faces.
        non_face_filter: rejects false detections; None keeps all.
        tracker: assigns the track ids.
        clock_s: steady time in seconds, for a detection interval that follows from measured times; without it the
            same images have the same faces on every machine.
    """

    def __init__(
        self,
        detector: FaceDetector,
        non_face_filter: NonFaceFilter | None,
        tracker: Tracker,
        *,
        clock_s: Callable[[], float] | None = None,
    ) -> None:
        self._detector, self._filter, self._tracker = detector, non_face_filter, tracker
        self._clock_s = clock_s
        self._schedule, self._scene = DetectionSchedule(), SceneChange()

    def reset(self) -> None:
        """Forgets all tracks and the last image; track ids are not reused."""
        self._tracker.reset()
        self._schedule.reset()
        self._scene.reset()

    @property
    def interval(self) -> float:
        """Mean number of frames from one search of the whole image to the next, of the last 15."""
        return self._schedule.interval

    @property
    def rejected(self) -> int:
        """Number of detections that the non-face filter rejected so far."""
        return self._filter.rejected if self._filter is not None else 0

    def detect(self, image_bgr: NDArray[np.uint8], tracker_options: TrackerOptions) -> list[Face] | None:
        """Runs only the detector; may be called from several threads.

        Args:
            image_bgr: uint8 (H, W, 3).
            tracker_options: only `detection_interval` is read.

        Returns:
            The detections, for `update`; None if the detector is not thread-safe or does not run on every frame.
        """
        if not self._detector.thread_safe or tracker_options.detection_interval != 1:
            return None
        return self._detector.detect(image_bgr)

    def update(
        self,
        image_bgr: NDArray[np.uint8],
        stamp_s: float,
        detector_options: DetectorOptions,
        tracker_options: TrackerOptions,
        *,
        detections: Sequence[Face] | None = None,
    ) -> list[Face]:
        """Returns the faces of the next image with their track ids, best first, regions inside the image.

        The margin is added last: filter and tracker get the detector's regions, so that a changed margin does not
        break tracks.

        Args:
            image_bgr: uint8 (H, W, 3).
            stamp_s: stamp of the image in seconds; a stamp that goes backwards starts new tracks.
            detector_options: the current values; only the live ones are read.
            tracker_options: the current values.
            detections: the result of `detect` for this image; None runs the detector here where it is due.

        Raises:
            ImageError: as of `FaceDetector.detect`.
            ValueError: the stamp is not a finite number.
        """
        interval = tracker_options.detection_interval
        expected = self._tracker.advance(stamp_s, tracker_options.max_missed_s)
        known = [face.xyxy for face in expected if face.in_last_frame]
        changed = interval == AUTO and self._scene.changed(image_bgr, known)
        faces = None
        if not self._schedule.due(stamp_s, interval, tracker_options.max_missed_s, changed=changed):
            faces = self._in_regions(image_bgr, expected, stamp_s, detector_options, tracker_options)
        if faces is None:
            faces = self._in_image(image_bgr, expected, stamp_s, detections, detector_options, tracker_options)
        tracked = self._tracker.update(
            faces, stamp_s, min_iou=tracker_options.track_iou, max_missed_s=tracker_options.max_missed_s
        )
        return add_margin(tracked, detector_options.margin, (image_bgr.shape[1], image_bgr.shape[0]))

    def _in_regions(
        self,
        image_bgr: NDArray[np.uint8],
        expected: Sequence[ExpectedFace],
        stamp_s: float,
        detector_options: DetectorOptions,
        tracker_options: TrackerOptions,
    ) -> list[Face] | None:
        """Returns the known faces, and those lost lately that are back; None if a known one is not found."""
        known = [face for face in expected if face.in_last_frame]
        lost = [face for face in expected if not face.in_last_frame and stamp_s - face.seen_s <= _LOST_S]
        if len(known) > _MAX_REGIONS:
            return None
        regions = [*known, *lost][:_MAX_REGIONS]
        faces = self._around(image_bgr, regions, detector_options, tracker_options)
        return list(faces.values()) if all(face.track_id in faces for face in known) else None

    def _in_image(
        self,
        image_bgr: NDArray[np.uint8],
        expected: Sequence[ExpectedFace],
        stamp_s: float,
        detections: Sequence[Face] | None,
        detector_options: DetectorOptions,
        tracker_options: TrackerOptions,
    ) -> list[Face]:
        """Returns the detections in the whole image that pass thresholds and filter.

        With a detection interval, known faces that are too small for the whole image are searched around, too.
        """
        duration_s = None
        if detections is None and self._clock_s is not None:
            begun_s = self._clock_s()
            detections = self._detector.detect(image_bgr)
            duration_s = self._clock_s() - begun_s
        elif detections is None:
            detections = self._detector.detect(image_bgr)
        self._schedule.searched(stamp_s, duration_s)
        faces = self._filtered(image_bgr, passing_faces(detections, detector_options), detector_options)
        if tracker_options.detection_interval == 1:
            return faces
        if tracker_options.detection_interval == AUTO:
            self._scene.set_reference([np.array(face.box.xyxy, np.float64) for face in faces])
        found = self._tracker.matched(faces, tracker_options.track_iou).values()
        missing = [face for face in expected if face.in_last_frame and face.track_id not in found]
        around = self._around(image_bgr, missing[:_MAX_REGIONS], detector_options, tracker_options)
        more = [face for face in around.values() if all(iou(face.box, other.box) < _SAME for other in faces)]
        return sorted([*faces, *more], key=lambda face: -face.score)[: detector_options.max_faces]

    def _around(
        self,
        image_bgr: NDArray[np.uint8],
        expected: Sequence[ExpectedFace],
        detector_options: DetectorOptions,
        tracker_options: TrackerOptions,
    ) -> dict[int, Face]:
        """Returns the faces that are found around expected ones, by the track that they match."""
        if not expected:
            return {}
        found = detect_in_regions(self._detector, image_bgr, [face.xyxy for face in expected])
        faces = self._filtered(image_bgr, passing_faces(found, detector_options), detector_options)
        matched = self._tracker.matched(faces, tracker_options.track_iou)
        return {track_id: faces[index] for index, track_id in sorted(matched.items())}

    def _filtered(self, image_bgr: NDArray[np.uint8], faces: list[Face], options: DetectorOptions) -> list[Face]:
        if self._filter is None:
            return faces[: options.max_faces]
        faces = faces[: _MAX_FILTERED * options.max_faces]
        return self._filter.filter(image_bgr, faces, threshold=options.non_face_threshold, max_faces=options.max_faces)
