# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The nodes give what `core.pipeline` gives: nothing is lost or bent on the way through messages and DDS."""

import numpy as np
import pytest
from real_face import moving_face
from sensor_msgs.msg import Image

from emotion_perception.core.classification.model_bundle import shipped_models
from emotion_perception.core.pipeline import Pipeline, PipelineOptions
from emotion_perception.core.tracking.options import TrackerOptions
from emotion_perception.ros.conversions import EmotionArray, emotions_from_msg, stamp_ns
from emotion_perception.ros.nodes.emotion_classifier import EmotionClassifierNode
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode
from emotion_perception.ros.transport.image_messages import bgr_to_image

FRAMES = 12


@pytest.fixture
def pictures():
    """Frames of the synthetic camera: a real face that moves."""
    assert "compact_vgg" in shipped_models()
    return moving_face(FRAMES)


def test_nodes_and_pipeline_agree_on_every_frame(graph, make, pictures):
    pipeline = Pipeline(PipelineOptions(tracker=TrackerOptions(detection_interval=1)))
    graph.node(FaceDetectionNode, parameters={"detection_interval": 1})
    graph.node(EmotionClassifierNode)
    answers = graph.listen(EmotionArray, "emotions")
    images = graph.speak(Image, "image_raw", listeners=2)
    for number, image_bgr in enumerate(pictures):
        images.publish(bgr_to_image(image_bgr, make.header(number)))
        graph.wait_for(answers, number + 1)
        expected = pipeline.process(image_bgr, stamp_ns(make.header(number)) * 1e-9)
        received = emotions_from_msg(answers[number])
        assert [answer.face.box for answer in received] == [answer.face.box for answer in expected]
        assert [answer.face.track_id for answer in received] == [answer.face.track_id for answer in expected]
        assert [answer.label for answer in received] == [answer.label for answer in expected]
        for got, wanted in zip(received, expected, strict=True):
            np.testing.assert_allclose(got.probabilities, wanted.probabilities, atol=1e-6)
            np.testing.assert_allclose(got.smoothed_probabilities, wanted.smoothed_probabilities, atol=1e-6)
    assert sum(len(answer.faces) for answer in answers) >= FRAMES - 2
