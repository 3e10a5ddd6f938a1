# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The images that a report's player shows are few and small enough for one file, whatever the recording."""

import json
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
from bag_files import write_bag
from bag_scene import HAPPY, PLAIN, STEP, T0, make_pipeline, scene, stamps

from emotion_perception.bags.evaluation import evaluate_bag
from emotion_perception.bags.inference.frame_result import DROPPED, PROCESSED, FrameResult
from emotion_perception.bags.inference.settings import Settings
from emotion_perception.bags.io.messages import NS
from emotion_perception.bags.report.player import MAX_BYTES, MAX_FRAMES, PlayerFrames
from emotion_perception.core.types import Box, Face, FaceEmotion

MINUTES_10 = 600 * NS
LIMIT = 20_000_000  # bytes of the page


def result(stamp_ns, image, *boxes, status=PROCESSED):
    row = np.array([0.25, 0.75], np.float32)
    faces = [Face(Box(*box), 0.9, track_id=k) for k, box in enumerate(boxes, start=1)]
    emotions = tuple(FaceEmotion(face, "happiness", 0.75, False, row, row) for face in faces)
    return FrameResult(
        index=0, stamp_ns=stamp_ns, received_ns=stamp_ns, status=status, emotions=emotions, image_bgr=image
    )


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_ten_images_a_second_are_kept_of_a_short_recording():
    player, image = PlayerFrames(), np.zeros((48, 64, 3), np.uint8)
    for k in range(90):
        player.add(result(T0 + k * NS // 30, image))
    assert [frame.stamp_ns - T0 for frame in player.frames] == [k * NS // 30 for k in range(0, 90, 3)]


@pytest.mark.parametrize("minutes", [10, 240])
def test_the_images_of_a_long_recording_are_few_and_evenly_spaced(minutes):
    player, image = PlayerFrames(), np.zeros((48, 64, 3), np.uint8)
    count = minutes * 60 * 4
    for k in range(count):
        player.add(result(T0 + k * NS // 4, image))
    times = np.array([frame.stamp_ns for frame in player.frames])
    assert MAX_FRAMES / 2 <= len(times) <= MAX_FRAMES
    assert np.ptp(np.diff(times)) <= NS // 4
    assert times[0] == T0
    assert T0 + count * NS // 4 - times[-1] <= np.diff(times).max()


def test_images_that_compress_badly_stay_within_the_limit():
    player, image = PlayerFrames(), noise(240, 320)
    for k in range(1200):
        player.add(result(T0 + k * NS // 2, np.roll(image, k, axis=1)))
    sizes = [len(frame.jpeg) for frame in player.frames]
    assert MAX_BYTES / 4 < sum(sizes) <= MAX_BYTES
    times = np.array([frame.stamp_ns for frame in player.frames])
    assert times[-1] - times[0] > 0.9 * MINUTES_10


def test_images_come_in_the_order_of_their_stamps_as_real_time_results_do_not():
    player, image = PlayerFrames(), np.zeros((48, 64, 3), np.uint8)
    for k in (2, 0, 1, 4, 3):
        player.add(result(T0 + k * STEP, image))
    assert [frame.stamp_ns for frame in player.frames] == stamps(5)


def test_only_processed_frames_with_an_image_are_kept():
    player, image = PlayerFrames(), np.zeros((48, 64, 3), np.uint8)
    player.add(result(T0, image, status=DROPPED))
    player.add(result(T0 + STEP, None))
    assert player.frames == []


@pytest.mark.parametrize(
    ("height", "width", "shown"), [(720, 1280, (180, 320)), (90, 4000, (7, 320)), (48, 64, (48, 64))]
)
def test_images_are_small_and_the_regions_of_faces_those_of_the_source(height, width, shown):
    player = PlayerFrames()
    player.add(result(T0, np.zeros((height, width, 3), np.uint8), (1, 2, 30, 40)))
    (frame,) = player.frames
    assert cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (*shown, 3)
    assert frame.size == (width, height)
    assert frame.emotions[0].face.box == Box(1, 2, 30, 40)


def test_anonymized_images_show_no_face_and_a_lost_face_stays_hidden_for_a_second():
    player, image = PlayerFrames("fill"), np.full((120, 160, 3), 20, np.uint8)
    image[30:70, 40:80] = 250
    player.add(result(T0, image, (40, 30, 80, 70)))
    player.add(result(T0 + NS // 30, image, (40, 30, 80, 70)))  # is not kept, but seen last
    player.add(result(T0 + NS // 2, image))
    for frame in player.frames:
        shown = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert abs(int(shown[50, 60, 1]) - 128) < 20
    assert len(player.frames) == 2


def evaluate(bag, out, settings=PLAIN):
    evaluate_bag(bag, out, settings, progress=False, make_pipeline=make_pipeline)
    return (out / "report.html").read_text(encoding="utf-8")


def data_of(page):
    return json.loads(re.search(r'id="player-data">(.*?)</script>', page)[1])


@pytest.mark.guarantee(
    "The report of a recording of ten minutes is one file below 20 MB, with its images and its time line.",
    section="Recording and replay",
)
@pytest.mark.slow
def test_the_page_of_ten_minutes_is_below_20_mb(tmp_path):
    background = noise(240, 320) // 8  # dark enough to be no face
    images = []
    for k in range(1200):
        image = np.roll(background, 7 * k, axis=1)
        image[60:160, 100 + k % 80 : 200 + k % 80] = HAPPY
        images.append(image)
    bag = write_bag(tmp_path / "bag", images, stamps(1200, step=NS // 2))
    page = evaluate(bag, tmp_path / "out")
    assert len(page.encode()) < LIMIT
    data = data_of(page)
    assert len(data["times"]) == len(data["images"]) == len(data["faces"]) >= 300
    assert data["times"][-1] > 590
    assert data["seconds"] == pytest.approx(599.5)
    assert all(len(faces) == 1 for faces in data["faces"])


def test_without_images_there_is_no_player_and_the_time_line_stays(tmp_path):
    images = [scene((40, 30, 40, HAPPY))] * 5
    bag = write_bag(tmp_path / "bag", images, stamps(5))
    page = evaluate(bag, tmp_path / "out", replace(PLAIN, write_bag=True))
    assert 'id="player-data"' in page
    anonymous = Settings(write_bag=True, anonymize="blur")
    evaluate(bag, tmp_path / "anonymous", anonymous)
    page = evaluate(tmp_path / "anonymous" / "bag", tmp_path / "recorded", Settings(mode="recorded", topic=None))
    assert "Smoothed probabilities of track 1" in page
