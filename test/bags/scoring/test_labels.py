# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest
from bag_scene import STEP, T0

from emotion_perception.bags.scoring.labels import read_labels
from emotion_perception.core.classification.labels import LABELS
from emotion_perception.core.errors import DatasetError
from emotion_perception.core.types import Box, Face

INTERVALS, FRAMES = "start_s,end_s,track_or_region,label", "stamp_ns,x,y,w,h,label"


def read(tmp_path, *lines):
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_labels(path, LABELS)


def face(x, y, side=40, number=1):
    return Face(box=Box(x, y, x + side, y + side), score=0.9, track_id=number)


def labels_of(labels, stamp_ns, *faces):
    """Returns the label of each face, None if it is unlabeled."""
    matched = labels.match(labels.at(stamp_ns, T0), faces)
    return [matched[k].label if k in matched else None for k in range(len(faces))]


def test_an_interval_applies_to_a_track_a_region_or_all_faces(tmp_path):
    labels = read(
        tmp_path,
        INTERVALS,
        "0,1,7,happy",
        "0,1,100 0 60 120,Sadness",
        "1,2,,surprised",
        "1,2,7,fear",
    )
    left, right, other = face(0, 0, number=7), face(110, 40, number=8), face(60, 60, number=9)
    assert labels_of(labels, T0, left, right, other) == ["happiness", "sadness", None]
    assert labels_of(labels, T0 + 10 * STEP, left, right, other) == ["fear", "surprise", "surprise"]
    assert labels_of(labels, T0 + 20 * STEP, left) == [None]  # the end is excluded
    assert labels_of(labels, T0 - 1, left) == [None]


def test_a_region_of_a_frame_matches_the_face_with_the_largest_iou_of_at_least_half(tmp_path):
    labels = read(tmp_path, FRAMES, f"{T0},10,10,40,40,anger", f"{T0},60,10,40,40,", f"{T0 + STEP},10,10,40,40,fear")
    assert labels_of(labels, T0, face(12, 12), face(14, 14), face(62, 10)) == ["anger", None, ""]
    assert labels_of(labels, T0, face(30, 30)) == [None]
    assert labels_of(labels, T0 + STEP, face(10, 10)) == ["fear"]
    assert labels_of(labels, T0 + 2 * STEP, face(10, 10)) == [None]


def test_a_region_has_one_face_at_most(tmp_path):
    labels = read(tmp_path, INTERVALS, "0,1,0 0 100 100,anger")
    assert labels_of(labels, T0, face(0, 0, 20), face(20, 20, 70)) == [None, "anger"]


def test_group_person_and_line_are_kept(tmp_path):
    labels = read(tmp_path, f"{INTERVALS},group,person", "0,1,0 0 9 9,anger,staff,Ann", "", "0,1,0 0 9 9,anger,,")
    assert [(row.line, row.group, row.person) for row in labels.rows] == [(2, "staff", "Ann"), (4, "", "line 4")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_labels_may_come_from_a_spreadsheet_with_semicolons_and_decimal_commas(tmp_path, encoding):
    path = tmp_path / "labels.csv"
    text = "Start_s;End_s;Track_or_Region;Label;Person\r\n0,5;1,25;7;HAPPY;Jürgen\r\n"
    path.write_bytes(text.encode(encoding))
    (row,) = read_labels(path, LABELS).rows
    assert (row.start_ns, row.end_ns, row.track_id) == (500_000_000, 1_250_000_000, 7)
    assert (row.label, row.person) == ("happiness", "Jürgen")


def test_columns_may_stand_in_any_order_and_after_a_byte_order_mark(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("label,end_s,start_s,track_or_region\nhappy,2,1,\n", encoding="utf-8-sig")
    (row,) = read_labels(path, LABELS).rows
    assert (row.start_ns, row.end_ns, row.label) == (1_000_000_000, 2_000_000_000, "happiness")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "is empty, not a table"),
        (["a,b,c"], "line 1: the header is a,b,c, not start_s,end_s,track_or_region,label or stamp_ns"),
        ([INTERVALS], "has no labels"),
        ([INTERVALS, "0,1,,happy", "0,1"], "line 3: has 2 cells, the header has 4"),
        ([INTERVALS, "0,1,,merry"], "line 2: label 'merry' is none of the labels of the model"),
        ([INTERVALS, "0,1,,contempt"], "line 2: label 'contempt' is none of the labels of the model"),
        ([INTERVALS, "1,1,,fear"], "line 2: end_s 1 is not after start_s 1"),
        ([INTERVALS, "x,1,,fear"], "line 2: start_s 'x' is not a number"),
        ([INTERVALS, "0,nan,,fear"], "line 2: end_s 'nan' is out of range"),
        ([INTERVALS, "0,1e300,,fear"], "line 2: end_s '1e300' is out of range"),
        ([INTERVALS, f"0,1,{'9' * 4400},fear"], "is neither a track id nor a region"),
        ([INTERVALS, "0,1,1 2 3,fear"], "line 2: track_or_region '1 2 3' is neither a track id nor a region"),
        ([INTERVALS, "0,1,-4,fear"], "line 2: track_or_region '-4'"),
        ([INTERVALS, "0,1,0 0 0 9,fear"], "line 2: the region of 0x9 pixels has no area"),
        ([FRAMES, f"{'9' * 40},0,0,9,9,fear"], f"line 2: stamp_ns '{'9' * 40}' is out of range"),
        ([FRAMES, "1.5,0,0,9,9,fear"], "line 2: stamp_ns '1.5' is not an integer"),
        ([FRAMES, "15,0,0,9,,fear"], "line 2: h '' is not a number"),
        ([INTERVALS, '0,1,,"fear'], "line 2: not a table .unexpected end of data"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path, lines, message):
    with pytest.raises(DatasetError, match=message):
        read(tmp_path, *lines)


@pytest.mark.parametrize(("content", "message"), [(None, "No such file"), (b"\xff\xfe\x00", "not a text file")])
def test_a_file_that_cannot_be_read_is_one_clear_line(tmp_path, content, message):
    path = tmp_path / "labels.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_labels(path, LABELS)


def test_labels_of_a_model_in_another_spelling_are_found(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(f"{INTERVALS}\n0,1,,happiness\n1,2,,Happy\n2,3,,calm\n3,4,,odd\n", encoding="utf-8")
    labels = read_labels(path, ["Happy", "calm", "odd"])
    assert [row.label for row in labels.rows] == ["Happy", "Happy", "calm", "odd"]
