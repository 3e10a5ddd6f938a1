# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import csv
import json
import re
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
from bag_files import camera_info, header, image, write_bag
from bag_scene import HAPPY, PLAIN, SAD, STEP, T0, Grays, Squares, make_pipeline, make_slow_pipeline, scene, stamps
from programs import installed_program

from emotion_perception.bags.evaluation import evaluate_bag
from emotion_perception.bags.inference.settings import Settings
from emotion_perception.bags.io.images import deserialize
from emotion_perception.bags.io.messages import (
    CAMERA_INFO,
    COMPRESSED,
    DIAGNOSTICS,
    EMOTIONS,
    FACES,
    IMAGE,
    IMAGE_ANNOTATIONS,
    NS,
    annotation_typestore,
)
from emotion_perception.bags.io.recording import Recording
from emotion_perception.bags.labeling import label_bag
from emotion_perception.core.classification.options import RecognizerOptions
from emotion_perception.core.errors import ConfigurationError, DatasetError, RecordingError
from emotion_perception.core.images.image_codec import compressed_to_bgr
from emotion_perception.core.pipeline import PipelineOptions

COUNT = 20
SQUARE = (40, 30, 40)
RECORDED = Settings(mode="recorded")


def evaluate(bag, out, settings=PLAIN, **options):
    return evaluate_bag(bag, out, settings, progress=False, **{"make_pipeline": make_pipeline, **options})


def mood(k):
    """Returns the gray of the face in frame k: happy in the first half, sad in the second."""
    return HAPPY if k < COUNT // 2 else SAD


@pytest.fixture
def bag(tmp_path):
    return write_bag(tmp_path / "bag", [scene((*SQUARE, mood(k))) for k in range(COUNT)], stamps(COUNT))


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(
        "start_s,end_s,track_or_region,label,group,person\n"
        "0,1,30 20 60 60,happy,day,Ann\n"
        "1,1.5,30 20 60 60,sad,day,Ann\n"
        "1.5,2,30 20 60 60,fear,night,Ann\n"
    )
    return path


def test_a_recording_is_accounted_for_and_scored(bag, labels, tmp_path):
    settings = Settings(pipeline=PipelineOptions(recognizer=RecognizerOptions(smoothing_s=0.0, label_hysteresis=0.0)))
    report = evaluate(bag, tmp_path / "out", settings, labels=labels)
    assert (report["frames"]["in_bag"], report["frames"]["processed"], report["frames"]["without_face"]) == (20, 20, 0)
    assert report["predictions"]["labels"]["happiness"] == report["predictions"]["labels"]["sadness"] == 10
    assert report["recognition"]["smoothed"]["accuracy"] == report["recognition"]["published_accuracy"] == 0.75
    assert {name: row["accuracy"] for name, row in report["subgroups"].items()} == {"day": 1.0, "night": 0.0}
    assert report["detection"]["recall"] == 1.0
    assert report["stability"]["id_switches"] == 0
    assert report["stability"]["flips_per_minute_raw"] == pytest.approx(1 / (1.9 / 60), rel=1e-4)
    assert report["label_file"]["rows_used"] == 3
    assert (report["model"], report["model_sha256"], report["topic"]) == (
        "grays",
        Grays.info.model_sha256,
        "/image_raw",
    )
    assert report["duration_s"] == 1.9
    assert report["problems"] == []
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report


def test_the_page_holds_everything_in_itself(bag, labels, tmp_path):
    evaluate(bag, tmp_path / "out", labels=labels)
    page = (tmp_path / "out" / "report.html").read_text()
    assert not re.search(r"(src|href)=[\"'](?!data:)", page)
    assert page.count("data:image/png") >= 6  # five plots and a misclassified face
    assert "true label <b>fear</b>" in page
    for name in ("timeline", "frame_statuses", "latency", "confusion", "reliability", "coverage"):
        assert cv2.imread(str(tmp_path / "out" / f"{name}.png")) is not None


@pytest.mark.parametrize("thread_safe", [True, False])
def test_twice_the_same_recording_gives_the_same_report_but_for_the_timing(
    bag, labels, tmp_path, monkeypatch, thread_safe
):
    texts = []
    for name in ("one", "two"):
        evaluate(bag, tmp_path / name, labels=labels)
        text = (tmp_path / name / "report.json").read_text()
        texts.append(text[: text.index('"timing"')])
        assert (tmp_path / name / "emotions.csv").read_bytes() == (tmp_path / "one" / "emotions.csv").read_bytes()
        monkeypatch.setattr(Squares, "thread_safe", thread_safe)  # a detector that threads may share looks ahead
    assert texts[0] == texts[1]


def test_the_tables_have_a_row_for_each_frame_and_face(tmp_path):
    images = [scene(), scene((*SQUARE, HAPPY)), scene((*SQUARE, HAPPY), (100, 60, 30, SAD))]
    evaluate(write_bag(tmp_path / "bag", images, stamps(3)), tmp_path / "out")
    with open(tmp_path / "out" / "frames.csv") as file:
        assert [(row["frame"], row["status"], row["faces"]) for row in csv.DictReader(file)] == [
            ("0", "processed", "0"),
            ("1", "processed", "1"),
            ("2", "processed", "2"),
        ]
    with open(tmp_path / "out" / "emotions.csv") as file:
        rows = list(csv.DictReader(file))
    assert [(row["frame"], row["track_id"], row["x"], row["y"], row["w"], row["h"], row["label"]) for row in rows] == [
        ("1", "1", "40", "30", "40", "40", "happiness"),
        ("2", "1", "40", "30", "40", "40", "happiness"),
        ("2", "2", "100", "60", "30", "30", "sadness"),
    ]
    assert [row["stamp_ns"] for row in rows] == [str(T0 + k * STEP) for k in (1, 2, 2)]


def test_images_that_only_the_metadata_has_are_told_with_their_number(tmp_path):
    bag = write_bag(tmp_path / "bag", [scene()] * 3, stamps(3))
    text = (bag / "metadata.yaml").read_text()
    (bag / "metadata.yaml").write_text(re.sub(r"message_count: 3\b", "message_count: 5", text))
    evaluate(bag, tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert "3 images were read, 5 are declared" in report["problems"]


def test_the_table_has_positions_where_the_recording_has_a_calibration(tmp_path):
    info = ("/camera_info", CAMERA_INFO, T0, camera_info(header(T0), width=160, height=120))
    for name, extra in (("calibrated", [info]), ("not", [])):
        bag = write_bag(tmp_path / f"bag_{name}", [scene((*SQUARE, HAPPY))], [T0], extra=extra)
        evaluate(bag, tmp_path / name)
    tables = ((tmp_path / name / "emotions.csv").read_text().splitlines() for name in ("calibrated", "not"))
    calibrated, unknown = (next(csv.DictReader(table)) for table in tables)
    assert float(calibrated["position_z"]) == pytest.approx(0.13 * 160 / 40, rel=0.01)
    assert calibrated["position_source"] == "face_size"
    assert (unknown["position_z"], unknown["position_source"], unknown["head_yaw"]) == ("", "", "")
    assert float(calibrated["valence"]) > 0.5


@pytest.mark.guarantee(
    "A recorded calibration that cannot be used is a problem in the report.", section="Recording and replay"
)
@pytest.mark.parametrize(
    ("width", "k", "problem"),
    [
        (160, [np.nan] * 9, "/camera_info: focal length nan, nan is not in 1 to 1e+06; positions are unknown"),
        (320, None, "/camera_info is for 320x120 pixels, but 2 images are not: their positions are unknown"),
    ],
    ids=["NaN", "another size"],
)
def test_a_calibration_that_cannot_be_used_is_a_problem(tmp_path, width, k, problem):
    info = camera_info(header(T0), width=width, height=120)
    if k is not None:
        info.k = np.array(k)
    extra = [("/camera_info", CAMERA_INFO, T0, info)]
    bag = write_bag(tmp_path / "bag", [scene((20, 30, 40, HAPPY))] * 2, stamps(2), extra=extra)
    assert evaluate(bag, tmp_path / "out")["problems"] == [problem]


def test_faces_for_which_the_models_outputs_are_not_finite_have_no_label_and_are_a_problem(tmp_path):
    def damaged(options):
        pipeline = make_pipeline(options)
        classifier = pipeline.recognizer.classifier
        classify = classifier.classify
        classifier.classify = lambda crops: np.where([[crop.mean() > SAD] for crop in crops], np.nan, classify(crops))
        return pipeline

    bag = write_bag(tmp_path / "bag", [scene((*SQUARE, HAPPY), (100, 60, 30, SAD))] * 2, stamps(2))
    report = evaluate(bag, tmp_path / "out", make_pipeline=damaged)
    assert report["problems"] == ["grays: the model's outputs are not finite for 2 crops of faces"]
    with open(tmp_path / "out" / "emotions.csv") as file:
        rows = [(row["label"], row["score"], row["uncertain"], row["smoothed_anger"]) for row in csv.DictReader(file)]
    assert [row[0] for row in rows] == ["", "sadness"] * 2
    assert rows[0] == ("", "0.0", "1", "")


def test_what_cannot_be_decoded_is_counted_and_the_rest_goes_on(tmp_path):
    good = write_bag(tmp_path / "good", [scene((*SQUARE, HAPPY))], [T0])
    with Recording(good) as recording:
        raw = bytes(next(recording.messages(["/image_raw"])).raw)
    strange = raw.replace(b"bgr8", b"abc8")
    extra = [("/cam/image_raw", IMAGE, T0 + k * STEP, data) for k, data in enumerate([raw, strange, raw[:90], raw])]
    bag = write_bag(tmp_path / "bag", [], [], topic="/x", extra=extra)
    report = evaluate(bag, tmp_path / "out", Settings(topic="/cam/image_raw"))
    assert {name: report["frames"][name] for name in ("in_bag", "decoded", "processed", "undecodable")} == {
        "in_bag": 4,
        "decoded": 2,
        "processed": 2,
        "undecodable": 2,
    }
    with open(tmp_path / "out" / "frames.csv") as file:
        problems = [row["problem"] for row in csv.DictReader(file)]
    assert "encoding 'abc8' is none of" in problems[1]
    assert "bytes are damaged" in problems[2]


def test_a_network_that_fails_on_a_frame_costs_that_frame(bag, tmp_path):
    def failing(options):
        pipeline = make_pipeline(options)
        plain = pipeline.tracking.update

        def update(image_bgr, stamp_s, *options, detections=None):
            if stamp_s > (T0 + 18.5 * STEP) * 1e-9:
                raise RuntimeError("out of paper")
            return plain(image_bgr, stamp_s, *options, detections=detections)

        pipeline.tracking.update = update
        return pipeline

    report = evaluate(bag, tmp_path / "out", make_pipeline=failing)
    assert (report["frames"]["processed"], report["frames"]["failed"]) == (19, 1)
    assert "out of paper" in (tmp_path / "out" / "frames.csv").read_text()


def test_images_of_changing_size_and_stamps_out_of_order(tmp_path):
    images = [scene((*SQUARE, HAPPY), width=width) for width in (160, 200, 160, 160)]
    order = [T0, T0 + 2 * STEP, T0 + STEP, T0 + 3 * STEP]
    report = evaluate(write_bag(tmp_path / "bag", images, order, received_ns=stamps(4)), tmp_path / "out")
    assert report["frames"]["sizes"] == {"160x120": 3, "200x120": 1}
    assert report["frames"]["stamps_backward"] == 1
    assert report["frames"]["processed"] == 4
    assert report["stability"]["tracks"] == 2  # a step back begins new tracks, as on a robot


def test_a_slow_machine_drops_frames_in_real_time_and_none_otherwise(bag, tmp_path):
    report = evaluate(bag, tmp_path / "out", Settings(mode="realtime"), make_pipeline=make_slow_pipeline)
    frames = report["frames"]
    assert frames["in_bag"] == 20 == frames["processed"] + frames["dropped"] + frames["skipped"]
    assert 3 <= frames["processed"] <= 12  # 0.25 s a frame, a frame every 0.1 s
    assert report["timing"]["latency_ms"]["p50"] >= 250
    assert report["timing"]["age_ms"]["n"] == frames["processed"]
    quick = evaluate(bag, tmp_path / "quick", Settings(mode="realtime"))
    assert quick["frames"]["in_bag"] == quick["frames"]["processed"] + quick["frames"]["dropped"]
    assert quick["frames"]["processed"] >= 15


@pytest.mark.guarantee(
    "Times of labels count from the first image, also where a slow machine drops the second one before it is done.",
    section="Recording and replay",
)
def test_results_in_real_time_come_in_the_order_of_the_images(bag, labels, tmp_path):
    def make(options):
        return make_pipeline(options, delay_s=0.6)

    report = evaluate(bag, tmp_path / "out", Settings(mode="realtime"), make_pipeline=make, labels=labels)
    assert report["first_stamp_ns"] == T0
    with open(tmp_path / "out" / "frames.csv", newline="") as file:
        frames = [(int(row["frame"]), row["status"]) for row in csv.DictReader(file)]
    assert [number for number, _ in frames] == [*range(COUNT)]
    assert frames[0][1] == "processed"
    assert "dropped" in {status for _, status in frames}


def read_topic(bag, name, kind):
    with Recording(bag) as recording:
        return [(entry.received_ns, deserialize(entry.raw, kind)) for entry in recording.messages([name])]


def test_the_written_recording_holds_results_beside_the_images(bag, tmp_path):
    out = tmp_path / "out"
    evaluate(bag, out, Settings(write_bag=True))
    with Recording(out / "bag") as recording:
        assert {topic.name: (topic.type, topic.count) for topic in recording.topics} == {
            "/image_raw": (IMAGE, COUNT),
            "/faces": (FACES, COUNT),
            "/emotions": (EMOTIONS, COUNT),
            "/image_overlay/compressed": (COMPRESSED, COUNT),
            "/image_annotations": (IMAGE_ANNOTATIONS, COUNT),
            "/diagnostics": (DIAGNOSTICS, 2),  # once a second
        }
        assert recording.problems == []
        copies = [bytes(entry.raw) for entry in recording.messages(["/image_raw"])]
    with Recording(bag) as recording:
        assert copies == [bytes(entry.raw) for entry in recording.messages(["/image_raw"])]
    emotions = read_topic(out / "bag", "/emotions", EMOTIONS)
    for k, (received, message) in enumerate(emotions):
        assert received == message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == T0 + k * STEP
        assert message.header.frame_id == "camera_optical_frame"
        assert (message.frames_received, message.frames_processed) == (k + 1, k + 1)
        (face,) = message.faces
        roi = face.face.roi
        assert (roi.x_offset, roi.y_offset, roi.width, roi.height) == (40, 30, 40, 40)
        assert np.sum(face.probabilities) == pytest.approx(1, abs=1e-5)
    (_, overlay), *_ = read_topic(out / "bag", "/image_overlay/compressed", COMPRESSED)
    assert compressed_to_bgr(overlay.data).shape == (120, 160, 3)
    with Recording(out / "bag") as recording:
        annotations = list(recording.messages(["/image_annotations"]))
    for k, entry in enumerate(annotations):
        received, message = entry.received_ns, annotation_typestore().deserialize_cdr(entry.raw, IMAGE_ANNOTATIONS)
        (outline,), (text,) = message.points, message.texts
        assert received == outline.timestamp.sec * 10**9 + outline.timestamp.nanosec == T0 + k * STEP
        assert [(point.x, point.y) for point in outline.points] == [(40, 30), (80, 30), (80, 70), (40, 70)]
        assert text.text.startswith("#1 ")
    (_, diagnostics) = read_topic(out / "bag", "/diagnostics", DIAGNOSTICS)[-1]
    (status,) = diagnostics.status
    assert (status.name, status.level, status.message) == ("evaluate-bag: frames", 0, "11 of 11 frames processed")
    assert {value.key: value.value for value in status.values}["frames_received"] == "11"


def test_recorded_predictions_are_scored_as_they_were_published(bag, labels, tmp_path):
    settings = Settings(write_bag=True)
    given = evaluate(bag, tmp_path / "out", settings, labels=labels)
    recorded = evaluate(tmp_path / "out" / "bag", tmp_path / "rec", Settings(mode="recorded"), labels=labels)
    for name in ("frames", "predictions", "recognition", "subgroups", "detection", "stability", "model", "labels"):
        assert recorded[name] == given[name], name
    assert recorded["parameters"] is None
    with pytest.raises(RecordingError, match="holds no recorded emotions"):
        evaluate(bag, tmp_path / "none", Settings(mode="recorded"))
    with pytest.raises(ConfigurationError, match="--write-bag writes new predictions"):
        Settings(mode="recorded", write_bag=True)


def test_images_without_a_recorded_prediction_count_as_dropped(bag, tmp_path):
    evaluate(bag, tmp_path / "out", Settings(write_bag=True))
    recorded_emotions = [
        ("/emotions", EMOTIONS, received, message)
        for received, message in read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    ]
    for _, _, _, message in recorded_emotions[4:6]:
        message.status, message.faces = 3, []
    images = [scene((*SQUARE, mood(k))) for k in range(COUNT)]
    late = [(topic, kind, received + 7_000_000, message) for topic, kind, received, message in recorded_emotions[2:]]
    half = write_bag(tmp_path / "half", images, stamps(COUNT), extra=late)
    report = evaluate(half, tmp_path / "rec", Settings(mode="recorded"))
    assert {name: report["frames"][name] for name in ("in_bag", "processed", "dropped", "skipped")} == {
        "in_bag": COUNT,
        "processed": COUNT - 4,
        "dropped": 2,
        "skipped": 2,
    }
    assert report["timing"]["latency_ms"]["p50"] == 7.0
    alone = write_bag(tmp_path / "alone", [], [], topic="/x", extra=recorded_emotions)
    report = evaluate(alone, tmp_path / "alone_out", Settings(mode="recorded"))
    assert (report["topic"], report["frames"]["in_bag"], report["frames"]["processed"]) == (None, COUNT, COUNT - 2)


def test_anonymized_nothing_shows_a_face(bag, labels, tmp_path):
    out = tmp_path / "out"
    evaluate(bag, out, Settings(write_bag=True, anonymize="fill"), labels=labels)
    with Recording(out / "bag") as recording:
        assert "/image_raw" not in {topic.name for topic in recording.topics}
    (_, overlay), *_ = read_topic(out / "bag", "/image_overlay/compressed", COMPRESSED)
    assert abs(int(compressed_to_bgr(overlay.data)[52, 60, 1]) - 128) < 20


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "start_s,end_s,track_or_region,label\n50,60,,happy\n",
            r"none of its 1 rows .* begins 50 s after the first image",
        ),
        ("stamp_ns,x,y,w,h,label\n5,0,0,9,9,happy\n", "none of its 1 rows applies to a frame"),
    ],
)
def test_labels_of_another_recording_are_refused(bag, tmp_path, text, line):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(DatasetError, match=line):
        evaluate(bag, tmp_path / "out", labels=tmp_path / "labels.csv")
    assert not (tmp_path / "out" / "report.json").exists()


def test_rows_of_labels_that_apply_to_no_frame_are_a_problem(bag, labels, tmp_path):
    labels.write_text(labels.read_text() + "90,99,,happy,,\n")
    report = evaluate(bag, tmp_path / "out", labels=labels)
    assert report["problems"] == ["1 of 4 rows of the labels apply to no frame, or to a track that is not there"]


def test_the_report_names_the_damage_of_a_recording(bag, tmp_path):
    (bag / "metadata.yaml").unlink()
    report = evaluate(bag, tmp_path / "out")
    assert report["problems"] == ["metadata.yaml is missing"]
    assert "metadata.yaml is missing" in (tmp_path / "out" / "report.html").read_text()


def test_a_recording_without_faces_has_a_report(tmp_path):
    report = evaluate(write_bag(tmp_path / "bag", [scene()] * 3, stamps(3)), tmp_path / "out")
    assert (report["frames"]["processed"], report["frames"]["without_face"], report["predictions"]["faces"]) == (
        3,
        3,
        0,
    )
    assert "No face was detected" in (tmp_path / "out" / "report.html").read_text()


def test_a_header_without_a_stamp_is_accepted(tmp_path):
    extra = [("/image_raw", IMAGE, T0 + k, image(scene((*SQUARE, HAPPY)), header(0))) for k in range(2)]
    bag = write_bag(tmp_path / "bag", [], [], topic="/x", extra=extra)
    report = evaluate(bag, tmp_path / "out", replace(PLAIN, topic="/image_raw"))
    assert (report["frames"]["processed"], report["duration_s"]) == (2, 0.0)


def test_a_recorded_prediction_of_two_thousand_faces_is_not_read(bag, tmp_path):
    evaluate(bag, tmp_path / "out", Settings(write_bag=True))
    recorded = read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    crowd = recorded[3][1]
    crowd.faces = crowd.faces * 2000
    extra = [("/emotions", EMOTIONS, received, message) for received, message in recorded]
    images = [scene((*SQUARE, mood(k))) for k in range(COUNT)]
    report = evaluate(write_bag(tmp_path / "crowd", images, stamps(COUNT), extra=extra), tmp_path / "rec", RECORDED)
    assert report["frames"]["processed"] == COUNT - 1
    assert unread(report) == 1


def test_faces_that_were_not_classified_in_their_frame_are_not_scored(bag, labels, tmp_path):
    evaluate(bag, tmp_path / "out", Settings(write_bag=True))
    recorded = read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    nothing = np.empty(0, np.float32)
    for k, (_, message) in enumerate(recorded):
        (face,) = message.faces
        if k in (0, 1):  # not yet
            face.label, face.score, face.uncertain, face.prediction_age_s = "", 0.0, True, np.nan
            face.probabilities = face.smoothed_probabilities = nothing
        elif k % 2:  # the label of an earlier one, which is wrong
            face.label, face.prediction_age_s, face.probabilities = "surprise", 0.1, nothing
    extra = [("/emotions", EMOTIONS, received, message) for received, message in recorded]
    images = [scene((*SQUARE, mood(k))) for k in range(COUNT)]
    turns = write_bag(tmp_path / "turns", images, stamps(COUNT), extra=extra)
    report = evaluate(turns, tmp_path / "rec", RECORDED, labels=labels)
    assert report["problems"] == []
    assert report["frames"]["processed"] == COUNT
    assert {name: report["predictions"][name] for name in ("faces", "not_classified")} == {
        "faces": COUNT // 2 - 1,
        "not_classified": COUNT // 2 + 1,
    }
    assert report["predictions"]["labels"]["surprise"] == 0
    assert {report["recognition"][kind]["n"] for kind in ("raw", "smoothed")} == {COUNT // 2 - 1}
    assert report["detection"]["recall"] == 1.0
    rows = list(csv.DictReader((tmp_path / "rec" / "emotions.csv").read_text("utf-8").splitlines()))
    assert [row["prediction_age_s"] for row in rows[:5]] == ["", "", "0.0", "0.1", "0.0"]
    assert [row["probability_happiness"] != "" for row in rows[:5]] == [False, False, True, False, True]
    assert [row["smoothed_happiness"] != "" for row in rows[:5]] == [False, False, True, True, True]
    assert "11 more were not classified in their frame" in (tmp_path / "rec" / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    "change",
    [
        {"label": "surprise", "probabilities": [], "smoothed_probabilities": []},
        {"label": "", "probabilities": []},
        {"smoothed_probabilities": []},
        {"probabilities": [0.5, 0.5]},
    ],
)
def test_recorded_predictions_that_contradict_themselves_are_not_read(bag, tmp_path, change):
    evaluate(bag, tmp_path / "out", Settings(write_bag=True))
    recorded = read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    for name, value in change.items():
        setattr(recorded[0][1].faces[0], name, value if isinstance(value, str) else np.array(value, np.float32))
    extra = [("/emotions", EMOTIONS, received, message) for received, message in recorded]
    images = [scene((*SQUARE, mood(k))) for k in range(COUNT)]
    report = evaluate(write_bag(tmp_path / "bad", images, stamps(COUNT), extra=extra), tmp_path / "rec", RECORDED)
    assert unread(report) == 1


def relabel(message, labels):
    """Gives an EmotionArray other labels; probabilities follow their labels, that of a new label is 0."""
    earlier = list(message.labels)
    for face in message.faces:
        for name in ("probabilities", "smoothed_probabilities"):
            values = [getattr(face, name)[earlier.index(label)] if label in earlier else 0.0 for label in labels]
            setattr(face, name, np.array(values, np.float32))
        face.label = face.label if face.label in labels else labels[0]
    message.labels = labels


def unread(report):
    """Returns how many recorded predictions could not be read, as the report says."""
    (line,) = [line for line in report["problems"] if "recorded predictions cannot be read, the first: " in line]
    return int(line.split()[0])


def with_emotions(path, recorded, emotions_topic="/emotions", **options):
    """Writes the images of `bag` with recorded EmotionArrays."""
    extra = [(emotions_topic, EMOTIONS, received, message) for received, message in recorded]
    return write_bag(path, [scene((*SQUARE, mood(k))) for k in range(COUNT)], stamps(COUNT), extra=extra, **options)


@pytest.mark.guarantee(
    "Recorded probabilities are scored by the labels of their own message.", section="Recording and replay"
)
def test_recorded_labels_may_come_in_another_order(bag, labels, tmp_path):
    given = evaluate(bag, tmp_path / "out", Settings(write_bag=True), labels=labels)
    recorded = read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    for _, message in recorded[1::2]:
        relabel(message, list(message.labels)[::-1])
    report = evaluate(with_emotions(tmp_path / "turned", recorded), tmp_path / "rec", RECORDED, labels=labels)
    for name in ("frames", "predictions", "recognition", "subgroups", "detection", "stability", "model", "labels"):
        assert report[name] == given[name], name
    assert report["problems"] == given["problems"]


@pytest.mark.parametrize("number", [-1, 1], ids=["one label less", "one label more"])
@pytest.mark.parametrize(
    "at", [slice(0, 5), pytest.param(slice(15, None), marks=pytest.mark.slow)], ids=["first", "last"]
)
def test_recorded_predictions_of_other_labels_are_left_out_and_counted(bag, labels, tmp_path, number, at):
    given = evaluate(bag, tmp_path / "out", Settings(write_bag=True), labels=labels)
    recorded = read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    names = given["labels"][:number] if number < 0 else ["boredom", *given["labels"]]
    for _, message in recorded[at]:
        relabel(message, names)
    report = evaluate(with_emotions(tmp_path / "mixed", recorded), tmp_path / "rec", RECORDED, labels=labels)
    assert report["labels"] == given["labels"]
    assert report["predictions"]["faces"] == COUNT - 5
    expected = f"5 recorded predictions are left out, as their labels are not {', '.join(given['labels'])}"
    assert expected in report["problems"]


def test_recorded_predictions_of_another_model_with_these_labels_are_a_problem(bag, tmp_path):
    evaluate(bag, tmp_path / "out", Settings(write_bag=True))
    recorded = read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    for _, message in recorded[-3:]:
        message.model_sha256 = "0" * 64
    report = evaluate(with_emotions(tmp_path / "two", recorded), tmp_path / "rec", RECORDED)
    assert f"3 recorded predictions are of another model than {report['model']}" in report["problems"]


@pytest.mark.guarantee(
    "The images of one camera are not scored with the emotions of another.", section="Recording and replay"
)
def test_recorded_emotions_of_another_camera_are_refused(bag, tmp_path):
    evaluate(bag, tmp_path / "out", Settings(write_bag=True))
    recorded = read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    images = [("/rear/image_raw", IMAGE, T0 + k, image(scene(), header(T0 + k * STEP))) for k in range(COUNT)]
    emotions = [("/rear/emotions", EMOTIONS, received, message) for received, message in recorded]
    options = {"topic": "/front/image_raw", "extra": [*images, *emotions]}
    two = write_bag(tmp_path / "two", [scene()] * COUNT, stamps(COUNT), **options)
    with pytest.raises(RecordingError, match="no emotions of the images of /front/image_raw.*: /rear/emotions"):
        evaluate(two, tmp_path / "front", replace(RECORDED, topic="/front/image_raw"))
    report = evaluate(two, tmp_path / "rear", replace(RECORDED, topic="/rear/image_raw"))
    assert report["frames"]["processed"] == COUNT


@pytest.mark.parametrize("topic", ["/camera/image_raw", "/image_raw"])
def test_recorded_emotions_may_be_in_another_namespace_than_the_only_camera(bag, tmp_path, topic):
    evaluate(bag, tmp_path / "out", Settings(write_bag=True))
    recorded = read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    one = with_emotions(tmp_path / "one", recorded, "/robot/emotions", topic=topic)
    assert evaluate(one, tmp_path / "rec", RECORDED)["frames"]["processed"] == COUNT


@pytest.mark.parametrize(
    "received_ns",
    [[T0 - 60 * NS, T0, T0 + 1], [0, T0, T0 + 1], [T0, T0 + 1, (1 << 64) - 1]],
    ids=["a minute", "since 1970", "beyond int64"],
)
def test_a_pause_of_the_recording_is_cut_in_real_time(tmp_path, monkeypatch, received_ns):
    monkeypatch.setattr("emotion_perception.bags.inference.runner._MAX_PAUSE_S", 0.2)
    bag = write_bag(tmp_path / "bag", [scene((*SQUARE, HAPPY))] * 3, stamps(3), received_ns=received_ns)
    begun = time.monotonic()
    report = evaluate(bag, tmp_path / "out", Settings(mode="realtime"))
    assert time.monotonic() - begun < 30
    assert report["frames"]["processed"] == 3
    assert report["timing"]["latency_ms"]["max"] < 10_000


@pytest.mark.parametrize("topic", ["/image_overlay/compressed", "/front/faces", "/diagnostics"])
def test_images_on_a_topic_of_the_results_are_not_written_beside_them(tmp_path, topic):
    bag = write_bag(tmp_path / "bag", [scene((*SQUARE, HAPPY))] * 3, stamps(3), topic=topic)
    with pytest.raises(RecordingError, match=f"--write-bag writes results on {topic}, the topic of the images"):
        evaluate(bag, tmp_path / "out", Settings(write_bag=True))
    report = evaluate(bag, tmp_path / "out", Settings(write_bag=True, anonymize="fill"))
    assert report["frames"]["processed"] == 3


@pytest.mark.parametrize("damaged", [0, 2])
def test_a_damaged_image_shifts_no_times(tmp_path, damaged):
    of_another_clock = [*range(5, 9), (1 << 64) - 1]
    messages = [
        ("/image_raw", IMAGE, time, b"" if k == damaged else image(scene((*SQUARE, HAPPY)), header(T0 + k * STEP)))
        for k, time in enumerate(of_another_clock)
    ]
    bag = write_bag(tmp_path / "bag", [], [], topic="/x", extra=messages)
    settings = replace(PLAIN, topic="/image_raw")
    report = evaluate(bag, tmp_path / "out", settings)
    assert report["first_stamp_ns"] == T0 + (STEP if damaged == 0 else 0)
    assert report["duration_s"] == (3 if damaged == 0 else 4) * STEP / NS
    assert len(report["problems"]) == 1
    assert report["problems"][0].startswith("1 of 5 images cannot be decoded")
    (interval,) = label_bag(bag, tmp_path / "labels.csv", settings, progress=False, make_pipeline=make_pipeline)
    assert interval.start_ns == report["first_stamp_ns"]
    assert evaluate(bag, tmp_path / "again", settings, labels=tmp_path / "labels.csv")["recognition"]["raw"]["n"] == 4


def test_a_recorded_track_id_that_no_table_can_hold_is_not_read(bag, tmp_path):
    evaluate(bag, tmp_path / "out", Settings(write_bag=True))
    recorded = read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    recorded[3][1].faces[0].face.track_id = 1 << 63
    report = evaluate(with_emotions(tmp_path / "odd", recorded), tmp_path / "rec", RECORDED)
    assert report["predictions"]["faces"] == COUNT - 1
    assert unread(report) == 1


def test_a_face_that_a_recorded_prediction_has_twice_counts_once(bag, labels, tmp_path):
    evaluate(bag, tmp_path / "out", Settings(write_bag=True))
    recorded = read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    for _, message in recorded[:3]:
        message.faces = [*message.faces, *message.faces]
    report = evaluate(with_emotions(tmp_path / "twice", recorded), tmp_path / "rec", RECORDED, labels=labels)
    assert report["problems"] == ["3 faces are left out, as their track ids repeat in a recorded prediction"]
    assert report["predictions"]["faces"] == report["recognition"]["raw"]["n"] == COUNT


@pytest.mark.guarantee(
    "Where stamps repeat in a recording, as in one of a loop, each image has its own recorded prediction.",
    section="Recording and replay",
)
def test_images_with_equal_stamps_have_their_own_recorded_predictions(tmp_path):
    images = [scene((*SQUARE, gray)) for gray in [HAPPY] * 6 + [SAD] * 6]
    loop = write_bag(tmp_path / "loop", images, stamps(6) * 2, received_ns=stamps(12))
    direct = evaluate(loop, tmp_path / "out", Settings(write_bag=True))
    recorded = evaluate(tmp_path / "out" / "bag", tmp_path / "rec", RECORDED)
    assert recorded["predictions"] == direct["predictions"]
    assert recorded["stability"]["tracks"] == direct["stability"]["tracks"] == 2
    assert not any("not in the recording" in problem for problem in recorded["problems"])


def test_recorded_predictions_of_which_none_can_be_read_are_refused_with_the_reason(bag, tmp_path):
    evaluate(bag, tmp_path / "out", Settings(write_bag=True))
    recorded = read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    for _, message in recorded:
        relabel(message, ["happiness", *list(message.labels)[1:-1], "happiness"])
    with pytest.raises(RecordingError, match=r"no prediction on /emotions can be read \(.*a label is there more than"):
        evaluate(with_emotions(tmp_path / "odd", recorded), tmp_path / "rec", RECORDED)


def read_strictly(path):
    """Returns the content of a JSON file, which may have no NaN or Infinity."""
    return json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.guarantee(
    "A recorded face with a probability or a score that is not within 0..1 counts as not classified; a time that is "
    "not finite or out of range is left out; both are counted in `problems`.",
    section="Recording and replay",
)
def test_recorded_probabilities_and_times_that_cannot_be_are_left_out(bag, labels, tmp_path):
    evaluate(bag, tmp_path / "out", Settings(write_bag=True))
    recorded = read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    faces = [message.faces[0] for _, message in recorded]
    faces[0].probabilities = faces[0].probabilities * np.float32(np.nan)
    faces[1].smoothed_probabilities = faces[1].smoothed_probabilities * np.float32(np.nan)
    faces[2].probabilities = np.full_like(faces[2].probabilities, -1)
    faces[3].probabilities = faces[3].probabilities + np.float32(1.5)
    faces[4].score = float("nan")
    faces[5].score = float("inf")
    times = {6: (float("inf"), float("nan"), float("-inf")), 7: (-1.0, 1e30, -1e30)}
    for k, values in times.items():
        message = recorded[k][1]
        message.detect_ms, message.classify_ms, message.age_ms = values
    out = tmp_path / "rec"
    code, error = installed_program(
        *("evaluate-bag", with_emotions(tmp_path / "odd", recorded), "--score-recorded"),
        *("--labels", labels, "--out", out),
    )
    assert (code, "Warning" in error) == (0, False), error
    report = read_strictly(out / "report.json")
    assert report["problems"] == [
        "6 faces count as not classified, as a recorded probability or score is not within 0..1",
        "6 recorded times are left out, as they are not finite or out of range",
    ]
    assert {name: report["predictions"][name] for name in ("faces", "not_classified")} == {
        "faces": COUNT - 6,
        "not_classified": 6,
    }
    assert {report["recognition"][kind]["n"] for kind in ("raw", "smoothed")} == {COUNT - 6}
    assert report["stability"]["flips_per_minute_raw"] == pytest.approx(60 / 1.3, rel=1e-3)  # the change of the mood
    for name in ("age_ms", "detect_ms", "classify_ms"):
        assert report["timing"][name]["n"] == COUNT - 2
        assert 0 <= report["timing"][name]["mean"] < 1e5
    rows = list(csv.DictReader((out / "emotions.csv").read_text("utf-8").splitlines()))
    assert [row["label"] for row in rows[:7]] == [""] * 6 + ["happiness"]
    assert {value for row in rows for value in row.values()}.isdisjoint({"nan", "inf", "-1.0", "1.5"})


def test_a_recorded_latency_that_cannot_be_is_left_out(bag, tmp_path):
    evaluate(bag, tmp_path / "out", Settings(write_bag=True))
    recorded = read_topic(tmp_path / "out" / "bag", "/emotions", EMOTIONS)
    later_ns = [-1, 25 * 3600 * NS, (1 << 63) - 1 - T0, *[7_000_000] * (COUNT - 3)]  # than the stamp
    late = [(received + later, message) for (received, message), later in zip(recorded, later_ns, strict=True)]
    report = evaluate(with_emotions(tmp_path / "late", late), tmp_path / "rec", RECORDED)
    assert report["problems"] == ["3 recorded times are left out, as they are not finite or out of range"]
    assert report["timing"]["latency_ms"] == {
        **dict.fromkeys(("mean", "p50", "p90", "p99", "max"), 7.0),
        "n": COUNT - 3,
    }
