# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""From an image to its tracked faces: detect (or follow), select, verify, track, widen. Node and pipeline use it."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.config import DetectionConfig
from emotion_perception.core.detection.factory import FaceDetector, add_margin, passing_faces
from emotion_perception.core.detection.non_face_filter import NonFaceFilter
from emotion_perception.core.tracking.optical_flow_tracker import OpticalFlowTracker
from emotion_perception.core.tracking.tracker import Tracker
from emotion_perception.core.types import Face

_FOLLOWING_PX = 320  # longer side of the image that faces are followed in


class FaceTrackingPipeline:
    """Finds and tracks the faces of one stream.

    Args:
        detector: finds regions.
        verifier: refuses those that show no face; None takes the detector's word.
        tracker: gives the numbers.
    """

    def __init__(self, detector: FaceDetector, verifier: NonFaceFilter | None, tracker: Tracker) -> None:
        self._detector, self._verifier, self._tracker = detector, verifier, tracker
        self._follower = OpticalFlowTracker(_FOLLOWING_PX)
        self._faces: list[Face] = []  # of the last image, without margin
        self._age = 0  # frames since the detector looked
        self._last_stamp_s = -math.inf

    def reset(self) -> None:
        """Forgets tracks and faces; numbers go on."""
        self._tracker.reset()
        self._follower.forget()

    @property
    def refused(self) -> int:
        """Detections so far that the verifier refused."""
        return self._verifier.refused if self._verifier is not None else 0

    def look(self, image_bgr: NDArray[np.uint8], config: DetectionConfig) -> list[Face] | None:
        """Returns what the detector finds, for `find` to go on with; may be called from several threads.

        None where the detector cannot be shared by threads, or does not look at every frame.
        """
        return self._detector.detect(image_bgr) if self._detector.reentrant and config.detection_interval == 1 else None

    def find(
        self,
        image_bgr: NDArray[np.uint8],
        stamp_s: float,
        config: DetectionConfig,
        *,
        seen: Sequence[Face] | None = None,
    ) -> list[Face]:
        """Returns the faces of an image with their numbers, best first, regions inside the image.

        The margin is added last: verifying and tracking see the detector's regions, so changing it moves no track.

        Args:
            image_bgr: uint8 (H, W, 3).
            stamp_s: when it was taken, in seconds; a step back begins new tracks.
            config: the present parameters; only the live ones are read.
            seen: what `look` said of this image.

        Raises:
            ImageError: as of `FaceDetector.detect`.
            ValueError: the stamp is not a finite number.
        """
        faces = self._followed(image_bgr, stamp_s, config)
        if faces is None:
            faces = self._detected(image_bgr, seen, config)
        self._last_stamp_s = stamp_s
        tracked = self._tracker.update(faces, stamp_s, min_iou=config.track_iou, max_missed_s=config.max_missed_s)
        self._faces = tracked
        return add_margin(tracked, config.margin, (image_bgr.shape[1], image_bgr.shape[0]))

    def _followed(self, image_bgr: NDArray[np.uint8], stamp_s: float, config: DetectionConfig) -> list[Face] | None:
        """Returns the faces of the last image where they are now; None where the detector has to look."""
        self._age += 1
        due = self._age >= config.detection_interval or not 0 <= stamp_s - self._last_stamp_s <= config.max_missed_s
        return None if due else self._follower.follow(image_bgr, self._faces)

    def _detected(
        self, image_bgr: NDArray[np.uint8], seen: Sequence[Face] | None, config: DetectionConfig
    ) -> list[Face]:
        found = self._detector.detect(image_bgr) if seen is None else seen
        faces = self._verified(image_bgr, passing_faces(found, config), config)
        self._age = 0
        if config.detection_interval > 1:
            self._follower.remember(image_bgr)
        else:
            self._follower.forget()
        return faces

    def _verified(self, image_bgr: NDArray[np.uint8], faces: list[Face], config: DetectionConfig) -> list[Face]:
        if self._verifier is None:
            return faces[: config.max_faces]
        return self._verifier.verify(image_bgr, faces, threshold=config.non_face_threshold, max_faces=config.max_faces)
