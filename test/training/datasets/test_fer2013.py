# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets import load_dataset

RNG = np.random.default_rng(0)
FACES = RNG.integers(0, 256, (4, 48, 48), dtype=np.uint8)
ROWS = [(3, FACES[0], "Training"), (0, FACES[1], "PublicTest"), (6, FACES[2], "PrivateTest")]


@pytest.mark.parametrize(
    "columns",
    [("emotion", "pixels", "Usage"), ("emotion", "Usage", "pixels"), ("Usage", " pixels", "Emotion")],
)
def test_the_official_csv_is_read_with_its_columns_in_any_order(write_csv, columns):
    data = load_dataset(write_csv(ROWS, columns))
    assert (data.images == FACES[:3]).all()
    assert [data.class_names[k] for k in data.labels] == ["happiness", "anger", "neutral"]
    assert data.splits.tolist() == ["Training", "PublicTest", "PrivateTest"]


@pytest.mark.guarantee(
    "Tables are read with a byte-order mark, in UTF-16, with semicolons or tabs, and with labels as words or numbers.",
    section="Programs",
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "written", [("3", "0", "6"), ("3.0", " 0.0 ", "6e0"), ("Happy", "ANGRY", "neutral"), ("joy", "an", " NE ")]
)
def test_a_csv_is_read_as_spreadsheets_write_it(write_csv, encoding, delimiter, written):
    path = write_csv([(text, *row[1:]) for text, row in zip(written, ROWS, strict=True)])
    path.write_bytes(path.read_text().replace(",", delimiter).replace("\n", "\r\n").encode(encoding))
    data = load_dataset(path)
    assert (data.images == FACES[:3]).all()
    assert [data.class_names[k] for k in data.labels] == ["happiness", "anger", "neutral"]
    assert data.splits.tolist() == ["Training", "PublicTest", "PrivateTest"]


def test_a_csv_without_usage_has_no_splits(write_csv):
    data = load_dataset(write_csv(ROWS, ("emotion", "pixels")))
    assert data.splits is None
    assert len(data.split(None)) == 3


def test_images_of_the_csv_that_leaked_from_a_test_split_are_found(write_csv):
    rows = [*ROWS, (1, FACES[1], "Training"), (1, FACES[2], "PublicTest"), (2, FACES[0], "Training")]
    data = load_dataset(write_csv(rows))
    assert data.leak.tolist() == [False, False, False, True, True, False]


@pytest.mark.parametrize(
    "names", [("training", "PUBLICTEST", "privatetest"), ("train", "val", "test"), ("Train", "dev", "Testing")]
)
def test_leaks_are_found_however_the_splits_are_written(write_csv, names):
    images = [*FACES[:3], FACES[1], FACES[2], FACES[0]]
    order = [names[k] for k in (0, 1, 2, 0, 1, 0)]
    data = load_dataset(write_csv([(1, image, name) for image, name in zip(images, order, strict=True)]))
    assert data.leak.tolist() == [False, False, False, True, True, False]


def test_a_second_column_of_usage_is_refused(write_csv):
    path = write_csv(ROWS)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0] + ",Usage", *(line + ",Training" for line in lines[1:])]))
    with pytest.raises(DatasetError, match="has the column usage more than once"):
        load_dataset(path)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((7, FACES[0], "Training"), "line 2: emotion '7' is not within 0..6"),
        (("", FACES[0], "Training"), "line 2: emotion '' is not an emotion"),
        (("²", FACES[0], "Training"), "line 2: emotion '²'"),
        ((0, "1 2 3", "Training"), "line 2: 3 pixels instead of 2304"),
        ((0, "a " * 2304, "Training"), "line 2: pixels are not whole numbers"),
        ((0, "300 " * 2304, "Training"), "line 2: a pixel is not within 0..255"),
    ],
)
def test_a_bad_line_of_the_csv_is_refused_by_number(write_csv, row, words):
    with pytest.raises(DatasetError, match=words):
        load_dataset(write_csv([row]))


def test_a_csv_without_its_columns_or_rows_is_refused(write_csv):
    with pytest.raises(DatasetError, match="fer2013.csv: lacks the column pixels"):
        load_dataset(write_csv([(0, "", "")], ("emotion", "Usage")))
    with pytest.raises(DatasetError, match="fer2013.csv: holds no images"):
        load_dataset(write_csv([]))


def test_a_line_that_ends_early_is_refused(tmp_path):
    path = tmp_path / "short.csv"
    path.write_text("emotion,pixels,Usage\n3\n")
    with pytest.raises(DatasetError, match="line 2: 0 pixels instead of 2304"):
        load_dataset(path)


VOTE_COLUMNS = ("Usage", "Image name", "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear")
VOTE_COLUMNS += ("contempt", "unknown", "NF")


def write_votes(path, rows, usage=("Training", "PublicTest", "PrivateTest")):
    lines = [f"{split},fer.png,{','.join(map(str, row))}" for split, row in zip(usage, rows, strict=True)]
    path.write_text("\n".join([",".join(VOTE_COLUMNS), *lines]) + "\n")
    return path


VOTES = [(1, 6, 1, 0, 0, 0, 0, 0, 2, 0), (0, 0, 0, 0, 0, 0, 0, 0, 0, 10), (4, 0, 0, 4, 0, 0, 2, 0, 0, 0)]


def test_one_bad_line_in_many_is_left_out_counted_and_named(write_csv, caplog):
    rows = [(3, FACES[0], "Training")] * 38 + [(3, "1 2", "Training"), (9, FACES[0], "Training")]
    data = load_dataset(write_csv(rows))
    assert len(data) == 38
    assert [str(problem) for problem in data.problems] == [
        "1 x corrupt image (line 40: 2 pixels instead of 2304)",
        "1 x wrong label or split (line 41: emotion '9' is not within 0..6)",
    ]
    assert "fer2013.csv: left out 1 x corrupt image (line 40" in caplog.text
    with pytest.raises(DatasetError, match="2 of 40 are bad, more than max_bad 0.04 allows: 1 x corrupt image"):
        load_dataset(write_csv(rows), max_bad=0.04)


def test_a_split_has_one_name_whatever_its_case(write_csv):
    rows = [(3, FACES[0], "Training"), (4, FACES[1], "TRAINING"), (5, FACES[2], "PublicTest")]
    path = write_csv(rows)
    write_votes(path.with_name("fer2013new.csv"), VOTES, ("training", "Training", "publictest"))
    assert load_dataset(path).splits.tolist() == ["Training", "Training", "PublicTest"]


def test_a_line_without_its_split_is_bad(write_csv):
    with pytest.raises(DatasetError, match="line 3: no Usage"):
        load_dataset(write_csv([ROWS[0], (3, FACES[1], " ")]))


def test_votes_beside_the_csv_become_shares_and_say_what_is_no_face(write_csv):
    path = write_csv(ROWS)
    write_votes(path.with_name("fer2013new.csv"), VOTES)
    data = load_dataset(path)
    assert data.vote_names == (
        "neutral",
        "happiness",
        "surprise",
        "sadness",
        "anger",
        "disgust",
        "fear",
        "contempt",
        "unknown",
        "nf",
    )
    assert data.votes[0].tolist() == pytest.approx([0.1, 0.6, 0.1, 0, 0, 0, 0, 0, 0.2, 0])
    assert data.rejected.tolist() == [False, True, False]


def test_votes_are_read_as_spreadsheets_write_them(write_csv):
    path = write_csv(ROWS)
    votes = path.with_name("fer2013new.csv")
    write_votes(votes, VOTES)
    expected = load_dataset(path).votes
    header, *lines = votes.read_text().splitlines()
    rows = [",".join(f"{cell}.0" if cell.isdecimal() else cell for cell in line.split(",")) for line in lines]
    votes.write_text("\n".join(f"{line}," for line in (header, *rows)))
    assert load_dataset(path).votes.tolist() == expected.tolist()


def test_votes_can_lie_elsewhere_or_be_refused(write_csv, tmp_path):
    path = write_csv(ROWS)
    write_votes(tmp_path / "elsewhere.csv", VOTES)
    assert load_dataset(path).votes is None
    assert load_dataset(path, votes=str(tmp_path / "elsewhere.csv")).votes.shape == (3, 10)
    write_votes(path.with_name("fer2013new.csv"), VOTES)
    assert load_dataset(path, votes="none").votes is None


def test_votes_stay_with_their_image_where_a_line_is_left_out(write_csv):
    path = write_csv([ROWS[0], (3, "1 2", "PublicTest"), ROWS[2]])
    write_votes(path.with_name("fer2013new.csv"), VOTES)
    data = load_dataset(path, max_bad=0.5)
    assert data.votes[:, 0].tolist() == pytest.approx([0.1, 0.4])


@pytest.mark.parametrize(
    ("rows", "usage", "words"),
    [
        (VOTES[:2], ("Training", "PublicTest"), "fer2013new.csv has 2 rows, fer2013.csv has 3"),
        (VOTES, ("Training",) * 3, "fer2013new.csv: line 3 is in Training, that of fer2013.csv in PublicTest"),
        (
            [("x",) * 10] * 3,
            ("Training", "PublicTest", "PrivateTest"),
            "line 2: votes for .* 'x' are not a whole",
        ),
    ],
)
def test_votes_for_other_images_are_refused(write_csv, rows, usage, words):
    path = write_csv(ROWS)
    write_votes(path.with_name("fer2013new.csv"), rows, usage)
    with pytest.raises(DatasetError, match=words):
        load_dataset(path)


def test_votes_that_are_named_and_not_there_are_refused(write_csv):
    with pytest.raises(DatasetError, match="absent.csv: No such file"):
        load_dataset(write_csv(ROWS), votes="absent.csv")
