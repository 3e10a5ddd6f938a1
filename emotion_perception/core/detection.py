"""Face detection: chooses a detector by name, and the faces that count."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

from emotion_perception.core.config import DetectionConfig
from emotion_perception.core.detectors.base import FaceDetector
from emotion_perception.core.detectors.centerface import CenterFaceDetector
from emotion_perception.core.detectors.haar import HaarDetector
from emotion_perception.core.detectors.mtcnn import MtcnnDetector, MtcnnFiles
from emotion_perception.core.detectors.yunet import YuNetDetector
from emotion_perception.core.model_files import resolve_model_file
from emotion_perception.core.types import Face

__all__ = ["FaceDetector", "create_detector", "select_faces"]


def create_detector(config: DetectionConfig) -> FaceDetector:
    """Makes the detector that the configuration names, and sets OpenCV's threads for the process.

    Raises:
        ConfigurationError: what the detector needs is not installed.
        ModelFileError: its model file is missing, damaged or another network.
    """
    cv2.setNumThreads(config.num_threads)
    return _MAKERS[config.detector](config)


def select_faces(faces: Sequence[Face], config: DetectionConfig) -> list[Face]:
    """Returns the faces that pass the live parameters: sure enough, large enough, at most `max_faces`, best first."""
    passing = (
        face
        for face in faces
        if face.score >= config.score_threshold and min(face.box.width, face.box.height) >= config.min_face_px
    )
    return sorted(passing, key=lambda face: -face.score)[: config.max_faces]


def _centerface(config: DetectionConfig) -> FaceDetector:
    return CenterFaceDetector(config, resolve_model_file("centerface", config.detector_model))


def _yunet(config: DetectionConfig) -> FaceDetector:
    return YuNetDetector(config, resolve_model_file("yunet", config.detector_model))


def _haar(config: DetectionConfig) -> FaceDetector:
    return HaarDetector(config, Path(config.detector_model) if config.detector_model else None)


def _mtcnn(config: DetectionConfig) -> FaceDetector:
    """Takes the three files that set-up fetched, or those in the folder that `detector_model` names."""
    paths = (
        resolve_model_file(
            f"mtcnn_{stage}", config.detector_model and str(Path(config.detector_model, f"mtcnn_{stage}.onnx"))
        )
        for stage in ("pnet", "rnet", "onet")
    )
    return MtcnnDetector(config, MtcnnFiles(*paths))


_MAKERS: dict[str, Callable[[DetectionConfig], FaceDetector]] = {
    "centerface": _centerface,
    "yunet": _yunet,
    "mtcnn": _mtcnn,
    "haar": _haar,
}
