# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options of face detection."""

from dataclasses import dataclass

from emotion_perception.core.options import Options, option

DETECTORS = ("yunet", "centerface", "mtcnn", "haar")


@dataclass(frozen=True, kw_only=True)
class DetectorOptions(Options):
    """Which detector runs, and which of its detections are kept."""

    detector: str = option("yunet", "face detector", choices=DETECTORS)
    detector_model: str = option("", "path of the detector's model file; empty takes the file that set-up fetched")
    detection_size: int = option(
        480,
        "longer side, in pixels, to which images are scaled for the detector; 0 keeps the image's, up to 4096",
        minimum=0,
        maximum=4096,
    )
    score_threshold: float = option(
        0.35, "minimum score of a detection (recommended for Haar: 0.5)", minimum=0.0, maximum=1.0, live=True
    )
    min_face_px: int = option(
        20, "minimum length of a face's shorter side, in pixels of the source image", minimum=1, maximum=4096, live=True
    )
    max_faces: int = option(
        32, "maximum number of faces per frame, best scores first", minimum=1, maximum=1024, live=True
    )
    margin: float = option(
        0.0,
        "share of a region's longer side added on each side of it; the classifier adds its model's own margin",
        minimum=0.0,
        maximum=1.0,
        live=True,
    )
    non_face_filter: str = option(
        "", "model with the labels face and other that rejects false detections: name or path as of model; empty is off"
    )
    non_face_threshold: float = option(
        0.5, "minimum probability of face, by the non-face filter", minimum=0.0, maximum=1.0, live=True
    )
    num_threads: int = option(
        0, "threads of OpenCV and onnxruntime; 0 is half of the usable cores, 1 to 4", minimum=0, maximum=64
    )
