# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import math

import cv2
import numpy as np
import pytest
from rclpy.parameter import Parameter
from rclpy.time import Time
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from emotion_perception.core.assets import resolve_model_file
from emotion_perception.core.detection.factory import create_detector, select_faces
from emotion_perception.core.detection.options import DetectorOptions
from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.types import (
    UNKNOWN_POSITION,
    Box,
    Face,
    FaceEmotion,
    FrameCounts,
    ModelInfo,
    Position,
    PositionSource,
)
from emotion_perception.ros.conversions import ClassificationResult, EmotionArray, faces_to_msg
from emotion_perception.ros.nodes.overlay import OverlayNode
from emotion_perception.ros.transport import overlay_publishers
from emotion_perception.ros.transport.image_messages import bgr_to_compressed, bgr_to_image, image_to_bgr

LABELS = ("glad", "sad")
BOX = (100, 80, 180, 160)
HERE = Position(0.25, -0.5, 2.0, source=PositionSource.DEPTH)
HIDING = ["blur", "pixelate", "fill"]


def emotions_at(header, *boxes, status=EmotionArray.OK, track=1, position=HERE):
    row = np.array([0.25, 0.75], np.float32)
    faces = [Face(Box(*box), 0.9, track_id=track + number, position=position) for number, box in enumerate(boxes)]
    source = faces_to_msg(header, faces, detector="fake", detect_ms=1.0, counts=FrameCounts())
    emotions = [FaceEmotion(face, "sad", 0.75, False, row, row) for face in faces]
    answer = ClassificationResult(source, status, emotions if status == EmotionArray.OK else ())
    return answer.to_msg(ModelInfo(LABELS, "fake", "", "cpu", False), Time())


class Watched:
    """An overlay node that somebody looks at, and the publishers of its input."""

    def __init__(self, graph, **options):
        self.overlays = graph.listen(Image, "image_overlay")
        self.node = graph.node(OverlayNode, **options)
        graph.wait(lambda: self.node.count_subscribers("image_overlay"))
        self.images, self.emotions = graph.speak(Image, "image_raw"), graph.speak(EmotionArray, "emotions")
        graph.wait(lambda: graph.probe.count_publishers("image_overlay"))

    @property
    def stamps(self):
        return [(overlay.header.stamp.sec, overlay.header.stamp.nanosec) for overlay in self.overlays]


@pytest.fixture
def watched(graph):
    return lambda **options: Watched(graph, **options)


def patient(**parameters):
    """Parameters of a node that a busy machine does not hurry, and whose overlay does not change with the time."""
    return {"sync_timeout_s": 10.0, "draw_status": False, **parameters}


@pytest.mark.guarantee("Every output carries the header of its source image, bit for bit.", section="Every node")
def test_the_overlay_shows_the_box_under_the_source_header(graph, make, watched):
    overlay = watched(parameters=patient())
    sent = make.image(1, width=320, height=240)
    sent.header = Header(stamp=sent.header.stamp, frame_id="left eye/ä")
    overlay.images.publish(sent)
    overlay.emotions.publish(emotions_at(make.header(1), BOX))
    graph.wait(lambda: overlay.overlays)
    shown = overlay.overlays[0]
    assert (shown.header, shown.encoding, shown.width, shown.height) == (sent.header, "bgr8", 320, 240)
    changed = (image_to_bgr(shown) != image_to_bgr(sent)).any(axis=2)
    assert changed[80:160, 100].mean() > 0.9
    assert not changed[200:, :60].any()
    assert overlay.node.status()["drawn"] == 1
    assert overlay.node.status()["drawn_without_emotions"] == 0


@pytest.mark.guarantee(
    "An EmotionArray whose probabilities do not belong to its labels is not used: overlay, markers and page go on with "
    "the next one.",
    section="Limits",
)
def test_probabilities_for_other_labels_are_a_fault_and_the_next_ones_are_drawn(graph, make, watched):
    overlay = watched(parameters=patient())
    contradictory = emotions_at(make.header(1), BOX)
    contradictory.faces[0].smoothed_probabilities = [0.5]
    overlay.images.publish(make.image(1, width=320, height=240))
    overlay.emotions.publish(contradictory)
    graph.wait(lambda: overlay.node.faults == 1)
    overlay.images.publish(make.image(2, width=320, height=240))
    overlay.emotions.publish(emotions_at(make.header(2), BOX))
    graph.wait(lambda: overlay.overlays and overlay.overlays[-1].header == make.header(2))
    assert overlay.node.faults == 1


@pytest.mark.guarantee(
    "A line in a free corner of the overlay has the frame rate, the age of the image and the number of dropped images; "
    "`draw_status` switches it off.",
    section="Overlay node",
)
def test_a_line_has_rate_age_and_drops_and_can_be_switched_off(graph, make, watched, monkeypatch):
    lines = []
    monkeypatch.setattr(
        "emotion_perception.ros.nodes.overlay.status_line", lambda *values: lines.append(values) or "12.0 Hz"
    )
    overlay = watched(parameters=patient(draw_status=True))
    for number, shown in ((1, True), (2, True), (3, False)):
        overlay.node.set_parameters([Parameter("draw_status", value=shown)])
        message = emotions_at(make.header(number))
        message.frames_dropped = 7
        overlay.images.publish(make.image(number))
        overlay.emotions.publish(message)
        graph.wait(lambda number=number: len(overlay.overlays) == number)
    blank = image_to_bgr(make.image(1))
    drawn = [(image_to_bgr(image) != blank).any(axis=2) for image in overlay.overlays]
    assert [image[-12:, :40].any() for image in drawn] == [True, True, False]
    assert not any(image[:-30].any() for image in drawn)
    assert [dropped for _, _, dropped in lines] == [7, 7]
    assert all(math.isfinite(rate_hz) and age_ms > 0 for rate_hz, age_ms, _ in lines)


@pytest.mark.guarantee("Without subscribers nothing is subscribed and nothing is drawn.", section="Overlay node")
def test_nothing_is_subscribed_and_drawn_while_nobody_looks(graph, make):
    node = graph.node(OverlayNode)
    topics = ("image_raw", "emotions")
    graph.wait(lambda: not any(map(graph.probe.count_subscribers, topics)), "something is subscribed")
    images = graph.speak(Image, "image_raw", listeners=0)
    emotions = graph.speak(EmotionArray, "emotions", listeners=0)
    images.publish(make.image(1))
    emotions.publish(emotions_at(make.header(1), (10, 10, 30, 30)))
    graph.let_run(0.5)
    assert node.status()["drawn"] == 0
    assert not any(map(graph.probe.count_subscribers, topics))


def test_compressed_images_are_drawn_on_too(graph, make):
    overlays = graph.listen(Image, "image_overlay")
    graph.node(OverlayNode, parameters=patient(image_transport="compressed"))
    images = graph.speak(CompressedImage, "image_raw/compressed")
    emotions = graph.speak(EmotionArray, "emotions")
    graph.wait(lambda: graph.probe.count_publishers("image_overlay"))
    images.publish(bgr_to_compressed(np.full((240, 320, 3), 128, np.uint8), make.header(1), 90))
    emotions.publish(emotions_at(make.header(1), BOX))
    graph.wait(lambda: overlays)
    assert (overlays[0].header, overlays[0].encoding) == (make.header(1), "bgr8")
    assert (image_to_bgr(overlays[0])[80:160, 100] != 128).any(axis=1).mean() > 0.9


class TestCompressed:
    """The overlay as JPEG."""

    @pytest.fixture
    def encoded(self, monkeypatch):
        """The images that were encoded."""
        encoded, encode = [], overlay_publishers.bgr_to_compressed

        def count(image_bgr, header, quality):
            encoded.append(header)
            return encode(image_bgr, header, quality)

        monkeypatch.setattr(overlay_publishers, "bgr_to_compressed", count)
        return encoded

    def publish(self, graph, make, number):
        """Publishes an image and its emotions once somebody subscribes to them."""
        images, emotions = graph.speak(Image, "image_raw"), graph.speak(EmotionArray, "emotions")
        images.publish(make.image(number, width=320, height=240))
        emotions.publish(emotions_at(make.header(number), BOX))

    @pytest.mark.guarantee(
        "`image_overlay/compressed` is the overlay as JPEG under the same header, named and formatted as by "
        "image_transport.",
        section="Overlay node",
    )
    def test_it_is_the_same_image_under_the_same_header(self, graph, make, encoded):
        raw, compressed = (
            graph.listen(Image, "image_overlay"),
            graph.listen(CompressedImage, "image_overlay/compressed"),
        )
        node = graph.node(OverlayNode, parameters=patient())
        graph.wait(lambda: graph.probe.count_publishers("image_overlay/compressed"))
        graph.wait(lambda: graph.probe.count_publishers("image_overlay"))
        self.publish(graph, make, 1)
        graph.wait(lambda: raw and compressed)
        assert compressed[0].header == raw[0].header == make.header(1)
        assert compressed[0].format == "bgr8; jpeg compressed bgr8"
        assert bytes(compressed[0].data[:2]) == b"\xff\xd8"
        difference = image_to_bgr(compressed[0]).astype(int) - image_to_bgr(raw[0])
        assert difference.shape == (240, 320, 3)
        assert np.abs(difference).mean() < 3
        graph.wait(lambda: node.status()["compressed"] == 1)
        assert (node.status()["drawn"], len(encoded)) == (1, 1)

    @pytest.mark.guarantee(
        "Each form of the overlay is made only while it has subscribers; one alone is enough.", section="Overlay node"
    )
    @pytest.mark.parametrize("form", ["raw", "compressed"])
    def test_one_form_alone_is_made(self, graph, make, encoded, form, monkeypatch):
        converted, convert = [], overlay_publishers.bgr_to_image
        monkeypatch.setattr(
            overlay_publishers, "bgr_to_image", lambda *given: converted.append(given) or convert(*given)
        )
        kind, topic = (Image, "image_overlay") if form == "raw" else (CompressedImage, "image_overlay/compressed")
        shown = graph.listen(kind, topic)
        node = graph.node(OverlayNode, parameters=patient())
        graph.wait(lambda: graph.probe.count_publishers(topic))
        self.publish(graph, make, 1)
        graph.wait(lambda: shown)
        assert (len(converted), len(encoded)) == ((1, 0) if form == "raw" else (0, 1))
        graph.wait(lambda: node.status()["drawn"] == 1)
        assert node.status()["compressed"] == (form == "compressed")

    def test_the_topic_follows_the_name_that_the_overlay_is_remapped_to(self, graph):
        node = graph.node(OverlayNode, remappings=[("image_overlay", "/shown/faces")])
        assert node.count_publishers("/shown/faces/compressed") == 1

    def test_the_quality_changes_with_the_next_image(self, graph, make):
        shown = graph.listen(CompressedImage, "image_overlay/compressed")
        node = graph.node(OverlayNode, parameters=patient(jpeg_quality=95))
        graph.wait(lambda: graph.probe.count_publishers("image_overlay/compressed"))
        for number, quality in ((1, 95), (2, 5)):
            assert node.set_parameters([Parameter("jpeg_quality", value=quality)])[0].successful
            self.publish(graph, make, number)
            graph.wait_for(shown, number)
        assert len(shown[1].data) < 0.7 * len(shown[0].data)
        assert not node.set_parameters([Parameter("jpeg_quality", value=0)])[0].successful

    @pytest.mark.guarantee("With `anonymize`, no detector finds a face in the overlay.", section="Overlay node")
    def test_it_is_anonymized_as_the_raw_one(self, graph, make):
        shown = graph.listen(CompressedImage, "image_overlay/compressed")
        graph.node(OverlayNode, parameters=patient(anonymize="fill", draw_bars=False))
        graph.wait(lambda: graph.probe.count_publishers("image_overlay/compressed"))
        images, emotions = graph.speak(Image, "image_raw"), graph.speak(EmotionArray, "emotions")
        images.publish(make.image(1, width=320, height=240, value=250))
        emotions.publish(emotions_at(make.header(1), BOX))
        graph.wait(lambda: shown)
        assert np.abs(image_to_bgr(shown[0])[110:150, 110:170].astype(int) - 128).mean() < 10


def test_a_image_that_nobody_looks_at_any_more_is_not_converted(graph, make, watched, monkeypatch):
    overlay = watched(parameters=patient())
    overlay.images.publish(make.image(1))
    graph.wait(lambda: overlay.node._behavior._queue.waiting == 1)
    for publisher in (overlay.node._behavior._images.raw, overlay.node._behavior._images.compressed):
        monkeypatch.setattr(publisher, "get_subscription_count", lambda: 0)
    converted = []
    monkeypatch.setattr("emotion_perception.ros.nodes.overlay.image_to_bgr", converted.append)
    overlay.emotions.publish(emotions_at(make.header(1), (10, 10, 30, 30)))
    graph.wait(lambda: not overlay.node._behavior._queue.waiting)
    graph.let_run(0.3)
    assert converted == []
    assert (overlay.node.status()["drawn"], overlay.node.faults) == (0, 0)


def test_who_comes_sees_images_and_who_leaves_ends_the_work(graph, make):
    node = graph.node(OverlayNode, parameters=patient())
    graph.wait(lambda: not graph.probe.count_subscribers("image_raw"))
    for number in (1, 2):
        overlays = []
        looking = graph.probe.create_subscription(Image, "image_overlay", overlays.append, 10)
        images, emotions = graph.speak(Image, "image_raw"), graph.speak(EmotionArray, "emotions")
        images.publish(make.image(number))
        emotions.publish(emotions_at(make.header(number)))
        graph.wait(lambda overlays=overlays: overlays)
        graph.probe.destroy_subscription(looking)
        graph.wait(lambda: not graph.probe.count_subscribers("image_raw"), "still subscribed")
        graph.wait(lambda: not graph.probe.count_subscribers("emotions"), "still subscribed")
    assert node.status()["drawn"] == 2


@pytest.mark.guarantee(
    "An image waits for late emotions, is then drawn without them, in order; superseded ones are counted.",
    section="Overlay node",
)
@pytest.mark.parametrize("use_sim_time", [False, True], ids=["own clock", "without /clock"])
def test_a_image_whose_emotions_never_come_is_drawn_without(graph, make, watched, use_sim_time):
    overlay = watched(parameters=patient(sync_timeout_s=0.2, use_sim_time=use_sim_time))
    sent = [make.image(number) for number in (1, 2, 3)]
    for image in sent:
        overlay.images.publish(image)
        count = len(overlay.overlays) + 1
        graph.wait(lambda count=count: len(overlay.overlays) == count)
    for shown, image in zip(overlay.overlays, sent, strict=True):
        assert shown.header == image.header
        np.testing.assert_array_equal(image_to_bgr(shown), image_to_bgr(image))
    assert overlay.node.status()["drawn_without_emotions"] == 3
    overlay.emotions.publish(emotions_at(make.header(3), (10, 10, 30, 30)))  # too late
    graph.wait(lambda: overlay.node.status()["emotions_unmatched"] == 1)
    assert len(overlay.overlays) == 3


def test_a_changed_wait_holds_for_images_that_wait(graph, make, watched):
    overlay = watched(parameters=patient())
    overlay.images.publish(make.image(1))
    graph.wait(lambda: overlay.node._behavior._queue.waiting == 1)
    graph.let_run(0.3)
    assert not overlay.overlays
    overlay.node.set_parameters([Parameter("sync_timeout_s", value=0.1)])
    graph.wait(lambda: overlay.overlays)


@pytest.mark.guarantee(
    "An image waits for late emotions, is then drawn without them, in order; superseded ones are counted.",
    section="Overlay node",
)
def test_images_come_in_order_once_and_superseded_ones_are_counted(graph, make, watched):
    overlay = watched(parameters=patient())
    for number in (1, 2, 3, 4, 4):
        overlay.images.publish(make.image(number))
    overlay.emotions.publish(emotions_at(make.header(3)))
    graph.wait(lambda: len(overlay.overlays) == 1)
    overlay.emotions.publish(emotions_at(make.header(2)))
    overlay.emotions.publish(emotions_at(make.header(4)))
    graph.wait(lambda: len(overlay.overlays) == 2)
    graph.wait(lambda: overlay.node.status()["superseded"] == 3)
    assert [overlay.header for overlay in overlay.overlays] == [make.header(3), make.header(4)]
    assert overlay.node.status()["drawn_without_emotions"] == 0


def test_a_bag_that_begins_again_is_drawn_again(graph, make, watched):
    overlay = watched(parameters=patient())
    for number in (1, 50, 1):
        overlay.images.publish(make.image(number))
        overlay.emotions.publish(emotions_at(make.header(number)))
        count = len(overlay.overlays) + 1
        graph.wait(lambda count=count: len(overlay.overlays) == count)
    assert [shown.header for shown in overlay.overlays] == [make.header(number) for number in (1, 50, 1)]


def test_an_impossible_region_costs_one_image(graph, make, watched):
    overlay = watched(parameters=patient())
    for number, width in ((1, 0), (2, 20)):
        message = emotions_at(make.header(number), (10, 10, 30, 30))
        message.faces[0].face.roi.width = width
        overlay.images.publish(make.image(number))
        overlay.emotions.publish(message)
        graph.wait(lambda: overlay.node.faults == 1)
    graph.wait(lambda: overlay.overlays)
    assert [shown.header for shown in overlay.overlays] == [make.header(2)]
    assert overlay.node.faults == 1


class TestAnonymize:
    @pytest.fixture
    def face(self, make):
        """An image of a real face, its region, and a function that counts the faces of an image."""
        try:
            image = cv2.imread(str(resolve_model_file("astronaut")))
            detector = create_detector(DetectorOptions())
        except ModelFileError as e:
            pytest.skip(str(e))

        def faces_in(message):
            return len(select_faces(detector.detect(image_to_bgr(message)), DetectorOptions()))

        (found,) = select_faces(detector.detect(image), DetectorOptions())
        box = (found.box.x_min, found.box.y_min, found.box.x_max, found.box.y_max)
        return lambda number: bgr_to_image(image, make.header(number)), box, faces_in

    @pytest.mark.guarantee("With `anonymize`, no detector finds a face in the overlay.", section="Overlay node")
    @pytest.mark.parametrize("mode", HIDING)
    def test_no_detector_fires_on_the_overlay_and_the_rest_stays(self, graph, make, watched, face, mode):
        image, box, faces_in = face
        overlay = watched(parameters=patient(anonymize=mode))
        overlay.images.publish(image(1))
        overlay.emotions.publish(emotions_at(make.header(1), box))
        graph.wait(lambda: overlay.overlays)
        assert faces_in(image(1)) == 1
        assert faces_in(overlay.overlays[0]) == 0
        same = (image_to_bgr(overlay.overlays[0]) == image_to_bgr(image(1))).all(axis=2)
        assert same[300:].all()

    @pytest.mark.guarantee("With `anonymize`, an image drawn without emotions is hidden whole.", section="Overlay node")
    @pytest.mark.parametrize("mode", HIDING)
    def test_a_image_drawn_without_emotions_is_hidden_whole(self, graph, watched, face, mode):
        image, _, faces_in = face
        overlay = watched(parameters={"sync_timeout_s": 0.1, "anonymize": mode})
        overlay.images.publish(image(1))
        graph.wait(lambda: overlay.overlays)
        assert overlay.node.status()["drawn_without_emotions"] == 1
        self.assert_hidden(overlay.overlays[0], image(1), faces_in)

    @pytest.mark.parametrize("status", [EmotionArray.NO_IMAGE, EmotionArray.ERROR, EmotionArray.SKIPPED])
    def test_emotions_that_are_not_ok_hide_nobody_but_the_whole_image(self, graph, make, watched, face, status):
        image, _, faces_in = face
        overlay = watched(parameters={"sync_timeout_s": 0.3, "anonymize": "blur"})
        overlay.emotions.publish(emotions_at(make.header(1), status=status))
        overlay.images.publish(image(1))
        graph.wait(lambda: overlay.overlays)
        self.assert_hidden(overlay.overlays[0], image(1), faces_in)

    def test_emotions_of_only_some_faces_hide_the_whole_image(self, graph, make, watched, face):
        image, box, faces_in = face
        overlay = watched(parameters=patient(anonymize="blur"))
        message = emotions_at(make.header(1), box)
        message.faces_omitted = 1
        overlay.images.publish(image(1))
        overlay.emotions.publish(message)
        graph.wait(lambda: overlay.overlays)
        assert overlay.node.status()["drawn_without_emotions"] == 0
        self.assert_hidden(overlay.overlays[0], image(1), faces_in)

    def test_a_face_that_the_detector_misses_for_one_image_stays_hidden(self, graph, make, watched, face):
        image, box, faces_in = face
        overlay = watched(parameters=patient(anonymize="pixelate"))
        for number, boxes in ((1, [box]), (2, [])):
            overlay.images.publish(image(number))
            overlay.emotions.publish(emotions_at(make.header(number), *boxes))
            graph.wait(lambda number=number: len(overlay.overlays) == number)
        assert faces_in(overlay.overlays[1]) == 0

    def test_it_is_switched_on_for_the_next_image(self, graph, make, watched, face):
        image, box, faces_in = face
        overlay = watched(parameters=patient(draw_bars=False))
        for number, mode in ((1, "none"), (2, "fill"), (3, "none")):
            overlay.node.set_parameters([Parameter("anonymize", value=mode)])
            overlay.images.publish(image(number))
            overlay.emotions.publish(emotions_at(make.header(number), box))
            graph.wait(lambda number=number: len(overlay.overlays) == number)
        assert [faces_in(shown) for shown in overlay.overlays] == [1, 0, 1]
        assert not overlay.node.set_parameters([Parameter("anonymize", value="mask")])[0].successful

    def assert_hidden(self, shown, sent, faces_in):
        assert shown.header == sent.header
        assert faces_in(shown) == 0
        assert (image_to_bgr(shown) != image_to_bgr(sent)).any(axis=2).mean() > 0.9


class TestMarkers:
    def start(self, graph):
        markers = graph.listen(MarkerArray, "markers")
        node = graph.node(OverlayNode)
        graph.wait(lambda: node.count_subscribers("markers"))
        self.emotions = graph.speak(EmotionArray, "emotions")
        graph.wait(lambda: graph.probe.count_publishers("markers"))
        return node, markers

    @pytest.mark.guarantee("A marker has the position of the face in the camera's frame.", section="Overlay node")
    def test_a_face_is_a_sphere_and_a_text_where_it_is_in_the_room(self, graph, make):
        node, arrays = self.start(graph)
        header = make.header(1, frame_id="left eye/ä")
        self.emotions.publish(emotions_at(header, (300, 200, 340, 280), track=3))
        graph.wait(lambda: arrays)
        sphere, text = arrays[0].markers
        assert [marker.header for marker in (sphere, text)] == [header, header]
        assert [(marker.ns, marker.id, marker.action) for marker in (sphere, text)] == [
            ("emotions", 6, Marker.ADD),
            ("emotions", 7, Marker.ADD),
        ]
        assert (sphere.type, text.type) == (Marker.SPHERE, Marker.TEXT_VIEW_FACING)
        position = sphere.pose.position
        assert (position.x, position.y, position.z) == (0.25, -0.5, 2.0)
        assert text.pose.position.y < position.y
        assert text.text == "#3 sad 75%"
        assert (sphere.color.r, sphere.color.g, sphere.color.b) == (text.color.r, text.color.g, text.color.b)
        assert (sphere.lifetime.sec, sphere.lifetime.nanosec) == (text.lifetime.sec, text.lifetime.nanosec) == (60, 0)
        assert sphere.pose.orientation.w == 1.0
        graph.wait(lambda: node.status()["markers"] == 1)
        graph.wait(lambda: not graph.probe.count_subscribers("image_raw"), "images are taken for markers alone")

    def test_the_markers_of_a_track_that_is_gone_are_deleted_and_only_where_that_is_known(self, graph, make):
        _, arrays = self.start(graph)
        self.emotions.publish(emotions_at(make.header(1), (10, 10, 50, 50), (60, 10, 90, 50), track=1))
        graph.wait(lambda: len(arrays) == 1)
        self.emotions.publish(emotions_at(make.header(2), status=EmotionArray.SKIPPED))
        graph.let_run(0.2)
        assert len(arrays) == 1
        self.emotions.publish(emotions_at(make.header(3), (60, 10, 90, 50), track=2))
        graph.wait(lambda: len(arrays) == 2)
        assert {(marker.id, marker.action) for marker in arrays[1].markers} == {
            (4, Marker.ADD),
            (5, Marker.ADD),
            (2, Marker.DELETE),
            (3, Marker.DELETE),
        }
        assert {marker.ns for marker in arrays[1].markers} == {"emotions"}
        assert {marker.header.stamp.nanosec for marker in arrays[1].markers} == {make.header(3).stamp.nanosec}

    @pytest.mark.guarantee(
        "A marker lives longer than the gap to the next one at any frame rate, and is deleted when its track ends.",
        section="Overlay node",
    )
    @pytest.mark.parametrize("period_ds", [1, 10, 50, 200], ids=lambda period_ds: f"{10 / period_ds:g} Hz")
    def test_markers_do_not_blink(self, graph, make, period_ds):
        _, arrays = self.start(graph)
        for index in range(4):
            self.emotions.publish(emotions_at(make.header(index * period_ds), (10, 10, 50, 50)))
            graph.wait_for(arrays, index + 1)
        lifetimes_s = [array.markers[0].lifetime.sec + array.markers[0].lifetime.nanosec * 1e-9 for array in arrays]
        assert lifetimes_s[1:] == pytest.approx([max(2.0, 0.3 * period_ds)] * 3)
        assert lifetimes_s[0] >= 2 * period_ds / 10
        self.emotions.publish(emotions_at(make.header(4 * period_ds)))
        graph.wait_for(arrays, 5)
        assert {(marker.id, marker.action) for marker in arrays[4].markers} == {(2, Marker.DELETE), (3, Marker.DELETE)}

    def test_an_impossible_region_costs_one_array(self, graph, make):
        node, arrays = self.start(graph)
        for number, width in ((1, 0), (2, 20)):
            message = emotions_at(make.header(number), (10, 10, 30, 30))
            message.faces[0].face.roi.width = width
            self.emotions.publish(message)
            graph.wait(lambda: node.faults == 1)
        graph.wait(lambda: arrays)
        assert arrays[0].markers[0].header == make.header(2)

    @pytest.mark.guarantee(
        "A face without a position has no marker, and one log line gives the reason.", section="Overlay node"
    )
    def test_without_positions_there_are_no_markers_and_one_line_says_so(self, graph, make, capfd):
        node, arrays = self.start(graph)
        printed = []

        def said():
            printed.extend(capfd.readouterr().err.splitlines())
            return [line for line in printed if "camera_info" in line]

        for number in (1, 2, 3):
            self.emotions.publish(emotions_at(make.header(number), (10, 10, 30, 30), position=UNKNOWN_POSITION))
        graph.wait(said)
        graph.let_run(0.5)
        (line,) = said()
        assert "INFO" in line
        assert "no markers: no face has a position; face_detection_node needs a camera_info with a K" in line
        assert arrays == []
        assert node.status()["markers"] == node.faults == 0
