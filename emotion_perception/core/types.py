# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The values that the stages exchange: frozen, and checked when they are created."""

import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels; x_min and y_min are included, x_max and y_max excluded.

    Raises:
        ValueError: x_max is not greater than x_min, or y_max not greater than y_min.
    """

    x_min: int
    y_min: int
    x_max: int
    y_max: int

    def __post_init__(self) -> None:
        if self.x_max <= self.x_min:
            raise ValueError(f"x_max {self.x_max} is not right of x_min {self.x_min}")
        if self.y_max <= self.y_min:
            raise ValueError(f"y_max {self.y_max} is not below y_min {self.y_min}")

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.x_max - self.x_min

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.y_max - self.y_min

    @property
    def area(self) -> int:
        """Area in pixels."""
        return self.width * self.height

    @property
    def xyxy(self) -> tuple[int, int, int, int]:
        """x_min, y_min, x_max, y_max in pixels."""
        return self.x_min, self.y_min, self.x_max, self.y_max

    @property
    def center_xy(self) -> tuple[float, float]:
        """Center of the rectangle in pixels."""
        return (self.x_min + self.x_max) / 2, (self.y_min + self.y_max) / 2


class Point(NamedTuple):
    """A position in pixels of the source image; NaN where unknown."""

    x: float
    y: float

    @property
    def known(self) -> bool:
        """Whether the position is known."""
        return not (math.isnan(self.x) or math.isnan(self.y))


UNKNOWN = Point(math.nan, math.nan)


@dataclass(frozen=True)
class Landmarks:
    """Five points of a face in the order of the messages; left and right are the person's own."""

    right_eye: Point = UNKNOWN
    left_eye: Point = UNKNOWN
    nose: Point = UNKNOWN
    right_mouth: Point = UNKNOWN
    left_mouth: Point = UNKNOWN

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter((self.right_eye, self.left_eye, self.nose, self.right_mouth, self.left_mouth))


class HeadPose(NamedTuple):
    """Rotation of a head relative to the camera's optical frame, in radians; NaN where unknown.

    Axes and signs are those of `Face.msg`: all three are 0 where the face points straight back along the optical axis.
    """

    yaw: float = math.nan
    pitch: float = math.nan
    roll: float = math.nan

    @property
    def known(self) -> bool:
        """Whether all angles are known."""
        return not any(map(math.isnan, self))

    def rotation(self) -> NDArray[np.float64]:
        """Returns Ry(yaw) * Rx(pitch) * Rz(roll), float64 (3, 3).

        The columns are the axes of the head in the camera's optical frame: to the person's own left, down, and into the
        head; the face points against the last one.
        """
        (sy, cy), (sp, cp), (sr, cr) = ((math.sin(angle), math.cos(angle)) for angle in self)
        return np.array(
            [
                [cy * cr + sy * sp * sr, -cy * sr + sy * sp * cr, sy * cp],
                [cp * sr, cp * cr, -sp],
                [-sy * cr + cy * sp * sr, sy * sr + cy * sp * cr, cy * cp],
            ]
        )


class Facing(IntEnum):
    """Whether a face is turned to the camera: the values of `Face.facing_camera`."""

    UNKNOWN = 0
    NO = 1
    YES = 2


class PositionSource(IntEnum):
    """What a position was computed from: the values of `Face.position_source`."""

    UNKNOWN = 0
    DEPTH = 1
    FACE_SIZE = 2
    INTEROCULAR_DISTANCE = 3


class Position(NamedTuple):
    """Position of a face in the camera's optical frame (x right, y down, z forward), in meters; NaN where unknown.

    Attributes:
        x: to the right of the optical axis.
        y: below the optical axis.
        z: along the optical axis.
        covariance: row-major (x, y, z), in square meters; NaN where unknown.
        source: what the position was computed from.
    """

    x: float = math.nan
    y: float = math.nan
    z: float = math.nan
    covariance: tuple[float, ...] = (math.nan,) * 9
    source: PositionSource = PositionSource.UNKNOWN

    @property
    def known(self) -> bool:
        """Whether the position is known: it has a source, and x, y and z are finite numbers."""
        return self.source is not PositionSource.UNKNOWN and all(map(math.isfinite, self[:3]))


UNKNOWN_HEAD_POSE = HeadPose()
UNKNOWN_POSITION = Position()


@dataclass(frozen=True)
class Face:
    """One face in one image.

    Attributes:
        box: region in pixels of the source image.
        score: the detector's confidence, 0..1.
        landmarks: five points, unknown ones NaN.
        track_id: id of the track that the face belongs to, from 1; 0 before tracking.
        head_pose: rotation of the head.
        facing_camera: whether the face is turned to the camera.
        position: where the face is, in the camera's optical frame.

    Raises:
        ValueError: the score is not within 0..1, the track id is negative, an angle is infinite, or the covariance has
            not nine entries.
    """

    box: Box
    score: float
    landmarks: Landmarks = field(default_factory=Landmarks)
    track_id: int = 0
    head_pose: HeadPose = UNKNOWN_HEAD_POSE
    facing_camera: Facing = Facing.UNKNOWN
    position: Position = UNKNOWN_POSITION

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError(f"score {self.score} is not within 0..1")
        if self.track_id < 0:
            raise ValueError(f"track_id {self.track_id} is negative")
        if any(map(math.isinf, self.head_pose)):
            raise ValueError(f"head pose {tuple(self.head_pose)} has an infinite angle")
        if len(self.position.covariance) != 9:
            raise ValueError(f"covariance of the position has {len(self.position.covariance)} entries, not 9")


@dataclass(frozen=True, eq=False)
class FaceEmotion:
    """The emotion that one face expresses.

    Attributes:
        face: the face.
        label: label with the highest smoothed probability; empty where there is no prediction yet.
        score: that probability, calibrated, 0..1.
        uncertain: True where the score is below the node's `min_confidence`.
        probabilities: float32 (L), calibrated, of this frame alone, sum 1; (0) where the face was not classified in
            this frame.
        smoothed_probabilities: float32 (L), sum 1; (0) where there is no prediction yet.
        prediction_age_s: age of the newest prediction relative to this frame, in seconds: 0 where the face was
            classified in this frame, NaN where there is no prediction yet.
        baseline_weight: how much the resting expression is taken into account, 0..1.
        valence: -1..1, derived from the smoothed probabilities; NaN where not computed.
        arousal: as `valence`.
        valence_std: standard deviation of `valence`.
        arousal_std: standard deviation of `arousal`.

    Raises:
        ValueError: `prediction_age_s` or an attribute after it is out of range.
    """

    face: Face
    label: str
    score: float
    uncertain: bool
    probabilities: NDArray[np.float32]
    smoothed_probabilities: NDArray[np.float32]
    prediction_age_s: float = 0.0
    baseline_weight: float = 0.0
    valence: float = math.nan
    arousal: float = math.nan
    valence_std: float = math.nan
    arousal_std: float = math.nan

    @property
    def classified(self) -> bool:
        """Whether the face was classified in this frame, so that the prediction is not an earlier one."""
        return len(self.probabilities) > 0

    @classmethod
    def without_prediction(cls, face: Face) -> "FaceEmotion":
        """Returns the emotion of a face for which there is no prediction yet."""
        nothing = np.empty(0, np.float32)
        return cls(face, "", 0.0, True, nothing, nothing, prediction_age_s=math.nan)

    def __post_init__(self) -> None:
        if not 0 <= self.baseline_weight <= 1:
            raise ValueError(f"baseline_weight {self.baseline_weight} is not within 0..1")
        if self.prediction_age_s < 0:
            raise ValueError(f"prediction_age_s {self.prediction_age_s} is negative")
        if abs(self.valence) > 1 or abs(self.arousal) > 1:
            raise ValueError(f"valence {self.valence} or arousal {self.arousal} is not within -1..1")
        if self.valence_std < 0 or self.arousal_std < 0:
            raise ValueError(f"valence_std {self.valence_std} or arousal_std {self.arousal_std} is negative")


@dataclass(frozen=True, eq=False)
class Frame:
    """One image of a camera.

    Attributes:
        image_bgr: uint8 (H, W, 3).
        grabbed_s: `time.monotonic()` when it was read from the device.
        interval_s: time since the frame before by the time stamps of a file; 0 if it has none or is not to be used.
    """

    image_bgr: NDArray[np.uint8]
    grabbed_s: float
    interval_s: float = 0.0


class Status(IntEnum):
    """What happened to the image of an `EmotionArray`: the values of its field `status`.

    Attributes:
        OK: its faces were classified.
        NO_IMAGE: the image of the faces never reached the classifier.
        ERROR: the image could not be converted, or the model failed.
        SKIPPED: a newer image arrived before the classifier was free.
    """

    OK = 0
    NO_IMAGE = 1
    ERROR = 2
    SKIPPED = 3


@dataclass(frozen=True)
class ModelInfo:
    """The model that made predictions, as an `EmotionArray` names it.

    Attributes:
        labels: label of each probability.
        model: its name.
        model_sha256: SHA-256 of its weights, 64 hexadecimal digits.
        device: where it ran: `cpu` or `cuda:N`.
        fallback: True if a GPU was requested and the CPU was used instead.
    """

    labels: tuple[str, ...]
    model: str
    model_sha256: str
    device: str
    fallback: bool = False


@dataclass(frozen=True)
class FrameCounts:
    """Counts of the frames that a node received: received = processed + dropped + failed + pending."""

    received: int = 0
    processed: int = 0
    dropped: int = 0
    failed: int = 0

    @property
    def pending(self) -> int:
        """Frames that wait or are being processed."""
        return self.received - self.processed - self.dropped - self.failed
