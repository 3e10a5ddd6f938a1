# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""From an image to its tracked faces: detect or move by optical flow, select, filter, track, add the margin."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.detection import DetectorOptions, FaceDetector, NonFaceFilter, add_margin, passing_faces
from emotion_perception.core.tracking.optical_flow_tracker import OpticalFlowTracker
from emotion_perception.core.tracking.options import TrackerOptions
from emotion_perception.core.tracking.tracker import Tracker
from emotion_perception.core.types import Face

_MAX_FILTERED = 4  # times max_faces: so many detections at most are given to the non-face filter
_OPTICAL_FLOW_SIZE = 320  # longer side in pixels of the image in which optical flow is computed


class FaceTrackingPipeline:
    """Detects and tracks the faces of one stream of images.

    Args:
        detector: detects faces.
        non_face_filter: rejects false detections; None keeps all.
        tracker: assigns the track ids.
    """

    def __init__(self, detector: FaceDetector, non_face_filter: NonFaceFilter | None, tracker: Tracker) -> None:
        self._detector, self._filter, self._tracker = detector, non_face_filter, tracker
        self._optical_flow = OpticalFlowTracker(_OPTICAL_FLOW_SIZE)
        self._faces: list[Face] = []  # of the last image, without margin
        self._frames_since_detection = 0
        self._last_stamp_s = -math.inf

    def reset(self) -> None:
        """Forgets all tracks and the last image; track ids are not reused."""
        self._tracker.reset()
        self._optical_flow.reset()

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
        if not self._detector.thread_safe or tracker_options.detection_interval > 1:
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
        faces = self._moved_faces(image_bgr, stamp_s, tracker_options)
        if faces is None:
            faces = self._detected_faces(image_bgr, detections, detector_options, tracker_options)
        self._last_stamp_s = stamp_s
        self._faces = self._tracker.update(
            faces, stamp_s, min_iou=tracker_options.track_iou, max_missed_s=tracker_options.max_missed_s
        )
        return add_margin(self._faces, detector_options.margin, (image_bgr.shape[1], image_bgr.shape[0]))

    def _moved_faces(self, image_bgr: NDArray[np.uint8], stamp_s: float, options: TrackerOptions) -> list[Face] | None:
        """Returns the faces of the last image, moved by optical flow; None if the detector has to run."""
        self._frames_since_detection += 1
        continuous = 0 <= stamp_s - self._last_stamp_s <= options.max_missed_s
        if self._frames_since_detection >= options.detection_interval or not continuous:
            return None
        return self._optical_flow.update(image_bgr, self._faces)

    def _detected_faces(
        self,
        image_bgr: NDArray[np.uint8],
        detections: Sequence[Face] | None,
        detector_options: DetectorOptions,
        tracker_options: TrackerOptions,
    ) -> list[Face]:
        """Returns the detections that pass thresholds and filter, and keeps the image for optical flow."""
        if detections is None:
            detections = self._detector.detect(image_bgr)
        faces = self._filtered(image_bgr, passing_faces(detections, detector_options), detector_options)
        self._frames_since_detection = 0
        if tracker_options.detection_interval > 1:
            self._optical_flow.set_image(image_bgr)
        else:
            self._optical_flow.reset()
        return faces

    def _filtered(self, image_bgr: NDArray[np.uint8], faces: list[Face], options: DetectorOptions) -> list[Face]:
        if self._filter is None:
            return faces[: options.max_faces]
        faces = faces[: _MAX_FILTERED * options.max_faces]
        return self._filter.filter(image_bgr, faces, threshold=options.non_face_threshold, max_faces=options.max_faces)
