# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""All stages from an image to emotions, without ROS: for recordings, benchmarks and comparisons with the nodes."""

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import (
    ClassifierOptions,
    EmotionClassifier,
    EmotionRecognizer,
    RecognizerOptions,
    create_classifier,
)
from emotion_perception.core.detection import DetectorOptions, FaceDetector, NonFaceFilter, create_detector
from emotion_perception.core.options import Options, option_values
from emotion_perception.core.people import CameraModel, PeopleEstimator, PeopleOptions
from emotion_perception.core.tracking import FaceTrackingPipeline, Tracker, TrackerOptions
from emotion_perception.core.types import Face, FaceEmotion

Item = TypeVar("Item")
Detected = TypeVar("Detected")
Tracked = TypeVar("Tracked")
_DETECTION_THREADS = 2
_LOOK_AHEAD = 3  # images whose detection may run while earlier ones are classified


@dataclass(frozen=True, kw_only=True)
class PipelineOptions(Options):
    """Options of all stages of a `Pipeline`.

    Attributes:
        detector: of face detection.
        tracker: of face tracking.
        people: of positions and head poses.
        classifier: of the model and its device.
        recognizer: of smoothing and labels.
    """

    detector: DetectorOptions = field(default_factory=DetectorOptions)
    tracker: TrackerOptions = field(default_factory=TrackerOptions)
    people: PeopleOptions = field(default_factory=PeopleOptions)
    classifier: ClassifierOptions = field(default_factory=ClassifierOptions)
    recognizer: RecognizerOptions = field(default_factory=RecognizerOptions)


def node_parameters(options: PipelineOptions) -> dict[str, dict[str, Any]]:
    """Returns the options of the stages as parameters of the nodes that run them, as reports show them."""
    detection = (options.detector, options.tracker, options.people)
    return {
        "face_detection_node": {name: value for stage in detection for name, value in option_values(stage).items()},
        "emotion_classifier_node": {**option_values(options.classifier), **option_values(options.recognizer)},
    }


def create_non_face_filter(
    options: DetectorOptions,
    *,
    classifier_factory: Callable[[ClassifierOptions], EmotionClassifier] = create_classifier,
) -> NonFaceFilter | None:
    """Opens the model that `options.non_face_filter` names and warms it up, on the CPU.

    Args:
        options: names the model and the number of threads.
        classifier_factory: opens the model.

    Returns:
        The filter, or None if no model is named.

    Raises:
        ModelFileError, ModelBundleError: as of `create_classifier`.
        ConfigurationError: the model has no label `face`.
    """
    if not options.non_face_filter:
        return None
    classifier = classifier_factory(
        ClassifierOptions(model=options.non_face_filter, device="cpu", num_threads=options.num_threads)
    )
    non_face_filter = NonFaceFilter(classifier)
    classifier.warm_up()
    return non_face_filter


class Pipeline:
    """Detector, non-face filter, tracker, head poses, classifier and smoothing in sequence, as the nodes run them.

    Args:
        options: of all stages.
        detector: detects faces; created from the options if None.
        non_face_filter: rejects false detections; created from the options if None.
        recognizer: recognizes emotions; created from the options if None.
        clock_s: as of `FaceTrackingPipeline`, e.g. `time.monotonic`, as the nodes have it.

    Attributes:
        camera: of the images; None if it is not calibrated, and positions are unknown.
        tracking: detection and tracking.
        recognizer: classification and smoothing.

    Raises:
        ConfigurationError, ModelFileError, ModelBundleError: as of `create_detector`, `create_classifier` and
            `EmotionRecognizer.check`.
    """

    def __init__(
        self,
        options: PipelineOptions,
        *,
        detector: FaceDetector | None = None,
        non_face_filter: NonFaceFilter | None = None,
        recognizer: EmotionRecognizer | None = None,
        clock_s: Callable[[], float] | None = None,
    ) -> None:
        self._options = options
        self.camera: CameraModel | None = None
        self._people = PeopleEstimator()
        self.tracking = FaceTrackingPipeline(
            detector or create_detector(options.detector),
            non_face_filter or create_non_face_filter(options.detector),
            Tracker(),
            clock_s=clock_s,
        )
        self.recognizer = recognizer or EmotionRecognizer(create_classifier(options.classifier))
        self.recognizer.check(options.recognizer)

    def process(self, image_bgr: NDArray[np.uint8], stamp_s: float) -> list[FaceEmotion]:
        """Returns the emotion of each face of an image, highest detection score first.

        Args:
            image_bgr: uint8 (H, W, 3).
            stamp_s: stamp of the image in seconds; a stamp that goes backwards resets tracks and smoothing.
        """
        return self.recognize(image_bgr, self.track(image_bgr, stamp_s), stamp_s)

    def detect(self, image_bgr: NDArray[np.uint8]) -> list[Face] | None:
        """Runs only the detector, for images that are processed in parallel; see `FaceTrackingPipeline.detect`."""
        return self.tracking.detect(image_bgr, self._options.tracker)

    def track(
        self, image_bgr: NDArray[np.uint8], stamp_s: float, *, detections: Sequence[Face] | None = None
    ) -> list[Face]:
        """Returns the tracked faces of an image with their head poses: the detection node's half of `process`.

        Args:
            image_bgr: uint8 (H, W, 3).
            stamp_s: stamp of the image in seconds.
            detections: the result of `detect` for this image; None runs the detector here.
        """
        options = self._options
        faces = self.tracking.update(image_bgr, stamp_s, options.detector, options.tracker, detections=detections)
        image_wh, margin = (image_bgr.shape[1], image_bgr.shape[0]), options.detector.margin
        camera = self.camera if self.camera is not None and self.camera.fits(image_wh) else None
        return self._people.update(faces, stamp_s, image_wh, options.people, camera=camera, margin=margin)

    def recognize(
        self,
        image_bgr: NDArray[np.uint8],
        faces: Sequence[Face],
        stamp_s: float,
        *,
        max_classified: int | None = None,
        time_limit_s: float = math.inf,
    ) -> list[FaceEmotion]:
        """Returns the emotions of tracked faces: the classifier node's half of `process`.

        Args:
            image_bgr: uint8 (H, W, 3).
            faces: the result of `track` for this image.
            stamp_s: stamp of the image in seconds.
            max_classified: as of `EmotionRecognizer.recognize`, by default all faces.
            time_limit_s: likewise.
        """
        return self.recognizer.recognize(
            image_bgr,
            faces,
            stamp_s,
            self._options.recognizer,
            max_classified=max_classified,
            time_limit_s=time_limit_s,
        )


def look_ahead(
    items: Iterable[Item],
    detect: Callable[[Item], Detected],
    track: Callable[[Item, "Future[Detected]"], Tracked],
) -> Generator[Tracked, None, None]:
    """Yields the tracked faces of each item in order, while detection runs in other threads for the next ones.

    Args:
        items: the images of one sequence.
        detect: runs the detector on an item, in several threads at once.
        track: tracks the faces of an item, one after the other in the order of the items, in another thread than the
            caller's; takes the future of what `detect` returns or raises.
    """
    with ThreadPoolExecutor(_DETECTION_THREADS, "detect") as detection, ThreadPoolExecutor(1, "track") as tracking:
        pending: deque[Future[Tracked]] = deque()
        for item in items:
            pending.append(tracking.submit(track, item, detection.submit(detect, item)))
            if len(pending) > _LOOK_AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
