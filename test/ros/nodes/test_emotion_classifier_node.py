# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math
import threading
import time

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from fake_classifier import BrightnessClassifier
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import Image

from emotion_perception.core.classification.options import ClassifierOptions
from emotion_perception.core.sync import WorkLoad
from emotion_perception.core.types import Box, Face, FrameCounts
from emotion_perception.ros.conversions import EmotionArray, FaceArray, faces_to_msg
from emotion_perception.ros.nodes.emotion_classifier import EmotionClassifierNode

COUNTS = FrameCounts(received=9, processed=5, dropped=3, failed=1)


class Wiring:
    def __init__(self, graph, *, classifier=None, **parameters):
        self.graph = graph
        classifier = classifier or BrightnessClassifier()
        self.node = graph.node(
            EmotionClassifierNode, classifier_factory=lambda options, shared: classifier, parameters=parameters
        )
        self.emotions = graph.listen(EmotionArray, "emotions")
        self.images, self.faces = graph.speak(Image, "image_raw"), graph.speak(FaceArray, "faces")
        graph.wait(lambda: self.node.count_subscribers("emotions"))

    def answers(self, count):
        self.graph.wait(lambda: len(self.emotions) >= count)
        return self.emotions


def faces_at(header, *boxes):
    faces = [Face(Box(*box), 0.9, track_id=number + 1) for number, box in enumerate(boxes)]
    return faces_to_msg(header, faces, detector="fake", detect_ms=3.0, counts=COUNTS)


@pytest.mark.guarantee("Every output carries the header of its source image, bit for bit.", section="Every node")
@pytest.mark.guarantee(
    "Faces keep the detector's order and carry label, score and all probabilities, raw and smoothed.",
    section="Emotion classifier node",
)
def test_every_face_is_answered_in_order_under_the_source_header(graph, make):
    wiring = Wiring(graph)
    wiring.images.publish(make.image(1, value=51))
    wiring.faces.publish(faces_at(make.header(1), (0, 0, 20, 20), (30, 10, 60, 40)))
    (answer,) = wiring.answers(1)
    assert answer.header == make.header(1)
    assert answer.status == EmotionArray.OK
    assert [face.face.track_id for face in answer.faces] == [1, 2]
    assert [face.label for face in answer.faces] == ["sad", "sad"]
    for face in answer.faces:
        assert face.score == pytest.approx(0.8, abs=1e-6)
        assert sum(face.probabilities) == pytest.approx(1, abs=1e-6)
        assert sum(face.smoothed_probabilities) == pytest.approx(1, abs=1e-6)
    assert list(answer.labels) == ["glad", "sad"]


@pytest.mark.guarantee(
    "The message carries its costs, the model, its hash and the device.", section="Emotion classifier node"
)
def test_an_answer_says_what_it_cost_and_what_made_it(graph, make):
    wiring = Wiring(graph)
    now = wiring.node.get_clock().now().to_msg()
    image = make.image()
    image.header.stamp = now
    wiring.images.publish(image)
    wiring.faces.publish(faces_at(image.header, (0, 0, 20, 20)))
    (answer,) = wiring.answers(1)
    assert answer.detect_ms == 3.0
    assert 0 < answer.classify_ms < 1000
    assert answer.classify_ms <= answer.age_ms < 10_000
    assert (answer.frames_received, answer.frames_processed, answer.frames_dropped, answer.frames_failed) == (
        9,
        5,
        3,
        1,
    )
    assert (answer.model, answer.model_sha256, answer.device, answer.fallback) == ("fake", "cd" * 32, "cpu", False)


def test_nobody_there_is_an_empty_answer(graph, make):
    wiring = Wiring(graph)
    wiring.images.publish(make.image(1))
    wiring.faces.publish(faces_at(make.header(1)))
    (answer,) = wiring.answers(1)
    assert (answer.status, list(answer.faces)) == (EmotionArray.OK, [])


@pytest.mark.guarantee(
    "Every FaceArray gets exactly one EmotionArray, in order, also without its image.",
    section="Emotion classifier node",
)
def test_faces_without_their_image_are_answered_too(graph, make):
    wiring = Wiring(graph)
    wiring.images.publish(make.image(1))
    wiring.faces.publish(faces_at(make.header(2), (0, 0, 20, 20)))
    (answer,) = wiring.answers(1)
    assert (answer.status, list(answer.faces), answer.header) == (EmotionArray.NO_IMAGE, [], make.header(2))
    assert wiring.node.status()["no_image"] == 1


def test_faces_that_came_before_their_image_wait_for_it(graph, make):
    wiring = Wiring(graph)
    wiring.faces.publish(faces_at(make.header(2), (0, 0, 20, 20)))
    graph.let_run(0.1)
    wiring.images.publish(make.image(2))
    (answer,) = wiring.answers(1)
    assert (answer.status, len(answer.faces)) == (EmotionArray.OK, 1)


@pytest.mark.guarantee(
    "A region partly outside the image is classified; one outside it or without area is counted.",
    section="Emotion classifier node",
)
def test_a_region_outside_the_image_or_without_area_is_left_out_and_counted(graph, make):
    wiring = Wiring(graph)
    message = faces_at(make.header(1), (0, 0, 20, 20), (500, 500, 520, 520), (5, 5, 25, 25))
    message.faces[2].roi.width = 0
    wiring.images.publish(make.image(1))
    wiring.faces.publish(message)
    (answer,) = wiring.answers(1)
    assert [face.face.track_id for face in answer.faces] == [1]
    assert wiring.node.faults == 1
    assert wiring.node.status()["regions_rejected"] == 1, "the one outside; the one without area is no region"


class DamagedClassifier(BrightnessClassifier):
    """Has no finite output for a crop that is brighter than half."""

    def classify(self, crops):
        rows = super().classify(crops)
        rows[rows[:, 0] > 0.5] = math.nan
        return rows


@pytest.mark.guarantee(
    "A face for which an output of the model is not finite is not classified, and is counted: no NaN is in a label's "
    "score or in a probability.",
    section="Emotion classifier node",
)
def test_a_face_without_a_finite_output_has_no_label_and_is_a_failed_frame(graph, make):
    wiring = Wiring(graph, classifier=DamagedClassifier())
    health = graph.listen(DiagnosticArray, "/diagnostics")
    for number in (1, 2, 3):
        wiring.images.publish(make.image(number, value=204))
        wiring.faces.publish(faces_at(make.header(number), (0, 0, 20, 20)))
        wiring.answers(number)
    for answer in wiring.emotions:
        (face,) = answer.faces
        assert (answer.status, face.label, face.score, face.uncertain) == (EmotionArray.OK, "", 0.0, True)
        assert (len(face.probabilities), len(face.smoothed_probabilities)) == (0, 0)
    assert (wiring.node.faults, wiring.node.status()["outputs_rejected"]) == (3, 3)
    graph.wait(lambda: health and health[-1].status[0].level == DiagnosticStatus.ERROR)
    assert "1 face(s) for which the model's outputs are not finite" in health[-1].status[0].message


@pytest.mark.guarantee(
    "A region partly outside the image is classified; one outside it or without area is counted.",
    section="Emotion classifier node",
)
def test_a_region_partly_outside_is_classified(graph, make):
    wiring = Wiring(graph)
    wiring.images.publish(make.image(1, value=204))
    wiring.faces.publish(faces_at(make.header(1), (50, 30, 90, 70)))
    (answer,) = wiring.answers(1)
    assert answer.faces[0].label == "glad"


@pytest.mark.guarantee("A failure on one frame is counted, and the next frame is processed.", section="Every node")
@pytest.mark.parametrize("fault", ["network", "encoding", "data"])
def test_a_frame_that_fails_is_an_error_and_the_next_is_answered(graph, make, fault):
    wiring = Wiring(graph)
    image = make.image(1, value=255 if fault == "network" else 128)
    if fault == "encoding":
        image.encoding = "dream8"
    if fault == "data":
        image.data = [0]
    wiring.images.publish(image)
    wiring.faces.publish(faces_at(make.header(1), (0, 0, 20, 20)))
    wiring.answers(1)
    wiring.images.publish(make.image(2))
    wiring.faces.publish(faces_at(make.header(2), (0, 0, 20, 20)))
    first, second = wiring.answers(2)
    assert (first.status, len(first.faces)) == (EmotionArray.ERROR, 0)
    assert (second.status, len(second.faces)) == (EmotionArray.OK, 1)
    assert wiring.node.faults == 1


@pytest.mark.parametrize("kind", ["no image", "regions outside"])
def test_frames_without_image_or_with_impossible_regions_alone_are_failed_frames(graph, make, kind):
    wiring = Wiring(graph)
    for number in range(4):
        wiring.images.publish(make.image(number if kind == "regions outside" else number + 50))
        wiring.faces.publish(faces_at(make.header(number), (500, 500, 520, 520)))
        wiring.answers(number + 1)
    entry = wiring.node.diagnostics.entry("", "", {})
    assert entry.level == DiagnosticStatus.ERROR
    assert entry.message.startswith("image_raw: the last ")


@pytest.mark.guarantee(
    "Every FaceArray gets exactly one EmotionArray, in order, also without its image.",
    section="Emotion classifier node",
)
def test_a_slow_classifier_skips_to_the_newest_faces_and_still_answers_all_in_order(graph, make, monkeypatch):
    monkeypatch.setattr(WorkLoad, "keeps_up", lambda load: False)
    gate, begun = threading.Semaphore(0), threading.Semaphore(0)

    class SlowClassifier(BrightnessClassifier):
        def classify(self, crops):
            begun.release()
            assert gate.acquire(timeout=10)
            return super().classify(crops)

    wiring = Wiring(graph, classifier=SlowClassifier())
    for number in range(5):
        wiring.images.publish(make.image(number))
        wiring.faces.publish(faces_at(make.header(number), (0, 0, 20, 20)))
        if number == 0:
            graph.wait(lambda: begun.acquire(blocking=False))
    graph.let_run(0.3)
    gate.release(2)
    answers = wiring.answers(5)
    assert [answer.header for answer in answers] == [make.header(number) for number in range(5)]
    assert [answer.status for answer in answers] == [EmotionArray.OK, *[EmotionArray.SKIPPED] * 3, EmotionArray.OK]
    assert [len(answer.faces) for answer in answers] == [1, 0, 0, 0, 1]
    assert wiring.node.status()["skipped"] == 3


@pytest.mark.guarantee(
    "A FaceArray that has arrived before deactivate is answered before the publisher closes.",
    section="Emotion classifier node",
)
@pytest.mark.parametrize("attempt", range(3))
def test_faces_under_way_at_deactivate_are_answered(graph, make, attempt):
    gate, begun = threading.Event(), threading.Semaphore(0)

    class HangingClassifier(BrightnessClassifier):
        def classify(self, crops):
            begun.release()
            assert gate.wait(timeout=10)
            return super().classify(crops)

    wiring = Wiring(graph, classifier=HangingClassifier())
    for number in range(3):
        wiring.images.publish(make.image(number))
        wiring.faces.publish(faces_at(make.header(number), (0, 0, 20, 20)))
        if number == 0:
            graph.wait(lambda: begun.acquire(blocking=False))
    graph.wait(lambda: wiring.node.status()["received"] == 3)
    wiring.faces.publish(faces_at(make.header(3), (0, 0, 20, 20)))  # its image does not come
    threading.Event().wait(0.2)  # it arrives, and the executor has not taken it when the transition begins
    assert wiring.node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    gate.set()
    messages = wiring.answers(4)
    graph.let_run(0.2)
    assert [message.header for message in messages] == [make.header(number) for number in range(4)]
    assert [message.status for message in messages] == [EmotionArray.SKIPPED] * 3 + [EmotionArray.NO_IMAGE]
    counts = wiring.node.status()
    assert (counts["received"], counts["dropped"], counts["pending"]) == (4, 4, 0)
    assert wiring.node.trigger_activate() == TransitionCallbackReturn.SUCCESS


def test_a_result_that_is_nearly_done_at_deactivate_is_published(graph, make):
    class SlowClassifier(BrightnessClassifier):
        def classify(self, crops):
            threading.Event().wait(0.3)
            return super().classify(crops)

    wiring = Wiring(graph, classifier=SlowClassifier())
    wiring.images.publish(make.image(1))
    wiring.faces.publish(faces_at(make.header(1), (0, 0, 20, 20)))
    graph.wait(lambda: wiring.node.status()["received"] == 1)
    assert wiring.node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    (message,) = wiring.answers(1)
    assert message.status == EmotionArray.OK


@pytest.mark.guarantee(
    "Smoothing has a time constant in stamp time: the curve at 10 Hz is that at 30 Hz.",
    section="Emotion classifier node",
)
def test_scores_are_smoothed_in_stamp_time(graph, make):
    wiring = Wiring(graph, smoothing_s=0.1, label_hysteresis=0.0)
    for number, value in enumerate((0, 204)):
        wiring.images.publish(make.image(number, value=value))
        wiring.faces.publish(faces_at(make.header(number), (0, 0, 20, 20)))
        wiring.answers(number + 1)
    second = wiring.emotions[1].faces[0]
    assert second.probabilities[0] == pytest.approx(0.8, abs=1e-6)
    assert second.smoothed_probabilities[0] == pytest.approx(0.8 * (1 - math.exp(-1)), abs=1e-4)
    assert second.label == "glad"


@pytest.mark.guarantee(
    "A prediction whose score is below the confidence threshold is marked `uncertain`.",
    section="Emotion classifier node",
)
def test_a_low_score_is_uncertain(graph, make):
    wiring = Wiring(graph, min_confidence=0.9)
    wiring.images.publish(make.image(1, value=51))
    wiring.faces.publish(faces_at(make.header(1), (0, 0, 20, 20)))
    (answer,) = wiring.answers(1)
    assert answer.faces[0].uncertain


@pytest.mark.guarantee(
    "Of more faces than `max_faces` the largest are classified, the others are counted.",
    section="Emotion classifier node",
)
def test_of_more_faces_than_max_faces_the_smallest_are_left_out_and_counted(graph, make):
    wiring = Wiring(graph, max_faces=2)
    wiring.images.publish(make.image(1))
    wiring.faces.publish(faces_at(make.header(1), (0, 0, 10, 10), (10, 0, 40, 30), (20, 20, 40, 40)))
    (answer,) = wiring.answers(1)
    assert (answer.status, answer.faces_omitted) == (EmotionArray.OK, 1)
    assert [face.face.track_id for face in answer.faces] == [2, 3]
    assert wiring.node.faults == 1


def test_without_a_time_share_every_face_is_classified_however_long_it_takes(graph, make):
    class SlowClassifier(BrightnessClassifier):
        def classify(self, crops):
            threading.Event().wait(0.02 * len(crops))
            return super().classify(crops)

    wiring = Wiring(graph, classifier=SlowClassifier(), max_load=0.0)
    for number in range(8):
        wiring.images.publish(make.image(number))
        wiring.faces.publish(faces_at(make.header(number), (0, 0, 10, 10), (10, 0, 40, 30)))
        wiring.answers(number + 1)
    ages_s = [face.prediction_age_s for answer in wiring.emotions for face in answer.faces]
    assert ages_s == [0.0] * 16


@pytest.mark.guarantee("Hysteresis keeps a label from flickering.", section="Emotion classifier node")
def test_a_label_is_held_against_a_slight_change(graph, make):
    wiring = Wiring(graph, smoothing_s=0.0, label_hysteresis=0.2)
    for number, value in enumerate((102, 140, 204)):  # glad with 0.4, 0.55, 0.8
        wiring.images.publish(make.image(number, value=value))
        wiring.faces.publish(faces_at(make.header(number), (0, 0, 20, 20)))
        wiring.answers(number + 1)
    assert [answer.faces[0].label for answer in wiring.emotions] == ["sad", "sad", "glad"]
    assert wiring.emotions[1].faces[0].score == pytest.approx(0.45, abs=0.01)


@pytest.mark.guarantee(
    "Smoothing restarts after a gap and after a stamp that jumps back.", section="Emotion classifier node"
)
def test_a_stamp_that_jumps_back_forgets_the_smoothing(graph, make):
    wiring = Wiring(graph, smoothing_s=10.0)
    for number, value in ((600, 0), (1, 204)):
        wiring.images.publish(make.image(number, value=value))
        wiring.faces.publish(faces_at(make.header(number), (0, 0, 20, 20)))
        wiring.answers(len(wiring.emotions) + 1)
    assert wiring.emotions[1].faces[0].smoothed_probabilities[0] == pytest.approx(0.8, abs=1e-6)


@pytest.mark.guarantee(
    "A GPU that fails is replaced by the CPU with a WARN and a flag, and is tried again (tested with a fake GPU).",
    section="Emotion classifier node",
)
def test_a_gpu_that_fails_gives_way_to_the_cpu_with_a_warning_and_comes_back(graph, make):
    classifier = BrightnessClassifier()
    classifier.device = "cuda:0"
    wiring = Wiring(graph, classifier=classifier)
    statuses = graph.listen(DiagnosticArray, "/diagnostics")

    def answer(number):
        wiring.images.publish(make.image(number))
        wiring.faces.publish(faces_at(make.header(number), (0, 0, 20, 20)))
        return wiring.answers(number + 1)[number]

    def shown():
        return next(
            (s for array in reversed(statuses) for s in array.status if s.name == "/emotion_classifier_node: emotions"),
            None,
        )

    healthy = answer(0)
    assert (healthy.device, healthy.fallback) == ("cuda:0", False)
    classifier.device, classifier.fallback, classifier.device_problem = "cpu", True, "cuda:0: out of memory"
    fallen = answer(1)
    assert (fallen.status, fallen.device, fallen.fallback) == (EmotionArray.OK, "cpu", True)
    graph.wait(lambda: shown() and shown().level == DiagnosticStatus.WARN and "out of memory" in shown().message)
    classifier.device, classifier.fallback, classifier.device_problem = "cuda:0", False, ""
    assert answer(2).device == "cuda:0"
    graph.wait(lambda: shown().level == DiagnosticStatus.OK)


class PatientClassifier(BrightnessClassifier):
    """Takes 50 ms for each crop."""

    def classify(self, crops):
        time.sleep(0.05 * len(crops))
        return super().classify(crops)


@pytest.mark.guarantee(
    "More faces than there is time for take turns: all are in every EmotionArray, no frame is skipped for it.",
    section="Emotion classifier node",
)
def test_more_faces_than_there_is_time_for_take_turns(graph, make):
    wiring = Wiring(graph, classifier=PatientClassifier())
    boxes = [(4 * k, 4, 4 * k + 20, 24) for k in range(8)]
    frames, period_s = 24, 0.2  # 8 faces take 0.4 s, and there is time for about 3 of them
    for number in range(frames):
        begun_s = time.monotonic()
        wiring.images.publish(make.image(2 * number))
        wiring.faces.publish(faces_at(make.header(2 * number), *boxes))
        wiring.answers(number + 1)
        graph.let_run(max(0.0, period_s - (time.monotonic() - begun_s)))
    assert [answer.header for answer in wiring.emotions] == [make.header(2 * number) for number in range(frames)]
    assert {answer.status for answer in wiring.emotions} == {EmotionArray.OK}
    assert wiring.node.status()["skipped"] == 0
    settled = wiring.emotions[frames // 2 :]
    classified = [[len(face.probabilities) > 0 for face in answer.faces] for answer in settled]
    assert all(1 <= sum(row) < 8 for row in classified)
    assert all(any(column) for column in zip(*classified, strict=True)), "every face has had its turn"
    for answer in settled:
        assert [face.face.track_id for face in answer.faces] == list(range(1, 9))
        assert answer.faces_omitted == 0
        for face in answer.faces:
            assert face.label == "glad"
            assert sum(face.smoothed_probabilities) == pytest.approx(1, abs=1e-6)
            assert (face.prediction_age_s == 0.0) == (len(face.probabilities) > 0)
            assert face.prediction_age_s < 2.0


@pytest.mark.parametrize(
    ("precision", "model"), [("float32", ClassifierOptions.model), ("int8", f"{ClassifierOptions.model}.int8")]
)
def test_the_form_of_the_network_is_named_in_messages_and_diagnostics(graph, make, precision, model):
    node = graph.node(EmotionClassifierNode, parameters={"precision": precision, "device": "cpu"})
    answers = graph.listen(EmotionArray, "emotions")
    images, faces = graph.speak(Image, "image_raw"), graph.speak(FaceArray, "faces")
    graph.wait(lambda: node.count_subscribers("emotions"))
    images.publish(make.image(1))
    faces.publish(faces_at(make.header(1), (0, 0, 20, 20)))
    graph.wait_for(answers, 1)
    assert (answers[0].status, answers[0].model) == (EmotionArray.OK, model)
    assert (node.status()["precision"], node.status()["precision measured"]) == (precision, "nothing was compared")
