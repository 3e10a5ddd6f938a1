# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A replayed recording gives what `core.pipeline` gives of its images."""

import numpy as np
import pytest
from bag_files import write_bag
from real_face import moving_face

from emotion_perception.bags.io.images import image_topic, read_bag_images
from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.pipeline import Pipeline, PipelineOptions
from emotion_perception.core.tracking.options import TrackerOptions
from emotion_perception.ros.conversions import EmotionArray, emotions_from_msg, stamp_ns
from emotion_perception.ros.nodes.bag_player import BagPlayer
from emotion_perception.ros.nodes.emotion_classifier import EmotionClassifierNode
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode

FRAMES, STEP_NS, RATE = 12, 100_000_000, 0.2
START_NS = 1_700_000_000 * NS
TOLERANCE, CLEAR = 1e-3, 2e-3  # of probabilities; the margin from which the first of them has to be the same


@pytest.fixture
def bag(tmp_path):
    """A recording of the synthetic camera: a real face that moves."""
    return write_bag(tmp_path / "bag", moving_face(FRAMES), [START_NS + k * STEP_NS for k in range(FRAMES)])


def expected(bag):
    """Returns what the pipeline finds in each image, by its stamp."""
    pipeline = Pipeline(PipelineOptions(tracker=TrackerOptions(detection_interval=1)))
    with Recording(bag) as recording:
        return {
            image.stamp_ns: pipeline.process(image.to_bgr(), image.stamp_s)
            for image in read_bag_images(recording, image_topic(recording, None))
        }


def margin(probabilities):
    """Returns how much the most probable is above the next."""
    second, first = np.sort(probabilities)[-2:]
    return first - second


def test_the_nodes_find_in_a_replay_what_the_pipeline_finds(graph, bag):
    graph.node(FaceDetectionNode, parameters={"use_sim_time": True, "detection_interval": 1})
    graph.node(EmotionClassifierNode, parameters={"use_sim_time": True})
    answers = graph.listen(EmotionArray, "emotions", 100)
    running = graph.run(BagPlayer, bag=str(bag), rate=RATE, subscribers=2)
    graph.wait(lambda: running.code is not None, "the player does not end")
    graph.wait(lambda: answers and stamp_ns(answers[-1].header) == START_NS + (FRAMES - 1) * STEP_NS)
    processed = {stamp_ns(answer.header): answer for answer in answers if answer.status == EmotionArray.OK}
    wanted = expected(bag)
    assert len(processed) >= FRAMES - 2, "at this rate nearly none is dropped"
    for stamp, answer in processed.items():
        received = emotions_from_msg(answer)
        assert [emotion.face.box for emotion in received] == [emotion.face.box for emotion in wanted[stamp]]
        for got, want in zip(received, wanted[stamp], strict=True):
            np.testing.assert_allclose(got.probabilities, want.probabilities, atol=TOLERANCE)
            assert got.probabilities.argmax() == want.probabilities.argmax() or margin(want.probabilities) <= CLEAR
            assert 0 <= answer.age_ms < 1000 * RATE * 5, "the age is in the recording's time"
    if len(processed) == FRAMES:  # nothing was dropped, so tracks and smoothing have seen the same too
        for stamp, answer in processed.items():
            labels = [emotion.label for emotion in emotions_from_msg(answer)]
            assert labels == [emotion.label for emotion in wanted[stamp]]
    assert sum(len(answer.faces) for answer in processed.values()) >= FRAMES - 2
