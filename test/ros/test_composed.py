# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The nodes in one process: same results as in processes of their own, and images stay in the process."""

import contextlib
import dataclasses
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from node_processes import COMPOSED, END_S, ROOT, Probe, arguments, run, start
from real_face import moving_face, need_real_face
from sensor_msgs.msg import CompressedImage, Image

from emotion_perception.ros.conversions import (
    CalibrateNeutral,
    EmotionArray,
    FaceArray,
    emotions_from_msg,
    faces_from_msg,
    stamp_ns,
)
from emotion_perception.ros.nodes import composed as composed_program
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.transport.image_messages import image_to_bgr

COUNTS = ("received", "processed", "dropped", "failed")
FRAMES, RATE_HZ = 8, 1.0  # slow enough for two cores that do other work at the same time


@pytest.fixture
def photographs(tmp_path):
    """Images of a real face that moves, and the folder that they lie in."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    photographs = moving_face(FRAMES)
    for number, image_bgr in enumerate(photographs):
        cv2.imwrite(str(folder / f"{number:03}.png"), image_bgr)
    return photographs, folder


@pytest.fixture
def running():
    """Starts processes; ends them as a signal would, and each has to end well."""
    processes = []

    def make(node, *parameters, **options):
        processes.append(start(node, *parameters, **options))
        return processes[-1]

    yield make
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            output, _ = process.communicate(timeout=2 * END_S)  # they end all at once
        finally:
            process.kill()
        assert process.returncode == 0, output
        assert "Traceback" not in output


@pytest.fixture
def probe_of(ros_domain):
    """Returns a function that makes the probe of a process."""
    with contextlib.ExitStack() as stack:
        yield lambda process: stack.enter_context(contextlib.closing(Probe(process)))


def listen(probe, message_type, topic):
    """Returns what comes: stamp in ns -> message; none may come twice."""
    messages = {}

    def remember(message):
        assert stamp_ns(message.header) not in messages
        messages[stamp_ns(message.header)] = message

    probe.node.create_subscription(message_type, topic, remember, RESULTS)
    return messages


def change(probe, node, transition):
    """Sends a node through a transition."""
    client = probe.node.create_client(ChangeState, f"{node}/change_state")
    probe.wait(client.service_is_ready, f"{node} has no life cycle")
    answer = client.call_async(ChangeState.Request(transition=Transition(id=transition)))
    probe.wait(answer.done, f"{node} does not answer")
    assert answer.result().success


def values(faces):
    """Returns faces as tuples, whose comparison by numpy takes NaN for equal to NaN."""
    return [dataclasses.astuple(face) for face in faces]


def counts(probe, node):
    """Returns what a node said last of its frames."""
    return {name: int(probe.value(node, name) or 0) for name in COUNTS}


@pytest.mark.guarantee(
    "Composed nodes publish for every stamp what separate ones publish, and lose no frame.",
    section="All nodes in one process",
)
def test_composed_nodes_say_for_every_stamp_what_separate_ones_say(photographs, running, probe_of):
    photographs, folder = photographs
    source = [f'camera_node:video_device:="{folder}"', f"framerate:={RATE_HZ}", "loop:=false"]
    composed = running(COMPOSED, *source, "image_width:=0", "image_height:=0", "camera_node:autostart:=false")
    running("face_detection_node", remap="__ns:=/apart image_raw:=/image_raw")
    running("emotion_classifier_node", remap="__ns:=/apart image_raw:=/image_raw")
    probe = probe_of(composed)
    faces, emotions, overlays, compressed_overlays = (
        listen(probe, kind, topic)
        for kind, topic in [
            (FaceArray, "faces"),
            (EmotionArray, "emotions"),
            (Image, "image_overlay"),
            (CompressedImage, "image_overlay/compressed"),
        ]
    )
    faces_apart, emotions_apart = listen(probe, FaceArray, "apart/faces"), listen(probe, EmotionArray, "apart/emotions")
    for node in ("face_detection_node", "emotion_classifier_node", "apart/face_detection_node"):
        probe.wait_for_active(node)
    probe.wait_for_active("apart/emotion_classifier_node")
    change(probe, "camera_node", Transition.TRANSITION_CONFIGURE)
    images = listen(probe, Image, "image_raw")
    probe.wait(lambda: probe.node.count_subscribers("image_raw") == 3, "not only those outside listen over DDS")
    probe.wait(lambda: probe.value("camera_node", "subscribers") == "6", "not all have found the camera")
    change(probe, "camera_node", Transition.TRANSITION_ACTIVATE)
    probe.wait(lambda: len(emotions) == len(emotions_apart) == len(images) == FRAMES, "not every image is answered")
    probe.wait(lambda: len(overlays) == len(compressed_overlays) == FRAMES, "not every image is drawn")
    for node in ("face_detection_node", "emotion_classifier_node"):
        probe.wait(lambda node=node: counts(probe, node)["processed"] == FRAMES, "not all are counted")

    for messages in (faces, emotions, overlays, compressed_overlays, faces_apart, emotions_apart):
        assert messages.keys() == images.keys()
    for expected, stamp in zip(photographs, sorted(images), strict=True):
        np.testing.assert_array_equal(image_to_bgr(images[stamp]), expected)
        assert images[stamp].header == faces[stamp].header == emotions[stamp].header == overlays[stamp].header
        np.testing.assert_equal(values(faces_from_msg(faces[stamp])), values(faces_from_msg(faces_apart[stamp])))
        answers, answers_apart = (emotions_from_msg(them[stamp]) for them in (emotions, emotions_apart))
        np.testing.assert_equal(values(it.face for it in answers), values(it.face for it in answers_apart))
        assert [(it.label, it.uncertain) for it in answers] == [(it.label, it.uncertain) for it in answers_apart]
        for ours, theirs in zip(answers, answers_apart, strict=True):
            np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=1e-6)
            np.testing.assert_allclose(ours.smoothed_probabilities, theirs.smoothed_probabilities, atol=1e-6)
    assert sum(len(message.faces) for message in emotions.values()) >= FRAMES - 2
    for node in ("face_detection_node", "emotion_classifier_node"):
        assert counts(probe, node) == {"received": FRAMES, "processed": FRAMES, "dropped": 0, "failed": 0}


@pytest.mark.guarantee(
    "A face that was calibrated at rest is neutral, also where all nodes share a process.",
    section="All nodes in one process",
)
def test_a_real_face_is_neutral_after_its_calibration(running, probe_of, tmp_path):
    photograph = cv2.resize(cv2.imread(str(need_real_face())), (320, 320), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "still.png"), photograph)
    source = [f'camera_node:video_device:="{tmp_path}"', "framerate:=10.0", "image_width:=0", "image_height:=0"]
    probe = probe_of(running(COMPOSED, *source))
    emotions = listen(probe, EmotionArray, "emotions")
    client = probe.node.create_client(CalibrateNeutral, "emotion_classifier_node/calibrate_neutral")
    probe.wait(client.service_is_ready, "the service is not there")

    def newest():
        return emotions[max(emotions)].faces[0]

    def seen_for_two_seconds():
        return emotions and max(emotions) - min(emotions) > 2e9

    probe.wait(seen_for_two_seconds, "no emotions")
    assert (newest().label, newest().baseline_weight) == ("happiness", 0.0), "she smiles"
    answer = client.call_async(CalibrateNeutral.Request(seconds=1.0))
    probe.wait(answer.done, "no response")
    assert answer.result().success, answer.result().message
    probe.wait(lambda: newest().baseline_weight == 1.0, "the calibration has no effect")
    probe.wait(lambda: newest().label == "neutral", "what she has shown is not taken for rest")


@pytest.mark.guarantee(
    "No image leaves the process before another process subscribes.", section="All nodes in one process"
)
def test_no_image_leaves_the_process_before_somebody_outside_listens(running, probe_of):
    moving_face(1)  # skips where there is none
    composed = running(COMPOSED, "camera_node:video_device:=synthetic", "framerate:=20.0")
    probe = probe_of(composed)
    faces = listen(probe, FaceArray, "faces")
    probe.wait(lambda: len(faces) > 10, "no faces")
    assert probe.node.count_publishers("image_raw") == 1
    assert probe.node.count_subscribers("image_raw") == 0
    assert probe.node.count_subscribers("faces") == 1, "the probe alone"
    images = listen(probe, Image, "image_raw")
    probe.wait(lambda: len(images.keys() & faces.keys()) > 10, "no images for those outside")
    first, last = min(images.keys() & faces.keys()), max(images.keys() & faces.keys())
    seen = [stamp for stamp in sorted(faces) if first <= stamp <= last]
    assert set(seen) <= images.keys(), "images go on to those outside with the stamps that the nodes inside see"
    assert probe.node.count_subscribers("image_raw") == 1
    probe.wait(lambda: counts(probe, "face_detection_node")["processed"] > 20, "it does not go on inside")


@pytest.mark.guarantee(
    "Several cameras can share the process; one classifier answers in the namespace of each.",
    section="All nodes in one process",
)
def test_several_cameras_share_the_process(running, probe_of):
    moving_face(1)
    cameras = ["--camera", "front=synthetic", "--camera", "/rear=synthetic"]
    composed = running(COMPOSED, "camera_node:framerate:=4.0", options=cameras, remap="__ns:=/robot")
    probe = probe_of(composed)
    answers = {name: listen(probe, EmotionArray, f"{name}/emotions") for name in ("/robot/front", "/rear")}
    probe.wait(lambda: min(map(len, answers.values())) > 5, "not every camera is answered")
    for name, emotions in answers.items():
        assert all(message.status == EmotionArray.OK for message in emotions.values())
        assert np.diff(sorted(emotions)).min() > 0.15e9, (
            "the parameter of camera_node is for the cameras of all namespaces"
        )
        assert probe.node.count_publishers(f"{name}/image_raw") == 1
        assert probe.node.count_subscribers(f"{name}/image_raw") == 0, "images stay in the process"
        probe.wait_for_active(f"{name}/overlay_node".lstrip("/"))
    assert probe.node.get_node_names().count("emotion_classifier_node") == 1


@pytest.mark.parametrize(
    ("cameras", "complaint"),
    [
        (["--camera", "a b=0"], "argument --camera: 'a b' is not a namespace"),
        (["--camera", "front=0", "--camera", "/front=2"], "a namespace is given twice"),
        (["--camera", "=0"], "argument --camera: '=0' is not NAMESPACE or NAMESPACE=VIDEO_DEVICE"),
        (["--camera", "/=0"], "argument --camera: '/=0' is not NAMESPACE"),
        (["--camera", "/dev/video2"], "argument --camera: '/dev/video2' is not NAMESPACE"),
    ],
)
def test_cameras_that_cannot_be_are_one_line(cameras, complaint, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [COMPOSED, *cameras])
    with pytest.raises(SystemExit) as ended:
        composed_program.main()
    error = capsys.readouterr().err
    assert (ended.value.code, error.count("\n")) == (2, 1)
    assert complaint in error


def test_a_part_that_is_left_out_is_not_there(running, probe_of):
    moving_face(1)
    composed = running(COMPOSED, options=["--no-camera", "--no-overlay"])
    probe = probe_of(composed)
    probe.wait_for_active("emotion_classifier_node")
    assert set(probe.node.get_node_names()) == {"face_detection_node", "emotion_classifier_node", "probe"}
    assert probe.node.count_subscribers("image_raw") == 2, "another camera may come"


# The composed program, in which spinning one node raises once all are active.
FAILING = """
import os, runpy, sys
from emotion_perception.ros.executor import FaultTolerantExecutor
spin_once = FaultTolerantExecutor.spin_once

def fail(self, timeout_sec=None):
    spin_once(self, timeout_sec)
    if self._node.get_name() == os.environ["FAILS"]:
        raise SystemExit("broken")

FaultTolerantExecutor.spin_once = fail
sys.argv = [os.environ["PROGRAM"], *sys.argv[1:]]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.guarantee(
    "A node that fails ends the composed process with exit code 1, so it is restarted, and with a line that names it.",
    section="All nodes in one process",
)
@pytest.mark.parametrize("name", ["camera_node", "emotion_classifier_node", "overlay_node"])
def test_a_node_that_fails_does_not_end_the_others_silently(name, ros_domain):
    need_real_face()
    environment = os.environ | {"FAILS": name, "PROGRAM": str(ROOT / "scripts" / COMPOSED)}
    command = [sys.executable, "-c", FAILING, *arguments('camera_node:video_device:="synthetic"')]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    assert f"{name} failed, so all nodes of its process end: SystemExit: broken" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.guarantee(
    "A node that cannot start ends the composed process with its exit code and a line that names it.",
    section="All nodes in one process",
)
def test_a_node_that_cannot_start_does_not_end_the_others_silently(ros_domain):
    done = run(COMPOSED, 'camera_node:video_device:="synthetic"', "emotion_classifier_node:model:=/no/such.safetensors")
    assert done.returncode == 78, done.stderr
    assert "/no/such.safetensors" in done.stderr
    assert "emotion_classifier_node cannot start, so all nodes of its process end" in done.stderr
