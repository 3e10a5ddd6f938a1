# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads the official folder tree of CK+: sequences of frames from a neutral face to the peak of an expression.

Lucey et al. 2010, "The Extended Cohn-Kanade Dataset (CK+)". Frames are in `cohn-kanade-images/S010/001/*.png`, the
emotion of a sequence's peak in `Emotion/S010/001/*_emotion.txt`, for 327 of 593 sequences.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.classification import LABELS, label_index
from emotion_perception.core.detection import DetectorOptions, FaceDetector, create_detector, select_faces
from emotion_perception.core.errors import ConfigurationError, DatasetError, ImageError
from emotion_perception.core.images import square_crop
from emotion_perception.core.paths import find_below
from emotion_perception.core.printable import printable
from emotion_perception.core.text_files import read_text
from emotion_perception.training.datasets.cache import FileListing, fingerprint, mapped_dataset
from emotion_perception.training.datasets.decode import read_image, scaled, size_wh
from emotion_perception.training.datasets.face_dataset import FaceDataset
from emotion_perception.training.datasets.problems import ProblemLog

IMAGES, _EMOTIONS = "cohn-kanade-images", "Emotion"
_CODES = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
_SIZES: dict[str, int | tuple[int, int]] = {"face": 48, "mask": (640, 480)}  # by crop
_CROPS = tuple(_SIZES)
_NEUTRAL_OF = ("labeled", "all")


@dataclass(frozen=True)
class _Frame:
    path: Path
    label: str
    subject: str


def load_ckplus(
    path: Path,
    *,
    percent: float = 0.0,
    neutral: int = 0,
    neutral_of: str = "labeled",
    contempt: bool = True,
    crop: str = "face",
    margin: float = 0.04,
    strip: float = 0.1,
    size: int | Sequence[int] = 0,
    color: bool = False,
    cache: str = "",
    detector: Callable[[DetectorOptions], FaceDetector] = create_detector,
) -> FaceDataset:
    """Reads the frames that show an expression and, on request, the neutral frames before them; sets `subjects`.

    The frames contain a time stamp from which a network could recognize the sequence: it is not in a face crop, and
    `mask` blackens the strip at the bottom that contains it.

    Args:
        path: the folder that holds `cohn-kanade-images` and `Emotion`.
        percent: percentage of the frames before the peak that are also read, counted back from the peak, 0..100.
        neutral: number of first frames of a sequence that are read as neutral.
        neutral_of: `labeled` sequences or `all` of them.
        contempt: read the sequences of contempt.
        crop: `face`, as detected by this package, or `mask` for the whole frame.
        margin: fraction of the face box's longer side that is added on each side.
        strip: fraction of the height that `mask` blackens.
        size: side, or [width, height], in pixels; 0 takes 48 for `face` and [640, 480] for `mask`.
        color: BGR instead of gray.
        cache: folder of the decoded images, see `cache`.
        detector: creates the detector.

    Raises:
        ConfigurationError: an option is out of range.
        DatasetError: there is no folder `Emotion`, or the cache cannot be written.
        ModelFileError: the detector's file is missing.
    """
    for name, value, known in (("crop", crop, _CROPS), ("neutral_of", neutral_of, _NEUTRAL_OF)):
        if value not in known:
            raise ConfigurationError(f"{name} '{value}' is none of {', '.join(known)}")
    for name, number, most in (("percent", percent, 100), ("margin", margin, 1), ("strip", strip, 1)):
        if not 0 <= number <= most:
            raise ConfigurationError(f"{name} {number} is not within 0..{most}")
    if neutral < 0:
        raise ConfigurationError(f"neutral {neutral} is below 0")
    log = ProblemLog()
    frames, total = _frames(path, percent, neutral, neutral_of == "all", log)
    frames = [frame for frame in frames if contempt or frame.label != "contempt"]
    wh = size_wh(size or _SIZES[crop])
    cut = (crop, margin, asdict(DetectorOptions())) if crop == "face" else (crop, strip)
    problems = log.problems(total)
    key = [fingerprint(frame.path for frame in frames), [frame.label for frame in frames], list(map(str, problems))]

    def listing() -> FileListing:
        reader = _face_reader(detector, margin, color) if crop == "face" else _mask_reader(strip, color)
        names = (*LABELS, "contempt") if contempt else LABELS
        return FileListing(
            names=[printable(frame.path.name) for frame in frames],
            labels=[names.index(frame.label) for frame in frames],
            class_names=names,
            shape=(wh[1], wh[0], 3) if color else (wh[1], wh[0]),
            read=lambda k: scaled(reader(frames[k].path), wh),
            subjects=[frame.subject for frame in frames],
            problems=problems,
        )

    return mapped_dataset(listing, name="ckplus", key=[*key, cut, wh, color], cache=cache, workers=1)


def _frames(path: Path, percent: float, neutral: int, all_neutral: bool, log: ProblemLog) -> tuple[list[_Frame], int]:
    """Returns the frames to read, and the number of sequences."""
    images_folder, emotions = find_below(path, IMAGES), find_below(path, _EMOTIONS)
    if images_folder is None or emotions is None:
        raise DatasetError(f"has {IMAGES} but no {_EMOTIONS}")
    found: list[_Frame] = []
    sequences = sorted(folder for folder in images_folder.glob("[Ss]*/*") if folder.is_dir())
    for folder in sequences:
        name = "/".join(folder.parts[-2:])
        images = sorted(image for image in folder.glob("*.[Pp][Nn][Gg]") if not image.name.startswith("."))
        try:
            label, shown = _expression(emotions / name, images, percent)
        except DatasetError as e:
            log.add("wrong label", printable(f"{name}: {e}"))
            continue
        if label is None:
            log.add("sequence without a label", printable(name), is_fault=False)
        first = images[: min(neutral, len(images) - len(shown))] if label is not None or all_neutral else []
        subject = printable(folder.parent.name)
        found += [_Frame(image, "neutral", subject) for image in first]
        found += [_Frame(image, label, subject) for image in shown if label is not None]
    return found, len(sequences)


def _expression(folder: Path, images: Sequence[Path], percent: float) -> tuple[str | None, Sequence[Path]]:
    """Returns the label of a sequence and the frames that show it, the peak last; None if it has no label."""
    file = next(iter(sorted(folder.glob("*_emotion.txt"))), None)
    if file is None:
        return None, []
    try:
        code = label_index(read_text(file).strip(), _CODES)
    except OSError as e:
        raise DatasetError(f"{file.name}: {e.strerror}") from None
    except ValueError as e:  # of label_index, too
        raise DatasetError(f"{file.name}: {e}") from None
    names = [image.stem for image in images]
    if (stem := file.stem.removesuffix("_emotion")) not in names:
        raise DatasetError(f"no frame {stem}.png")
    peak = names.index(stem)
    return _CODES[code], images[peak - round(peak * percent / 100) : peak + 1]


def _face_reader(
    make: Callable[[DetectorOptions], FaceDetector], margin: float, color: bool
) -> Callable[[Path], NDArray[np.uint8]]:
    config = DetectorOptions()
    detector = make(config)

    def read(path: Path) -> NDArray[np.uint8]:
        frame = read_image(path, color=True)
        faces = select_faces(detector.detect(frame), config)
        if not faces:
            raise ImageError("no face found")
        kept = frame if color else np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
        return square_crop(kept, faces[0].box, margin)

    return read


def _mask_reader(strip: float, color: bool) -> Callable[[Path], NDArray[np.uint8]]:
    def read(path: Path) -> NDArray[np.uint8]:
        frame = read_image(path, color=color)
        frame[len(frame) - round(len(frame) * strip) :] = 0
        return frame

    return read
