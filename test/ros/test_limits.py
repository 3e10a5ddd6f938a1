# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What other participants send may be as large as it likes: memory and time of a node's process stay bounded."""

import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from node_processes import Probe, start
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message
from rclpy.time import Time
from ros_graph import header
from sensor_msgs.msg import CompressedImage, Image
from visualization_msgs.msg import MarkerArray

from emotion_perception.core.types import (
    Box,
    Face,
    FaceEmotion,
    FrameCounts,
    ModelInfo,
    Position,
    PositionSource,
    Status,
)
from emotion_perception.ros.conversions import ClassificationResult, EmotionArray, FaceArray, faces_to_msg
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.transport.image_messages import bgr_to_image

pytestmark = pytest.mark.slow

MIB = 2**20
MAX_GROWTH = 300 * MIB  # the largest message here has 28 MB, and passes the middleware before a node sees it
HERE = Position(0.0, 0.0, 1.0, source=PositionSource.DEPTH)
SHARE = np.array([0.9, 0.1], np.float32)


class Node:
    """A node's process with publishers of its inputs and lists of its outputs."""

    def __init__(self, name, *parameters):
        self.name, self.process = name, start(name, *parameters)
        self.probe = Probe(self.process)
        self.probe.wait_for_active(name)

    def speak(self, message_type, topic, qos=RESULTS):
        publisher = self.probe.node.create_publisher(message_type, topic, qos)
        self.wait(publisher.get_subscription_count, f"{self.name} does not listen to {topic}")
        return publisher

    def listen(self, message_type, topic):
        messages = []
        self.probe.node.create_subscription(message_type, topic, messages.append, RESULTS)
        self.wait(lambda: self.probe.node.count_publishers(topic), f"nobody publishes {topic}")
        return messages

    def wait(self, condition, complaint):
        self.probe.wait(condition, complaint)

    def status(self):
        return self.probe.statuses[f"/{self.name}"]

    def wait_for_warning(self, words):
        self.wait(
            lambda: self.status().level != DiagnosticStatus.OK and words in self.status().message,
            f"/diagnostics does not say: {words}",
        )

    def peak_bytes(self):
        """Returns the most memory that the process ever had in RAM."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    def cpu_s(self):
        """Returns the processor time that the process has used, which other processes do not lengthen."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.terminate()
        try:
            output, _ = self.process.communicate(timeout=20)
        finally:
            self.process.kill()
            self.probe.close()
        assert self.process.returncode == 0, output
        assert "Traceback" not in output
        assert max(map(len, output.splitlines()), default=0) < 1000


@pytest.fixture
def run_node():
    nodes = []

    def make(*arguments):
        nodes.append(Node(*arguments))
        return nodes[-1]

    yield make
    for node in nodes:
        node.close()


def image(number, side=512):
    return bgr_to_image(np.full((side, side, 3), 128, np.uint8), header(number))


def array_of_faces(number, *boxes):
    faces = [Face(Box(*box), 0.9, track_id=1 + index) for index, box in enumerate(boxes)]
    return faces_to_msg(header(number), faces, detector="fake", detect_ms=1.0, counts=FrameCounts())


def many_faces(number, count):
    """Returns a FaceArray of any number of equal faces in CDR, made quickly."""
    one, two = (serialize_message(array_of_faces(number, *[(0, 0, 20, 20)] * k)) for k in (1, 2))
    face = len(two) - len(one)
    before = one.index(struct.pack("<I", 1), 20) + 4
    before += (-(before - 4)) % 8
    return (
        one[:before].replace(struct.pack("<I", 1), struct.pack("<I", count))
        + one[before : before + face] * count
        + one[before + face :]
    )


def emotions(number, boxes, *, label="glad", labels=("glad", "sad")):
    found = [
        FaceEmotion(Face(Box(*box), 0.9, track_id=1 + index, position=HERE), label, 0.9, False, SHARE, SHARE)
        for index, box in enumerate(boxes)
    ]
    result = ClassificationResult(array_of_faces(number, *boxes), Status.OK, found)
    return result.to_msg(ModelInfo(labels, "fake", "", "cpu"), Time())


def classifier(run_node, *parameters):
    node = run_node("emotion_classifier_node", *parameters)
    return node, node.speak(Image, "image_raw"), node.speak(FaceArray, "faces"), node.listen(EmotionArray, "emotions")


def ask(node, publishers, answers, number, faces, **image_options):
    """Publishes an image and its faces; returns the answer."""
    images, arrays = publishers
    images.publish(image(number, **image_options))
    arrays.publish(faces)
    node.wait(lambda: any(answer.header == header(number) for answer in answers), "the faces are not answered")
    return answers[-1]


@pytest.mark.guarantee(
    "A FaceArray of 1,000 or 100,000 faces is answered in bounded memory, and `/diagnostics` says so.",
    section="Limits",
)
def test_any_number_of_faces_is_answered_in_bounded_memory(run_node):
    node, *publishers, answers = classifier(run_node)
    ask(node, publishers, answers, 0, array_of_faces(0, (0, 0, 20, 20)))
    before = node.peak_bytes()
    crowd = [(number % 300, number % 200, 2000 + number % 300, 2000 + number % 200) for number in range(1000)]
    answer = ask(node, publishers, answers, 1, array_of_faces(1, *crowd))
    assert answer.status == EmotionArray.OK
    assert 16 <= len(answer.faces) <= 64
    assert len(answer.faces) + answer.faces_omitted == 1000
    node.wait_for_warning("1000 faces in an image are more than max_faces 64")
    answer = ask(node, publishers, answers, 2, many_faces(2, 100_000))
    assert (answer.status, len(answer.faces), answer.faces_omitted) == (EmotionArray.ERROR, 0, 100_000)
    node.wait_for_warning("is larger than 524288")
    answer = ask(node, publishers, answers, 3, array_of_faces(3, (0, 0, 20, 20)))
    assert (answer.status, len(answer.faces), answer.faces_omitted) == (EmotionArray.OK, 1, 0)
    assert node.peak_bytes() - before < MAX_GROWTH
    assert [answer.header for answer in answers] == [header(number) for number in range(4)]


@pytest.mark.guarantee("Strings of any length in a message are neither copied nor logged.", section="Limits")
def test_endless_strings_and_unbelievable_regions_cost_no_memory(run_node):
    node, images, faces, answers = classifier(run_node)
    publishers = images, faces
    ask(node, publishers, answers, 0, array_of_faces(0, (0, 0, 20, 20)))
    before = node.peak_bytes()
    message = array_of_faces(1, (0, 0, 20, 20))
    message.detector = "d" * (10 * MIB)
    assert ask(node, publishers, answers, 1, message).status == EmotionArray.ERROR
    strange = image(2)
    strange.encoding = "e" * (10 * MIB)
    images.publish(strange)
    faces.publish(array_of_faces(2, (0, 0, 20, 20)))
    node.wait(lambda: len(answers) == 3, "an image of a strange encoding is not answered")
    assert answers[-1].status == EmotionArray.ERROR
    unnamed = array_of_faces(3, (0, 0, 20, 20))
    unnamed.header.frame_id = "f" * 2000
    faces.publish(unnamed)
    node.wait_for_warning("a frame_id of 2000 characters is longer than 1024")
    unbelievable = array_of_faces(4, *[(0, 0, 20, 20)] * 4)
    for face, (offset, size) in zip(
        unbelievable.faces, [(0, 2**32 - 1), (2**32 - 1, 2**32 - 1), (0, 2047), (511, 1)], strict=True
    ):
        face.roi.x_offset, face.roi.y_offset, face.roi.width, face.roi.height = offset, offset, size, size
        face.landmarks[0].x = float("nan")
    answer = ask(node, publishers, answers, 4, unbelievable)
    assert (len(answer.faces), answer.faces_omitted) == (2, 2)
    assert node.peak_bytes() - before < MAX_GROWTH


@pytest.mark.guarantee("Images of 64 megapixels that wait for their faces take at most 512 MiB.", section="Limits")
def test_a_queue_of_large_images_does_not_fill_the_memory(run_node):
    node, images, faces, answers = classifier(run_node, "sync_queue_size:=100")
    ask(node, (images, faces), answers, 0, array_of_faces(0, (0, 0, 20, 20)))
    before = node.peak_bytes()
    for number in range(1, 31):
        images.publish(image(100 + number, side=4000))  # 48 MB each, 1.4 GB together
        # the answer to an earlier stamp says that the node has taken it: the middleware's own queue is not measured
        ask(node, (images, faces), answers, number, array_of_faces(number, (0, 0, 20, 20)))
    for number in range(131, 136):  # on a busy machine DDS may drop an image after so many
        answer = ask(node, (images, faces), answers, number, array_of_faces(number, (0, 0, 3000, 3000)), side=4000)
        if answer.status == EmotionArray.OK:
            break
    assert len(answer.faces) == 1
    assert node.peak_bytes() - before < 512 * MIB + 2 * MAX_GROWTH


@pytest.mark.guarantee("Stamps that jump by decades in either direction are answered like others.", section="Limits")
def test_stamps_that_jump_far_are_answered(run_node):
    node, images, faces, answers = classifier(run_node)
    for sec in (1000, 2**31 - 1, 1000, -(2**31), 0, 1001):
        picture, message = image(0, side=64), array_of_faces(0, (0, 0, 20, 20))
        picture.header.stamp.sec = message.header.stamp.sec = sec
        count = len(answers)
        images.publish(picture)
        faces.publish(message)
        node.wait(lambda before=count: len(answers) > before, f"no answer at {sec} s")
        assert (answers[-1].status, answers[-1].header.stamp.sec) == (EmotionArray.OK, sec)
        assert [face.prediction_age_s for face in answers[-1].faces] == [0.0]
    assert node.status().level == DiagnosticStatus.OK


def png_bomb(width, height):
    """Returns a PNG file of few kB that has the pixels that it announces."""
    row = zlib.compressobj(9)
    data = b"".join(row.compress(bytes(1 + width // 8)) for _ in range(height)) + row.flush()

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def jpeg_of(width, height):
    """Returns a small JPEG file that announces another size."""
    data = bytearray(cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.guarantee("A compressed image that would decode to gigabytes is refused by its header.", section="Limits")
def test_decompression_bombs_are_refused(run_node):
    node = run_node("face_detection_node", "image_transport:=compressed", "detector:=haar")
    images, answers = node.speak(CompressedImage, "image_raw/compressed"), node.listen(FaceArray, "faces")
    good = cv2.imencode(".jpg", np.full((48, 64, 3), 128, np.uint8))[1].tobytes()
    images.publish(CompressedImage(header=header(0), data=good))
    node.wait(lambda: len(answers) == 1, "an image is not answered")
    before = node.peak_bytes()
    bombs = [png_bomb(30_000, 30_000), jpeg_of(65_500, 65_500), good[:-2] + b"\xff\xda" * 500_000 + good[-2:]]
    assert all(len(bomb) < 2_000_000 for bomb in bombs)
    for number, bomb in enumerate(bombs, 1):
        images.publish(CompressedImage(header=header(number), data=bomb))
        node.wait(lambda count=number: node.probe.value(node.name, "failed") == str(count), "it does not fail")
    images.publish(CompressedImage(header=header(9), data=good))
    node.wait(lambda: len(answers) == 2, "the image after the bombs is not answered")
    assert node.peak_bytes() - before < MAX_GROWTH


@pytest.mark.guarantee("Images beyond 64 megapixels, or with less data than pixels, are refused.", section="Limits")
def test_raw_images_beyond_the_limit_are_refused(run_node):
    node = run_node("face_detection_node", "detector:=haar", "detection_size:=0")
    images, answers = node.speak(Image, "image_raw"), node.listen(FaceArray, "faces")
    images.publish(image(0))
    node.wait(lambda: len(answers) == 1, "an image is not answered")
    before = node.peak_bytes()
    lies = [(20_000, 20_000, 60_000, 1000), (2**32 - 1, 2**32 - 1, 0, 10), (64, 64, 2**32 - 1, 100), (64, 64, 1, 100)]
    for number, (height, width, step, size) in enumerate(lies, 1):
        message = image(number, side=8)
        message.height, message.width, message.step, message.data = height, width, step, bytes(size)
        images.publish(message)
        node.wait(lambda count=number: node.probe.value(node.name, "failed") == str(count), "it does not fail")
    images.publish(image(9))
    node.wait(lambda: len(answers) == 2, "the image after them is not answered")
    assert node.peak_bytes() - before < MAX_GROWTH


@pytest.mark.guarantee(
    "An EmotionArray of a thousand faces is drawn in time; 32 faces have labels, `/diagnostics` says so.",
    section="Limits",
)
def test_the_overlay_draws_a_crowd_in_time(run_node):
    node = run_node("overlay_node", "sync_timeout_s:=10.0")  # longer than this process takes to make an array
    overlays, markers = node.listen(Image, "image_overlay"), node.listen(MarkerArray, "markers")
    images = node.speak(Image, "image_raw", QoSProfile(depth=5))
    arrays = node.speak(EmotionArray, "emotions")
    images.publish(image(0))
    arrays.publish(emotions(0, [(10, 20, 100, 140)]))
    node.wait(lambda: overlays, "a face is not drawn")
    before, begun_s = node.peak_bytes(), node.cpu_s()
    crowd = [(number % 400, number // 4, number % 400 + 100, number // 4 + 120) for number in range(1000)]
    images.publish(image(1))
    arrays.publish(emotions(1, crowd))
    node.wait(lambda: overlays[-1].header == header(1), "a crowd is not drawn")
    assert node.cpu_s() - begun_s < 10, "it took 80 s when labels were laid out for all of them"
    node.wait_for_warning("1000 faces in an image, only the largest 32 have labels")
    images.publish(image(2))
    arrays.publish(emotions(2, [(10, 20, 100, 140)], label="l" * (10 * MIB)))
    node.wait_for_warning("is larger than 524288")
    images.publish(image(3))
    arrays.publish(emotions(3, crowd[:40], label="l" * 10_000, labels=("l" * 10_000, "m")))
    node.wait(lambda: overlays[-1].header == header(3), "long labels are not drawn")
    node.wait(lambda: markers, "there are no markers")
    assert node.peak_bytes() - before < MAX_GROWTH
