# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recognition of the emotions of tracked faces: crop, classify, smooth, choose a label."""

import math
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification.classifier import EmotionClassifier
from emotion_perception.core.classification.load_shedding import turns
from emotion_perception.core.classification.options import RecognizerOptions
from emotion_perception.core.classification.resting_expression import NEUTRAL, Calibration, RestingExpressions
from emotion_perception.core.classification.resting_head import require_resting_head
from emotion_perception.core.classification.smoothing import EmotionSmoother
from emotion_perception.core.classification.valence_arousal import ValenceArousalTable
from emotion_perception.core.errors import ConfigurationError, RegionError
from emotion_perception.core.images import check_region, largest, square_crop
from emotion_perception.core.types import Face, FaceEmotion

_NOTHING = np.empty(0, np.float32)
_BATCH = 16  # faces that are cropped and classified together: more take more memory and are not faster


class EmotionRecognizer:
    """Recognizes the emotions of the faces of an image in small batches, smoothed over each track.

    Args:
        classifier: classifies the crops.
        smoother: smooths the probabilities; None creates one.
        clock_s: steady time in seconds.

    Attributes:
        classifier: as given.
        regions_rejected: number of faces so far whose region had no pixel in their image.
        outputs_rejected: number of crops so far for which an output of the network was not finite.
    """

    def __init__(
        self,
        classifier: EmotionClassifier,
        smoother: EmotionSmoother | None = None,
        *,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.classifier = classifier
        self.regions_rejected = self.outputs_rejected = 0
        self._smoother = smoother or EmotionSmoother()
        head, labels = classifier.resting_head, classifier.spec.labels
        self._resting = RestingExpressions(head, labels) if head is not None and NEUTRAL in labels else None
        self._valence_arousal = ValenceArousalTable(labels)
        self._clock_s = clock_s

    def recognize(
        self,
        image_bgr: NDArray[np.uint8] | None,
        faces: Sequence[Face],
        stamp_s: float,
        options: RecognizerOptions,
        *,
        max_classified: int | None = None,
        time_limit_s: float = math.inf,
    ) -> list[FaceEmotion]:
        """Returns one `FaceEmotion` for each face that has a pixel in the image, in the order of `faces`.

        If there are more than `options.max_faces`, the smallest ones are left out. If there is no time for all of the
        others, they take turns, see `load_shedding.turns`: one that is not classified in this image has no
        `probabilities`, but the smoothed ones of its track and the age of its newest prediction. So has one for which
        an output of the network is not finite.

        Args:
            image_bgr: uint8 (H, W, 3); may be None if there is no face.
            faces: with their track ids.
            stamp_s: stamp of the image in seconds.
            options: the maximum number of faces, smoothing, hysteresis and the threshold of uncertain predictions.
            max_classified: maximum number of faces that are classified in this image, from 1; None is no limit.
            time_limit_s: no batch of faces is begun after this many seconds, except the first one.
        """
        self._smoother.advance(stamp_s)
        if self._resting is not None:
            self._resting.advance(stamp_s)
        if image_bgr is None:
            return []
        deadline_s = self._clock_s() + time_limit_s
        faces = largest(self._inside(image_bgr, faces), options.max_faces, lambda face: face.box)
        emotions = self._last_emotions(faces, stamp_s, options)
        turn = turns(faces, [emotion.prediction_age_s for emotion in emotions], max_classified)
        for begin in range(0, len(turn), _BATCH):
            if begin and self._clock_s() >= deadline_s:
                break
            batch = turn[begin : begin + _BATCH]
            margin = self.classifier.spec.crop_margin
            crops = [square_crop(image_bgr, faces[index].box, margin) for index in batch]
            rows, projections = self._predict(crops, options)
            for index, row, projection in zip(batch, rows, projections, strict=True):
                if np.isfinite(row).all():
                    emotions[index] = self._recognize(faces[index], row, projection, stamp_s, options)
                else:
                    self.outputs_rejected += 1
        return emotions

    def check(self, options: RecognizerOptions) -> None:
        """Checks that the model can do what the options want.

        Raises:
            ConfigurationError: `baseline` is `auto`, and the model has no statistics of resting faces.
        """
        if options.baseline == "auto":
            require_resting_head(self.classifier.resting_head, self.classifier.model_name)

    def calibrate(self, track_id: int, seconds: float, options: RecognizerOptions) -> list[Calibration]:
        """Takes what faces have shown in the last seconds as their resting expression, see `RestingExpressions`.

        Args:
            track_id: id of a track; 0 takes all present ones.
            seconds: of stamp time up to the newest image.
            options: of the last image.

        Raises:
            ConfigurationError: the model has no statistics of resting faces, or `baseline` is `off`.
        """
        require_resting_head(self.classifier.resting_head, self.classifier.model_name)
        if self._resting is None or options.baseline == "off":
            raise ConfigurationError("the parameter baseline is off")
        return self._resting.calibrate(track_id, seconds)

    def reset(self) -> None:
        """Forgets the smoothed probabilities and the resting expressions of all tracks."""
        self._smoother.reset()
        if self._resting is not None:
            self._resting.reset()

    def _predict(
        self, crops: Sequence[NDArray[np.uint8]], options: RecognizerOptions
    ) -> tuple[NDArray[np.float32], Sequence[NDArray[np.float32] | None]]:
        """Returns the probabilities of crops, and their projections where resting expressions are used."""
        if self._resting is None or options.baseline == "off":
            return self.classifier.classify(crops), [None] * len(crops)
        probabilities, projections = self.classifier.predict(crops)
        return probabilities, list(projections)

    def _inside(self, image_bgr: NDArray[np.uint8], faces: Sequence[Face]) -> list[Face]:
        """Returns the faces that have a pixel in the image, and counts the others."""
        inside = []
        for face in faces:
            try:
                check_region(face.box, (image_bgr.shape[1], image_bgr.shape[0]))
                inside.append(face)
            except RegionError:
                self.regions_rejected += 1
        return inside

    def _last_emotions(self, faces: Sequence[Face], stamp_s: float, options: RecognizerOptions) -> list[FaceEmotion]:
        """Returns the emotion of each face by the earlier predictions of its track."""
        emotions = []
        for face in faces:
            last = self._smoother.last(face.track_id)
            if last is None:
                emotions.append(FaceEmotion.without_prediction(face))
            else:
                predicted_s, smoothed = last
                weight = 0.0 if self._resting is None else self._resting.weight(face.track_id)
                emotions.append(self._emotion(face, _NOTHING, smoothed, stamp_s - predicted_s, options, weight))
        return emotions

    def _recognize(
        self,
        face: Face,
        row: NDArray[np.float32],
        projection: NDArray[np.float32] | None,
        stamp_s: float,
        options: RecognizerOptions,
    ) -> FaceEmotion:
        """Relates the probabilities of a face that was classified to rest, smooths them, and chooses its label."""
        weight, relative = 0.0, row
        if self._resting is not None and projection is not None:
            relative, weight = self._resting.update(
                face.track_id, projection, row, stamp_s, learns=options.baseline == "auto"
            )
        smoothed = self._smoother.update(face.track_id, relative, stamp_s, time_constant_s=options.smoothing_s)
        return self._emotion(face, row, smoothed, 0.0, options, weight)

    def _emotion(
        self,
        face: Face,
        row: NDArray[np.float32],
        smoothed: NDArray[np.float32],
        prediction_age_s: float,
        options: RecognizerOptions,
        baseline_weight: float,
    ) -> FaceEmotion:
        label = self._smoother.choose_label(face.track_id, options.label_hysteresis)
        score = float(smoothed[label])
        return FaceEmotion(
            face=face,
            label=self.classifier.spec.labels[label],
            score=score,
            uncertain=score < options.min_confidence,
            probabilities=row,
            smoothed_probabilities=smoothed,
            prediction_age_s=prediction_age_s,
            baseline_weight=baseline_weight,
            **self._valence_arousal.of(smoothed)._asdict(),
        )
