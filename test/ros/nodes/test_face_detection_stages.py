# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the detection node does with what its detector found: verify, track, widen, map to the source image."""

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from encoded_images import ENCODERS, as_bgr
from image_messages import image_message
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from real_face import need_real_face
from sensor_msgs.msg import Image

from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.detection.base import Candidates, FaceDetector
from emotion_perception.core.detection.non_face_filter import NonFaceFilter
from emotion_perception.core.images.image_codec import ENCODINGS_TEXT
from emotion_perception.core.pipeline import create_non_face_filter
from emotion_perception.ros import lifecycle_node
from emotion_perception.ros.conversions import FaceArray, counts_of
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode
from emotion_perception.ros.transport.image_messages import bgr_to_image

WIDTH, HEIGHT = 64, 48
DARK, BRIGHT = (40, 30, 20), (200, 210, 220)


class BrightRegionDetector(FaceDetector):
    """Finds every bright patch of its working image; maps and clips as the real detectors do."""

    name = "bright"

    def detect_candidates(self, image_bgr):
        bright = (image_bgr.min(axis=2) > 128).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(bright)
        xywh = stats[1:, :4].astype(np.float64)
        xyxy = np.hstack((xywh[:, :2], xywh[:, :2] + xywh[:, 2:]))
        return Candidates(xyxy, np.full(len(xyxy), 0.9), np.full((len(xyxy), 5, 2), np.nan))


class NarrowClassifier:
    """Takes for a face what is at most 20 pixels wide."""

    model_name, labels = "narrow", ("face", "other")
    spec = ModelSpec(architecture="fake", labels=labels, crop_margin=0.0)

    def warm_up(self):
        pass

    def classify(self, crops):
        return np.array([[0.7, 0.3] if len(crop) <= 20 else [0.2, 0.8] for crop in crops], np.float32)


def patches(*xyxys, width=WIDTH, height=HEIGHT):
    """Returns a dark image with bright patches."""
    image = np.full((height, width, 3), DARK, np.uint8)
    for x_min, y_min, x_max, y_max in xyxys:
        image[y_min:y_max, x_min:x_max] = BRIGHT
    return image


def regions(message):
    return [
        (face.roi.x_offset, face.roi.y_offset, face.roi.x_offset + face.roi.width, face.roi.y_offset + face.roi.height)
        for face in message.faces
    ]


class Talk:
    """Sends images to a detection node and collects its answers, one by one."""

    def __init__(self, graph, make, node):
        self.graph, self.make, self.node, self.number = graph, make, node, 0
        self.faces = graph.listen(FaceArray, "faces")
        graph.wait(lambda: graph.probe.count_publishers("faces") and node.count_subscribers("faces"))
        self.images = graph.speak(Image, "image_raw")

    def ask(self, image, *, number=None, header=None):
        """Returns the answer to one image (an array or a message); stamps go up by a tenth of a second."""
        self.number = self.number + 1 if number is None else number
        header, before = header or self.make.header(self.number), len(self.faces)
        message = bgr_to_image(image, header) if isinstance(image, np.ndarray) else image
        message.header = header
        self.images.publish(message)
        self.graph.wait_for(self.faces, before + 1)
        assert self.faces[-1].header == header
        return self.faces[-1]


@pytest.fixture
def talk(graph, make):
    """Starts the node with the detector of bright patches; keywords are its parameters and collaborators."""

    def begin(*, non_face_filter_factory=create_non_face_filter, **parameters):
        options = {"detector_factory": BrightRegionDetector, "non_face_filter_factory": non_face_filter_factory}
        given = {"min_face_px": 1, "detection_size": 0, **parameters}
        return Talk(graph, make, graph.node(FaceDetectionNode, parameters=given, **options))

    return begin


@pytest.mark.guarantee(
    "A changed `margin` takes effect on the next frame and breaks no track.", section="Face detection node"
)
def test_a_changed_margin_acts_on_the_next_frame_and_moves_no_track(talk):
    conversation = talk()
    answers = []
    for margin in (0.0, 0.1, 1.0, 0.0):
        assert conversation.node.set_parameters([Parameter("margin", value=margin)])[0].successful
        answers.append(conversation.ask(patches((20, 10, 40, 30))))
    assert [regions(answer) for answer in answers] == [
        [(20, 10, 40, 30)],
        [(18, 8, 42, 32)],
        [(0, 0, 60, HEIGHT)],
        [(20, 10, 40, 30)],
    ]
    assert [face.track_id for answer in answers for face in answer.faces] == [1, 1, 1, 1]


@pytest.mark.guarantee("The optional non-face filter rejects a region and counts it.", section="Face detection node")
def test_the_non_face_filter_rejects_a_region_and_counts_it(graph, talk):
    statuses = graph.listen(DiagnosticArray, "/diagnostics")
    conversation = talk(non_face_filter_factory=lambda config: NonFaceFilter(NarrowClassifier()))
    wide, narrow = (2, 2, 28, 28), (40, 10, 56, 26)
    answers = [conversation.ask(patches(wide, narrow)) for _ in range(3)]
    assert [regions(answer) for answer in answers] == [[narrow]] * 3
    assert [face.track_id for answer in answers for face in answer.faces] == [1, 1, 1], (
        "a rejected region takes no number"
    )
    assert conversation.node.status()["rejected"] == 3
    assert conversation.node.faults == 0, "a rejection is no fault"
    graph.wait(lambda: statuses and {p.key: p.value for p in statuses[-1].status[0].values}["rejected"] == "3")


def test_the_filters_threshold_acts_on_the_next_frame(talk):
    conversation = talk(non_face_filter_factory=lambda config: NonFaceFilter(NarrowClassifier()))
    counts = []
    for threshold in (0.1, 0.5, 0.9):
        conversation.node.set_parameters([Parameter("non_face_threshold", value=threshold)])
        counts.append(len(conversation.ask(patches((2, 2, 28, 28), (40, 10, 56, 26))).faces))
    assert counts == [2, 1, 0]


def test_a_missing_model_of_the_filter_fails_configure_with_a_line(graph, make):
    node = graph.node(
        FaceDetectionNode,
        activate=False,
        parameters={"non_face_filter": "doorman"},
        detector_factory=BrightRegionDetector,
    )
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert "no model 'doorman'" in str(node.transition_error)
    assert "\n" not in str(node.transition_error)


@pytest.mark.guarantee("A track survives a gap of `max_missed_s`.", section="Face detection node")
@pytest.mark.parametrize(("gap", "expected"), [(5, 1), (10, 1), (11, 2)])
def test_a_face_keeps_its_id_over_a_gap_of_max_missed_s(talk, gap, expected):
    conversation = talk(max_missed_s=1.0)
    assert conversation.ask(patches((20, 10, 40, 30)), number=0).faces[0].track_id == 1
    assert list(conversation.ask(patches(), number=3).faces) == []
    assert conversation.ask(patches((22, 10, 42, 30)), number=gap).faces[0].track_id == expected


@pytest.mark.guarantee("Two faces that cross keep their track ids.", section="Face detection node")
def test_two_faces_that_pass_each_other_keep_their_ids(talk):
    conversation = talk(max_missed_s=1.5)
    first = None
    for step in range(23):
        right, left = (2 * step, 10, 2 * step + 16, 26), (48 - 2 * step, 14, 64 - 2 * step, 30)
        hidden = abs(right[0] - left[0]) <= 16  # for nine frames the one behind is not found
        answer = conversation.ask(patches(left) if hidden else patches(right, left))
        upper_first = sorted(zip(regions(answer), answer.faces, strict=True), key=lambda pair: pair[0][1])
        found = [face.track_id for _, face in upper_first]
        first = first or found
        assert found == (first[1:] if hidden else first)
    assert sorted(first) == [1, 2]


@pytest.mark.guarantee("A track id is never used again in a run.", section="Face detection node")
def test_ids_are_never_used_again_in_a_run(talk, graph):
    conversation = talk()
    ids = [conversation.ask(patches((20, 10, 40, 30)), number=50).faces[0].track_id]
    ids.append(conversation.ask(patches((20, 10, 40, 30)), number=1).faces[0].track_id)  # a bag that loops
    for transition in ("deactivate", "cleanup", "configure", "activate"):
        assert getattr(conversation.node, f"trigger_{transition}")() == TransitionCallbackReturn.SUCCESS
    graph.wait(lambda: conversation.images.get_subscription_count() == 1)
    ids.append(conversation.ask(patches((20, 10, 40, 30)), number=2).faces[0].track_id)
    assert ids == [1, 2, 3]


@pytest.mark.guarantee(
    "Regions lie inside the image and are in its own pixels, whatever `detection_size` is.",
    section="Face detection node",
)
@pytest.mark.parametrize("detection_size", [0, 32, 50, 64, 160, 320])
def test_regions_are_inside_the_image_in_source_pixels_whatever_the_working_size(talk, detection_size):
    width, height = 160, 120
    patched = (0, 0, 25, 20), (60, 40, 100, 80), (130, 90, 160, 120)
    pixel = width / detection_size if detection_size else 1.0
    conversation = talk(detection_size=detection_size)
    for margin in (0.0, 0.3):
        conversation.node.set_parameters([Parameter("margin", value=margin)])
        found = sorted(regions(conversation.ask(patches(*patched, width=width, height=height))))
        for region, patch in zip(found, patched, strict=True):
            more = margin * max(patch[2] - patch[0], patch[3] - patch[1])
            expected = np.clip(np.add(patch, (-more, -more, more, more)), 0, (width, height, width, height))
            assert np.abs(expected - region).max() <= (1 + 2 * margin) * max(1.0, pixel) + 1
            assert 0 <= region[0] < region[2] <= width
            assert 0 <= region[1] < region[3] <= height


class LookingOnce(BrightRegionDetector):
    """Counts how often it is asked."""

    looks = 0

    def warm_up(self):
        pass

    def detect(self, image_bgr):
        type(self).looks += 1
        return super().detect(image_bgr)


@pytest.mark.guarantee(
    "With `detection_interval` above 1, a face keeps its track id between searches of the whole image.",
    section="Face detection node",
)
def test_between_every_so_many_frames_a_face_is_followed_under_its_id(graph, make):
    LookingOnce.looks = 0
    parameters = {"min_face_px": 1, "detection_size": 0, "detection_interval": 3}
    conversation = Talk(graph, make, graph.node(FaceDetectionNode, parameters=parameters, detector_factory=LookingOnce))
    answers = [conversation.ask(patches((20 + step, 10, 40 + step, 30))) for step in range(7)]
    found = [regions(answer)[0] for answer in answers]
    assert np.abs(np.subtract(found, [(20 + step, 10, 40 + step, 30) for step in range(7)])).max() <= 1
    assert [answer.faces[0].track_id for answer in answers] == [1] * 7
    assert LookingOnce.looks == 3
    assert conversation.node.set_parameters([Parameter("detection_interval", value=1)])[0].successful
    for step in range(3):
        conversation.ask(patches((20 + step, 10, 40 + step, 30)))
    assert LookingOnce.looks == 6


@pytest.mark.guarantee(
    "With `detection_interval: 0`, the default, faces are found in every frame and a new one within a third of a "
    "second of stamp time; /diagnostics shows how many frames apart the searches of the whole image are.",
    section="Face detection node",
)
def test_with_the_default_interval_the_real_detector_finds_faces_in_every_frame(graph, make):
    photograph = cv2.imread(str(need_real_face()))[20:220, 124:324]  # the face of the photograph
    conversation = Talk(graph, make, graph.node(FaceDetectionNode))
    appears, counts = 14, []
    for number in range(26):
        image = np.full((480, 640, 3), 90, np.uint8)
        image[100 + number : 300 + number, 40:240] = photograph
        if number >= appears:
            image[200:400, 400:600] = photograph[:, ::-1]
        header = make.header(0)
        header.stamp.nanosec += number * 33_333_333
        message = bgr_to_image(image, header)
        counts.append([face.track_id for face in conversation.ask(message, header=header).faces])
    assert all(1 in track_ids for track_ids in counts)
    found = [number for number, track_ids in enumerate(counts) if len(track_ids) == 2]
    assert appears <= found[0] <= appears + 10
    assert found == list(range(found[0], 26))
    assert 1 < float(conversation.node.status()["detection_interval"]) <= 10


ENCODINGS = {  # name: encoding, big-endian
    **{name: (name, False) for name in ("bgr8", "rgb8", "mono8", "bgra8", "rgba8", "yuv422_yuy2", "16UC1")},
    "16UC1 big-endian": ("16UC1", True),
    "mono16 big-endian": ("mono16", True),
}


@pytest.mark.guarantee(
    "Mono, color, Bayer and YUV images of 8 and 16 bits are accepted with padded rows, in either byte order, and JPEG.",
    section="Face detection node",
)
@pytest.mark.parametrize("name", ENCODINGS)
def test_every_encoding_is_answered_also_with_padded_rows(graph, make, name):
    encoding, big_endian = ENCODINGS[name]
    shown = []

    class Recording(BrightRegionDetector):
        def detect_candidates(self, image_bgr):
            shown.append(image_bgr.copy())
            return super().detect_candidates(image_bgr)

    parameters = {"detection_size": 0, "min_face_px": 1}
    node = graph.node(FaceDetectionNode, parameters=parameters, detector_factory=Recording)
    conversation = Talk(graph, make, node)
    source = patches((20, 10, 44, 36))
    expected = as_bgr(source, encoding)
    for padding in (0, 6):
        answer = conversation.ask(
            image_message(ENCODERS[encoding](source), encoding, big_endian=big_endian, padding=padding)
        )
        assert regions(answer) == [(20, 10, 44, 36)]
        tolerance = 8 if encoding == "yuv422_yuy2" else 1
        assert np.abs(shown[-1].astype(int) - expected.astype(int)).max() <= tolerance
    assert counts_of(answer).failed == 0


@pytest.mark.guarantee("An unsupported encoding is one line with the supported ones.", section="Face detection node")
def test_a_camera_with_another_encoding_is_one_line_for_its_stream(graph, talk, monkeypatch, capfd):
    monkeypatch.setattr(lifecycle_node, "_THROTTLE_S", 0.0)  # it is not the throttle that keeps the line from returning
    conversation = talk()
    message = bgr_to_image(patches((20, 10, 40, 30)), conversation.make.header(0))
    message.encoding = "rgb565"
    for count in (1, 2, 3, 4):
        conversation.images.publish(message)
        graph.wait(lambda count=count: conversation.node.status()["failed"] == count)
    entry = conversation.node.diagnostics.entry("", "", {})
    assert (entry.level, "the last 4 frames failed: encoding 'rgb565' is none of" in entry.message) == (b"\2", True)
    assert regions(conversation.ask(patches((20, 10, 40, 30)))) == [(20, 10, 40, 30)]
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "rgb565" in line]
    assert f": encoding 'rgb565' is none of {ENCODINGS_TEXT}" in line
