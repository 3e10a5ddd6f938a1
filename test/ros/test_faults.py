# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What happens to processes: killed nodes, torn messages. The results are in docs/performance.md."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rclpy
from malformed import Malformed
from rclpy.executors import SingleThreadedExecutor
from real_face import need_real_face
from sensor_msgs.msg import Image

from emotion_perception.ros.conversions import EmotionArray, FaceArray, stamp_ns
from emotion_perception.ros.demo.shared_memory import remove_dead, segments_of
from emotion_perception.ros.qos import RESULTS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
NODES = ("camera_node", "face_detection_node", "emotion_classifier_node", "overlay_node")
PROCESSES = {
    "--no-composed": NODES,
    "--composed": ("emotion_perception_composed",),
}
START_S, BACK_S = 60.0, 3.0


class Probe:
    """A node of this process that hears the emotions."""

    def __init__(self):
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=int(os.environ["ROS_DOMAIN_ID"]))
        self.node = rclpy.create_node("probe", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.stamps_ns = []
        self.node.create_subscription(EmotionArray, "emotions", self._remember, RESULTS)

    def _remember(self, message):
        if message.status == EmotionArray.OK:
            self.stamps_ns.append(stamp_ns(message.header))

    def wait(self, condition, timeout_s, complaint):
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline_s, complaint
            self.executor.spin_once(timeout_sec=0.05)

    def now_ns(self):
        return self.node.get_clock().now().nanoseconds

    def close(self):
        self.executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()


@pytest.fixture
def probe(ros_domain):
    probe = Probe()
    yield probe
    probe.close()


@pytest.fixture(params=PROCESSES)
def demo(request, tmp_path):
    """The demonstration on the synthetic camera, until it is stopped; `programs` are its processes."""
    need_real_face()
    command = [sys.executable, "-m", "emotion_perception.ros.demo", "--source", "synthetic", "--out", tmp_path]
    command.append(request.param)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    process.programs = PROCESSES[request.param]
    yield process
    process.kill()
    process.wait()


def pid_of(name):
    """Returns the process of a node in this test's domain; None where there is none."""
    domain = f"\0ROS_DOMAIN_ID={os.environ['ROS_DOMAIN_ID']}\0"
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            ours = domain in "\0" + (entry / "environ").read_text(errors="replace")
            if ours and f"lib/emotion_perception/{name}\0" in (entry / "cmdline").read_text(errors="replace"):
                return int(entry.name)
    return None


@pytest.mark.guarantee(
    "After `kill -9` of any node, the supervisor restarts it and emotions resume within three seconds, on a slow "
    "machine within the time that the demonstration took to start and one second more.",
    section="Fault injection",
)
def test_a_node_that_is_killed_is_started_again_and_emotions_go_on(demo, probe, tmp_path):
    started_s = time.monotonic()
    probe.wait(lambda: probe.stamps_ns, START_S, "the demonstration does not begin")
    start_s = time.monotonic() - started_s
    probe.wait(lambda: len(probe.stamps_ns) > 30, START_S, "the demonstration does not go on")
    back_s, left = {}, set()
    for name in demo.programs:
        pid = pid_of(name)
        settled_ns = probe.now_ns() + 6 * 10**9  # it has lived long enough to be started again at once
        probe.wait(lambda then=settled_ns: probe.stamps_ns[-1] > then, START_S, "emotions do not come steadily")
        left |= segments_of(pid)
        killed_ns, killed_s = probe.now_ns(), time.monotonic()
        os.kill(pid, signal.SIGKILL)
        probe.wait(
            lambda then=killed_ns: probe.stamps_ns[-1] > then + 10**7, START_S, f"nothing after {name} was killed"
        )
        back_s[name] = time.monotonic() - killed_s
        probe.wait(lambda old=pid, who=name: pid_of(who) not in (None, old), START_S, f"{name} was not started again")
    demo.send_signal(signal.SIGINT)
    output, _ = demo.communicate(timeout=20)
    assert demo.returncode == 0, output
    summary = json.loads((tmp_path / "summary.json").read_text())
    print(f"seconds until the next emotions: { {name: round(value, 2) for name, value in back_s.items()} }")
    assert summary["restarts"] == dict.fromkeys(demo.programs, 1)
    assert left, "they had shared memory"
    assert remove_dead(left) == 0, "nothing of the dead is left; what this process owns lives"
    assert max(back_s.values()) < max(BACK_S, start_s + 1), back_s


@pytest.mark.guarantee(
    "A node of `make demo` that runs but does not report its state for ten seconds is killed and restarted.",
    section="Fault injection",
)
def test_a_node_that_hangs_is_started_again(demo, probe):
    probe.wait(lambda: len(probe.stamps_ns) > 10, START_S, "the demonstration does not begin")
    name = "face_detection_node" if "face_detection_node" in demo.programs else demo.programs[0]
    pid = pid_of(name)
    os.kill(pid, signal.SIGSTOP)
    probe.wait(lambda: pid_of(name) not in (None, pid), START_S, "it is not started again")
    restarted_ns = probe.now_ns()
    probe.wait(lambda: probe.stamps_ns[-1] > restarted_ns, START_S, "no emotions")
    demo.send_signal(signal.SIGINT)
    output, _ = demo.communicate(timeout=START_S)
    assert f"{name} does not report its state any more, killing it" in output


@pytest.mark.guarantee("Bytes that are no serialized message end no process.", section="Fault injection")
@pytest.mark.parametrize("name", NODES[1:])
def test_torn_messages_do_not_end_a_process(name, probe, make_torn):
    if name == "face_detection_node":
        pytest.importorskip("onnxruntime")
    process = subprocess.Popen(
        [sys.executable, ROOT / "scripts" / name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/"
    )
    try:
        publishers = [probe.node.create_publisher(Image, "image_raw", 5)]
        if name == "emotion_classifier_node":
            publishers.append(probe.node.create_publisher(FaceArray, "faces", 5))
        if name == "overlay_node":
            publishers = [probe.node.create_publisher(EmotionArray, "emotions", 5)]
        for publisher in publishers:
            found = publisher.get_subscription_count
            least = 2 if name == "overlay_node" else 1  # the probe listens to emotions too
            probe.wait(lambda found=found, least=least: found() >= least, START_S, f"{name} does not listen")
        for data in make_torn(60):
            for publisher in publishers:
                publisher.publish(data)
            with contextlib.suppress(Exception):  # this probe cannot read them either
                probe.executor.spin_once(timeout_sec=0.01)
            assert process.poll() is None, process.communicate()[0]
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert "Traceback" not in output


@pytest.fixture
def make_torn():
    """Returns a function that makes so many torn messages as serialized bytes."""
    return lambda count: [maker.cdr() for maker in [Malformed(7, None)] for _ in range(count)]


def test_shared_memory_of_a_living_process_is_left_alone(probe):
    own = segments_of(os.getpid())
    assert own
    assert remove_dead(own) == 0
    assert all(segment.exists() for segment in own)


@pytest.mark.guarantee("The shared memory of a killed process is removed.", section="Fault injection")
def test_shared_memory_of_a_killed_process_is_removed(ros_domain):
    code = "import rclpy, time; rclpy.init(); node = rclpy.create_node('x'); print('up', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "up\n"
        segments = segments_of(process.pid)
        process.kill()
    living = segments_of(os.getpid())  # what others own may be mapped too
    assert remove_dead(segments) >= 1
    assert not [segment for segment in segments - living if segment.exists()]
