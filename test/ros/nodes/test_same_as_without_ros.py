"""The nodes give what `core.pipeline` gives: nothing is lost or bent on the way through messages and DDS."""

import numpy as np
import pytest
from sensor_msgs.msg import Image

from emotion_perception.core.camera import open_source
from emotion_perception.core.checkpoint import shipped_models
from emotion_perception.core.config import CameraConfig, ClassifierConfig, DetectionConfig
from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.model_files import resolve_model_file
from emotion_perception.core.pipeline import Pipeline
from emotion_perception.ros.conversions import EmotionArray, emotions_from_msg, stamp_ns
from emotion_perception.ros.emotion_classifier_node import EmotionClassifierNode
from emotion_perception.ros.face_detection_node import FaceDetectionNode
from emotion_perception.ros.images import bgr_to_image

FRAMES = 12


@pytest.fixture
def pictures():
    """Frames of the synthetic camera: a real face that moves."""
    for name in ("astronaut", "centerface"):
        try:
            resolve_model_file(name)
        except ModelFileError as e:
            pytest.skip(f"a real face and the real detector are needed: {e}")
    assert "compact_vgg" in shipped_models()
    with open_source(CameraConfig(video_device="synthetic", image_width=320, image_height=240)) as source:
        return [source.read().image_bgr for _ in range(FRAMES)]


def test_nodes_and_pipeline_agree_on_every_frame(graph, make, pictures):
    pipeline = Pipeline(DetectionConfig(), ClassifierConfig())
    graph.node(FaceDetectionNode)
    graph.node(EmotionClassifierNode)
    answers = graph.listen(EmotionArray, "emotions")
    images = graph.speak(Image, "image_raw", listeners=2)
    for number, image_bgr in enumerate(pictures):
        images.publish(bgr_to_image(image_bgr, make.header(number)))
        graph.wait_for(answers, number + 1)
        expected = pipeline.process(image_bgr, stamp_ns(make.header(number)) * 1e-9)
        received = emotions_from_msg(answers[number])
        assert [answer.face.box for answer in received] == [answer.face.box for answer in expected]
        assert [answer.face.id for answer in received] == [answer.face.id for answer in expected]
        assert [answer.label for answer in received] == [answer.label for answer in expected]
        for got, wanted in zip(received, expected, strict=True):
            np.testing.assert_allclose(got.probabilities, wanted.probabilities, atol=1e-6)
            np.testing.assert_allclose(got.smoothed_probabilities, wanted.smoothed_probabilities, atol=1e-6)
    assert sum(len(answer.faces) for answer in answers) >= FRAMES - 2
