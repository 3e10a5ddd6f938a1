# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Creates detectors by name, and selects the detections that are kept."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.detection.base import FaceDetector
from emotion_perception.core.detection.centerface import CenterFaceDetector
from emotion_perception.core.detection.haar import HaarDetector
from emotion_perception.core.detection.mtcnn import MtcnnDetector, MtcnnFiles
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.detection.yunet import YuNetDetector
from emotion_perception.core.images import clip_box
from emotion_perception.core.inference import thread_count
from emotion_perception.core.paths import local_path
from emotion_perception.core.types import Face


def create_detector(options: DetectorOptions) -> FaceDetector:
    """Creates the detector that `options.detector` names and sets OpenCV's threads for the process.

    Raises:
        ConfigurationError: a library that the detector needs is not installed, or `detector_model` is not a path.
        ModelFileError: its model file is missing, damaged or another network.
    """
    cv2.setNumThreads(thread_count(options.num_threads))
    return _FACTORIES[options.detector](options)


def select_faces(faces: Sequence[Face], options: DetectorOptions) -> list[Face]:
    """Returns the faces that pass the thresholds, at most `max_faces`, best score first."""
    return passing_faces(faces, options)[: options.max_faces]


def passing_faces(faces: Sequence[Face], options: DetectorOptions) -> list[Face]:
    """Returns all faces that pass `score_threshold` and `min_face_px`, best score first."""
    passing = (
        face
        for face in faces
        if face.score >= options.score_threshold and min(face.box.width, face.box.height) >= options.min_face_px
    )
    return sorted(passing, key=lambda face: -face.score)


def add_margin(faces: Sequence[Face], margin: float, image_wh: tuple[int, int]) -> list[Face]:
    """Returns the faces with larger regions, clipped to the image; those outside the image are dropped.

    Args:
        faces: regions in pixels of the image.
        margin: share of a region's longer side that is added on each side, from 0.
        image_wh: width and height of the image in pixels.
    """
    widened = []
    for face in faces:
        box, more = face.box, margin * max(face.box.width, face.box.height)
        xyxy = box.x_min - more, box.y_min - more, box.x_max + more, box.y_max + more
        if (clipped := clip_box(xyxy, image_wh)) is not None:
            widened.append(replace(face, box=clipped))
    return widened


def _centerface(options: DetectorOptions) -> FaceDetector:
    return CenterFaceDetector(options, resolve_model_file("centerface", options.detector_model))


def _yunet(options: DetectorOptions) -> FaceDetector:
    return YuNetDetector(options, resolve_model_file("yunet", options.detector_model))


def _haar(options: DetectorOptions) -> FaceDetector:
    return HaarDetector(options, local_path(options.detector_model) if options.detector_model else None)


def _mtcnn(options: DetectorOptions) -> FaceDetector:
    """Opens the three files that set-up fetched, or those in the folder that `detector_model` names."""
    names = ("mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet")
    folder = local_path(options.detector_model) if options.detector_model else None
    paths = (resolve_model_file(name, "" if folder is None else str(folder / f"{name}.onnx")) for name in names)
    return MtcnnDetector(options, MtcnnFiles(*paths))


_FACTORIES: dict[str, Callable[[DetectorOptions], FaceDetector]] = {
    "centerface": _centerface,
    "yunet": _yunet,
    "mtcnn": _mtcnn,
    "haar": _haar,
}
