# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import bag_files
import numpy as np
import pytest
from bag_files import camera_info, header, message_of, write_bag
from bag_scene import HAPPY, STEP, T0, scene, stamps
from encoded_images import ENCODERS, as_bgr, fields, gradient, tolerance
from rosbags.rosbag2 import StoragePlugin, Writer

from emotion_perception.bags.io.images import image_topic, read_bag_images
from emotion_perception.bags.io.messages import CAMERA_INFO, COMPRESSED, IMAGE, typestore
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.errors import ImageError, RecordingError
from emotion_perception.core.images.image_codec import ENCODINGS

PICTURE = scene((20, 30, 40, HAPPY))


def bag_of(tmp_path, *topics, **options):
    """Makes a recording with one image on the first topic and one on each further topic."""
    other = write_bag(tmp_path / "other", [PICTURE], [T0])
    with Recording(other) as recording:
        raw = next(recording.messages(["/image_raw"])).raw
    extra = [(topic, IMAGE, T0, bytes(raw)) for topic in topics[1:]]
    return write_bag(tmp_path / "bag", [PICTURE], [T0], topic=topics[0], extra=extra, **options)


@pytest.mark.parametrize(
    ("topics", "wanted", "expected"),
    [
        (["/anything"], None, "/anything"),
        (["/anything"], "/anything", "/anything"),
        (["/anything"], "anything", "/anything"),
        (["/image_raw", "/image_overlay"], None, "/image_raw"),
        (["/front/image_raw", "/front/image_raw/compressed"], None, "/front/image_raw"),
        (["/front/image_raw", "/rear/image_raw"], "/rear/image_raw", "/rear/image_raw"),
        (["/image_overlay", "/cam/image_raw/compressed"], None, "/cam/image_raw/compressed"),
    ],
)
def test_the_cameras_topic_is_taken(tmp_path, topics, wanted, expected):
    with Recording(bag_of(tmp_path, *topics)) as recording:
        assert image_topic(recording, wanted).name == expected


@pytest.mark.parametrize(
    ("topics", "wanted", "line"),
    [
        (["/front/image_raw"], "/back", "has no image topic /back; image topics: /front/image_raw"),
        (
            ["/front/image_raw", "/rear/image_raw"],
            None,
            "several image topics, name one with --topic: /front/image_raw, /rear",
        ),
        (["/a", "/b"], None, "several image topics"),
    ],
)
def test_a_wrong_topic_is_one_line_that_lists_the_right_ones(tmp_path, topics, wanted, line):
    with Recording(bag_of(tmp_path, *topics)) as recording, pytest.raises(RecordingError, match=line):
        image_topic(recording, wanted)


def test_the_line_about_several_topics_names_the_option_of_the_program(tmp_path):
    with (
        Recording(bag_of(tmp_path, "/a", "/b")) as recording,
        pytest.raises(RecordingError, match="name one with topic:=TOPIC: /a, /b"),
    ):
        image_topic(recording, None, option="topic:=TOPIC")


@pytest.mark.parametrize("filled", ["/cam/image_raw/compressed", "/rear/image_raw"])
def test_a_topic_without_images_is_not_taken_for_the_cameras(tmp_path, filled):
    with Writer(tmp_path / "bag", version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        writer.add_connection("/cam/image_raw", IMAGE, typestore=typestore())
        connection = writer.add_connection(filled, IMAGE, typestore=typestore())
        writer.write(connection, T0, bytes(typestore().serialize_cdr(bag_files.image(scene(), header(T0)), IMAGE)))
    with Recording(tmp_path / "bag") as recording:
        assert image_topic(recording, None).name == filled


def test_a_recording_without_images_lists_what_it_has(tmp_path):
    info = [("/camera_info", CAMERA_INFO, T0, camera_info(header(T0), width=160, height=120))]
    with Recording(write_bag(tmp_path / "bag", [], [], topic="/image_raw", extra=info)) as recording:
        with pytest.raises(
            RecordingError, match="there is no image on any topic; image topics: /image_raw [(]without an"
        ):
            image_topic(recording, None)
        with pytest.raises(RecordingError, match="there is no image on image_raw; image topics: /image_raw [(]with"):
            image_topic(recording, "image_raw")
        with pytest.raises(RecordingError, match="no image topic /camera_info"):
            image_topic(recording, "/camera_info")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_images_come_as_they_were_with_stamp_and_time(tmp_path, compressed, storage):
    received = stamps(3, start=T0 + 5)
    bag = write_bag(
        tmp_path / "bag", [PICTURE] * 3, stamps(3), received_ns=received, compressed=compressed, storage=storage
    )
    with Recording(bag) as recording:
        found = list(read_bag_images(recording, image_topic(recording, None)))
    assert [image.number for image in found] == [0, 1, 2]
    assert [image.stamp_ns for image in found] == stamps(3)
    assert [image.received_ns for image in found] == received
    for image in found:
        np.testing.assert_array_equal(image.to_bgr(), PICTURE)


@pytest.mark.guarantee("Recordings are read in every encoding that the nodes take.", section="Recording and replay")
def test_every_encoding_that_the_nodes_take_is_read(tmp_path):
    expected, messages = gradient(160, 120), []
    for number, (encoding, encode) in enumerate(ENCODERS.items()):
        values = vars(fields(encode(expected), encoding))
        values["data"] = np.frombuffer(values["data"], np.uint8)
        stamp = T0 + number * STEP
        messages.append(("/image_raw", IMAGE, stamp, message_of(IMAGE, header=header(stamp), **values)))
    bag = write_bag(tmp_path / "bag", [], [], topic="/x", extra=messages)
    with Recording(bag) as recording:
        images = [image.to_bgr() for image in read_bag_images(recording, image_topic(recording, "/image_raw"))]
    assert len(images) == len(ENCODINGS)
    for encoding, image in zip(ENCODERS, images, strict=True):
        difference = np.abs(image.astype(int) - as_bgr(expected, encoding)).max()
        assert difference <= tolerance(encoding), encoding


@pytest.mark.parametrize("kind", [IMAGE, COMPRESSED])
@pytest.mark.parametrize("raw", [b"", b"\x00\x01\x00\x00", b"\x00\x01\x00\x00" + b"\xff" * 40])
def test_a_damaged_message_is_a_image_with_a_problem(tmp_path, kind, raw):
    extra = [("/cam", kind, T0 + STEP, raw)]
    bag = write_bag(tmp_path / "bag", [], [], topic="/x", extra=extra)
    with Recording(bag) as recording:
        (image,) = read_bag_images(recording, image_topic(recording, "/cam"))
    assert image.stamp_ns == image.received_ns == T0 + STEP
    with pytest.raises(ImageError):
        image.to_bgr()


@pytest.mark.parametrize("damaged", [[0, 1], [2, 3], [1, 4]])
def test_a_damaged_message_has_the_stamp_of_another_whatever_its_time_of_reception(tmp_path, damaged):
    received = [7, 8, 9, (1 << 64) - 2, (1 << 64) - 1]
    messages = [
        ("/cam", IMAGE, time, b"" if k in damaged else bag_files.image(PICTURE, header(T0 + k * STEP)))
        for k, time in enumerate(received)
    ]
    bag = write_bag(tmp_path / "bag", [], [], topic="/x", extra=messages)
    with Recording(bag) as recording:
        found = [image.stamp_ns for image in read_bag_images(recording, image_topic(recording, "/cam"))]
    before = {0: 2, 1: 2} if 0 in damaged else {k: max(j for j in range(k) if j not in damaged) for k in damaged}
    assert found == [T0 + before.get(k, k) * STEP for k in range(5)]


def test_if_all_messages_are_damaged_their_stamps_are_the_times_of_reception(tmp_path):
    messages = [("/cam", IMAGE, time, b"") for time in (T0, T0 + STEP, (1 << 64) - 1)]
    with Recording(write_bag(tmp_path / "bag", [], [], topic="/x", extra=messages)) as recording:
        found = [image.stamp_ns for image in read_bag_images(recording, image_topic(recording, "/cam"))]
    assert found == [T0, T0 + STEP, (1 << 63) - 1]
