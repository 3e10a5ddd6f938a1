import numpy as np
from rclpy.time import Time
from sensor_msgs.msg import Image

from emotion_perception.core.types import Box, Face, FaceEmotion, FrameCounts
from emotion_perception.ros.conversions import Answer, EmotionArray, ModelIdentity, faces_to_msg
from emotion_perception.ros.images import image_to_bgr
from emotion_perception.ros.overlay_node import OverlayNode

LABELS = ("glad", "sad")


def emotions_at(header, *boxes):
    row = np.array([0.25, 0.75], np.float32)
    faces = [Face(Box(*box), 0.9, id=1) for box in boxes]
    source = faces_to_msg(header, faces, detector="fake", detect_ms=1.0, counts=FrameCounts())
    answer = Answer(source, EmotionArray.OK, [FaceEmotion(face, "sad", 0.75, False, row, row) for face in faces])
    return answer.to_msg(ModelIdentity(LABELS, "fake", "", "cpu", False), Time())


def test_the_overlay_shows_the_box_under_the_source_header(graph, make):
    graph.node(OverlayNode)
    overlays = graph.listen(Image, "image_overlay")
    images, emotions = graph.speak(Image, "image_raw"), graph.speak(EmotionArray, "emotions")
    sent = make.picture(1, width=320, height=240)
    graph.wait(lambda: graph.probe.count_publishers("image_overlay"))
    images.publish(sent)
    emotions.publish(emotions_at(make.header(1), (100, 80, 180, 160)))
    graph.wait(lambda: overlays)
    assert overlays[0].header == sent.header
    changed = (image_to_bgr(overlays[0]) != image_to_bgr(sent)).any(axis=2)
    assert changed[80:160, 100].mean() > 0.9
    assert not changed[200:, :60].any()


def test_nothing_is_drawn_while_nobody_looks(graph, make):
    node = graph.node(OverlayNode)
    images, emotions = graph.speak(Image, "image_raw"), graph.speak(EmotionArray, "emotions")
    images.publish(make.picture(1))
    emotions.publish(emotions_at(make.header(1), (10, 10, 30, 30)))
    graph.let_run(0.3)
    assert node.status()["drawn"] == 0


def test_an_impossible_region_costs_one_picture(graph, make):
    node = graph.node(OverlayNode)
    overlays = graph.listen(Image, "image_overlay")
    images, emotions = graph.speak(Image, "image_raw"), graph.speak(EmotionArray, "emotions")
    graph.wait(lambda: node.count_subscribers("image_overlay"))
    for number, width in ((1, 0), (2, 20)):
        message = emotions_at(make.header(number), (10, 10, 30, 30))
        message.faces[0].face.roi.width = width
        images.publish(make.picture(number))
        emotions.publish(message)
        graph.wait(lambda: node.faults == 1)
    graph.wait(lambda: overlays)
    assert [overlay.header for overlay in overlays] == [make.header(2)]
    assert node.faults == 1
