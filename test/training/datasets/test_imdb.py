# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import cv2
import numpy as np
import pytest
import scipy.io

from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets import load_dataset

NAN, NONE = np.nan, -np.inf


@pytest.fixture
def write_imdb(tmp_path, noise):
    """Returns a function that writes a tree as IMDB's; keywords replace the struct's fields, None leaves one out."""

    def write(gender=(1, 0, 1, 0), score=None, second=None, *, name="imdb", **changes):
        count = len(gender)
        root = tmp_path / f"{name}_crop"
        paths = np.empty((1, count), object)
        for k in range(count):
            paths[0, k] = f"{k % 3:02}/nm{k}_rm{k}_1960-1-1_2000.jpg"
            (root / f"{k % 3:02}").mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(root / paths[0, k]), noise(k, 80 + k, 70, 3))
        row = {
            "full_path": paths,
            "gender": np.array([gender], float),
            "face_score": np.array([score or [3.0] * count]),
            "second_face_score": np.array([second or [NAN] * count]),
            "celeb_id": np.arange(count)[np.newaxis] // 2,
            **changes,
        }
        scipy.io.savemat(root / f"{name}.mat", {name: {key: value for key, value in row.items() if value is not None}})
        return root

    return write


def test_women_and_men_come_at_64_pixels_with_who_they_are(write_imdb):
    data = load_dataset(write_imdb())
    assert [data.class_names[k] for k in data.labels] == ["man", "woman", "man", "woman"]
    assert data.images.shape == (4, 64, 64)
    assert len(set(data.subjects[:2])) == 1
    assert data.filenames[2] == "02/nm2_rm2_1960-1-1_2000.jpg"


def test_the_matlab_file_may_be_named_itself(write_imdb):
    assert len(load_dataset(write_imdb(name="wiki") / "wiki.mat", size=32, color=True)) == 4


def test_what_cannot_be_used_is_left_out_and_counted_by_its_reason(write_imdb):
    root = write_imdb((1, NAN, 0, 1, 2, 0, NAN), (1, 1, NONE, 2, 2, 3, NONE))
    (root / "02" / "nm5_rm5_1960-1-1_2000.jpg").write_bytes(b"corrupt")
    (root / "00" / "nm0_rm0_1960-1-1_2000.jpg").unlink()
    data = load_dataset(root, max_bad=0.8)
    assert data.filenames.tolist() == ["00/nm3_rm3_1960-1-1_2000.jpg"]
    assert {problem.reason: (problem.count, problem.is_fault) for problem in data.problems} == {
        "unknown gender": (2, False),
        "no face": (1, False),
        "wrong label": (1, True),
        "corrupt image": (1, True),
        "missing image": (1, True),
    }
    with pytest.raises(DatasetError, match="3 of 4 are bad, more than max_bad 0.05"):
        load_dataset(root)


def test_an_image_that_could_not_be_read_is_tried_again_once_its_file_has_changed(write_imdb, noise):
    root = write_imdb()
    missing, corrupt = root / "00" / "nm0_rm0_1960-1-1_2000.jpg", root / "01" / "nm1_rm1_1960-1-1_2000.jpg"
    missing.unlink()
    corrupt.write_bytes(b"corrupt")
    assert len(load_dataset(root, max_bad=1)) == 2
    cv2.imwrite(str(missing), noise(0, 80, 70, 3))
    assert len(load_dataset(root, max_bad=1)) == 3
    cv2.imwrite(str(corrupt), noise(1, 80, 70, 3))
    data = load_dataset(root)
    assert (len(data), data.problems) == (4, ())


def test_images_that_were_not_unpacked_yet_are_read_later(write_imdb):
    root = write_imdb()
    images = {path: path.read_bytes() for path in root.rglob("*.jpg")}
    for path in images:
        path.unlink()
    with pytest.raises(DatasetError, match="4 of 4 are bad, .* missing image"):
        load_dataset(root)
    for path, content in images.items():
        path.write_bytes(content)
    assert len(load_dataset(root)) == 4


def test_names_with_control_characters_are_shown_escaped(write_imdb):
    paths = np.array([["a\x1b[31m.jpg", "b\nc.jpg", "d.jpg", "e.jpg"]], object)
    with pytest.raises(DatasetError) as caught:
        load_dataset(write_imdb(full_path=paths))
    assert r"missing image (a\x1b[31m.jpg, b\nc.jpg, d.jpg, ...)" in str(caught.value)


def test_unsure_and_second_faces_can_be_left_out(write_imdb):
    root = write_imdb((1, 0, 1, 0), (0.5, 2, 3, 4), (NAN, NAN, 1.5, NAN))
    assert len(load_dataset(root)) == 4
    data = load_dataset(root, min_face_score=1, second_faces=False)
    assert [name[:6] for name in data.filenames] == ["01/nm1", "00/nm3"]
    assert {problem.reason for problem in data.problems} == {"face score not above 1", "second face"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gender": [1]}, None),
        ({"full_path": None}, "imdb.mat lacks full_path"),
        ({"face_score": np.zeros((1, 3))}, r"imdb.mat: face_score has the shape \(3,\) for 4 images"),
        ({"face_score": np.zeros((4, 2))}, r"imdb.mat: face_score has the shape \(4, 2\) for 4 images"),
        ({"second_face_score": np.array([["a", "b", "c", "d"]], object)}, "second_face_score contains no numbers"),
        ({"face_score": np.array([["a", "b", "c", "d"]], object)}, "face_score contains no numbers"),
    ],
)
def test_a_struct_in_another_form_is_refused(write_imdb, changes, words):
    if words is None:
        assert len(load_dataset(write_imdb(**changes))) == 1  # MATLAB makes no difference between one and a list of one
        return
    with pytest.raises(DatasetError, match=words):
        load_dataset(write_imdb(**changes))


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: b"nonsense" * 30, lambda data: data[:300]])
def test_a_damaged_matlab_file_is_refused(write_imdb, damage):
    root = write_imdb()
    (root / "imdb.mat").write_bytes(damage((root / "imdb.mat").read_bytes()))
    with pytest.raises(DatasetError, match="imdb.mat is not a MATLAB file of version 5"):
        load_dataset(root)


def test_a_matlab_file_of_something_else_is_refused(tmp_path):
    scipy.io.savemat(tmp_path / "imdb.mat", {"other": 1})
    with pytest.raises(DatasetError, match="imdb.mat has no struct 'imdb'"):
        load_dataset(tmp_path)
