# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Node processes that are ended or asked for a transition at an awkward moment."""

import contextlib
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from node_processes import COMPOSED, END_S, NODES, START_S, Probe, arguments, installed, needs_detector
from ros_graph import header
from sensor_msgs.msg import Image

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.errors import ModelFileError
from emotion_perception.ros.transport.image_messages import bgr_to_image

pytestmark = pytest.mark.slow

NO_TRANSITION, REPEAT_S = 255, 2.0
SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])

# A detection node whose configure never returns: in Python code, or in C code that holds no lock of Python's.
HANGING = """
import ctypes, sys, time
from functools import partial
from emotion_perception.ros.node_runner import run_node
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode

def hang(options):
    print("configuring", flush=True)
    time.sleep(600) if sys.argv[1] == "python" else ctypes.CDLL(None).sleep(600)

sys.exit(run_node(partial(FaceDetectionNode, detector_factory=hang)))
"""


def start(program, *parameters):
    """Starts an installed program."""
    return spawn([installed(program), *arguments(*parameters)])


def spawn(command):
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")


def end(process, number):
    """Ends a process by a signal; returns its exit code and output."""
    try:
        process.send_signal(number)
        output, _ = process.communicate(timeout=END_S)
    finally:
        process.kill()
        process.wait()
    return process.returncode, output


@pytest.mark.guarantee(
    "SIGINT and SIGTERM end a node cleanly within two seconds also while it is working on a frame.",
    section="Every node",
)
@pytest.mark.parametrize("attempt", range(3))
@SIGNALS
def test_a_signal_while_a_frame_is_worked_on_is_a_clean_end(number, attempt):
    try:
        resolve_model_file("mtcnn_pnet")
    except ModelFileError as e:
        pytest.skip(f"a detector of many short network runs is needed: {e}")
    noise = cv2.resize(np.random.default_rng(0).integers(0, 255, (512, 512, 3), np.uint8), (2048, 2048))
    process = start("face_detection_node", "detector:=mtcnn", "detection_size:=2048")
    try:
        with contextlib.closing(Probe(process)) as probe:
            probe.wait_for_active("face_detection_node")
            publisher = probe.node.create_publisher(Image, "image_raw", 1)
            probe.wait(publisher.get_subscription_count, "nobody subscribes")
            for frame in range(2):  # the second one is pending: there is work for seconds
                publisher.publish(bgr_to_image(noise, header(frame)))
                probe.wait(lambda n=frame: int(probe.value("face_detection_node", "received")) > n, "no image")
            assert probe.value("face_detection_node", "pending") != "0"
        code, output = end(process, number)
    finally:
        process.kill()
    assert code == 0, output
    assert "terminate called" not in output
    assert "Traceback" not in output


@pytest.mark.guarantee(
    "SIGINT and SIGTERM end a node within two seconds also while configure hangs.", section="Every node"
)
@pytest.mark.parametrize("where", ["python", "c"])
@SIGNALS
def test_a_signal_during_a_configure_that_never_returns_ends_the_process(number, where):
    process = spawn([sys.executable, "-c", HANGING, where])
    try:
        assert "configuring" in process.stdout.readline()
        code, output = end(process, number)
    finally:
        process.kill()
    assert code == 0, output
    assert "Traceback" not in output


@SIGNALS
@pytest.mark.parametrize("program", ["emotion_classifier_node", COMPOSED])
def test_a_signal_at_any_moment_of_the_start_ends_the_process(program, number):
    """The moments are shares of the time that a start takes on this machine; which code each gives depends on it."""
    needs_detector()
    parameters = ["camera_node:video_device:=synthetic"] if program == COMPOSED else []
    begun_s, process = time.monotonic(), start(program, *parameters)
    try:
        with contextlib.closing(Probe(process)) as probe:
            probe.wait_for_active("emotion_classifier_node")
            start_s = time.monotonic() - begun_s
        code, output = end(process, number)
    finally:
        process.kill()
    assert code == 0, output
    for share in (0.15, 0.4, 0.6, 0.8, 0.95):
        process = start(program, *parameters)
        time.sleep(share * start_s)
        code, output = end(process, number)
        assert code in (0, -number), "0, or killed before Python has installed its handler"
        assert "Traceback" not in output


@pytest.fixture
def lifecycle(ros_domain):
    """Returns a function that starts a node without autostart and returns its probe and clients."""
    with contextlib.ExitStack() as stack:

        def make(name):
            process = start(name, "autostart:=false")
            stack.callback(process.communicate)
            stack.callback(process.kill)
            probe = stack.enter_context(contextlib.closing(Probe(process)))
            return Lifecycle(probe, name)

        yield make


class Lifecycle:
    """Asks a node for transitions."""

    def __init__(self, probe, name):
        self._probe = probe
        self._change = probe.node.create_client(ChangeState, f"{name}/change_state")
        self._state = probe.node.create_client(GetState, f"{name}/get_state")
        self._connect(self._change, ChangeState.Request(transition=Transition(id=NO_TRANSITION)))
        self._connect(self._state, GetState.Request())

    def _connect(self, client, request):
        """Sends a harmless request until it is answered: a service that is discovered may not know its client yet."""
        self._probe.wait(client.service_is_ready, "no lifecycle services")
        answers, next_s = [], 0.0

        def is_answered():
            nonlocal next_s
            if time.monotonic() >= next_s:
                answers.append(client.call_async(request))
                next_s = time.monotonic() + REPEAT_S
            return any(answer.done() for answer in answers)

        self._probe.wait(is_answered, "no answer")

    def change(self, number, label=""):
        return self._answer(self._change, ChangeState.Request(transition=Transition(id=number, label=label))).success

    def state(self):
        return self._answer(self._state, GetState.Request()).current_state.id

    def _answer(self, client, request):
        answer = client.call_async(request)
        self._probe.wait(answer.done, f"no answer to {request}")
        return answer.result()


@pytest.mark.guarantee(
    "A request for a lifecycle transition that does not exist or is not allowed is answered with success=false.",
    section="Every node",
)
@pytest.mark.parametrize("name", NODES)
def test_a_transition_that_does_not_exist_or_is_not_allowed_is_answered(lifecycle, name):
    node = lifecycle(name)
    for number in (0, 2, 3, 4, 8, 10, 30, 60, 99, 255):
        assert not node.change(number), number
        assert node.state() == State.PRIMARY_STATE_UNCONFIGURED
    for label in ("activate", "no such transition", "transition_success"):
        assert not node.change(0, label), label
    if name == "face_detection_node":
        needs_detector()
    assert node.change(Transition.TRANSITION_CONFIGURE)
    assert not node.change(Transition.TRANSITION_CONFIGURE)
    assert not node.change(Transition.TRANSITION_DEACTIVATE)
    assert node.change(Transition.TRANSITION_ACTIVATE)
    assert not node.change(Transition.TRANSITION_CLEANUP)
    assert node.state() == State.PRIMARY_STATE_ACTIVE
    assert node.change(Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert not node.change(Transition.TRANSITION_CONFIGURE)
    assert node.state() == State.PRIMARY_STATE_FINALIZED


@pytest.mark.parametrize("name", ["camera_node", "emotion_classifier_node"])
def test_many_wrong_requests_do_not_end_a_node(lifecycle, name):
    node = lifecycle(name)
    deadline_s = time.monotonic() + START_S
    for number in range(100):
        assert not node.change(100 + number % 100)
        assert time.monotonic() < deadline_s
    assert node.change(Transition.TRANSITION_CONFIGURE)
