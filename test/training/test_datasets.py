import numpy as np
import pytest

from emotion_perception.core.emotions import LABELS
from emotion_perception.core.errors import DatasetError
from emotion_perception.training.datasets import FaceDataset, find_leaks, load_dataset

RNG = np.random.default_rng(0)
FACES = RNG.integers(0, 256, (4, 48, 48), dtype=np.uint8)
ROWS = [(3, FACES[0], "Training"), (0, FACES[1], "PublicTest"), (6, FACES[2], "PrivateTest")]


def dataset(**changes):
    values = {"images": FACES, "labels": np.array([0, 1, 2, 3]), "class_names": LABELS}
    return FaceDataset(**{**values, **changes})


@pytest.mark.parametrize(
    "columns",
    [("emotion", "pixels", "Usage"), ("emotion", "Usage", "pixels"), ("Usage", " pixels", "Emotion")],
)
def test_the_official_csv_is_read_with_its_columns_in_any_order(write_csv, columns):
    data = load_dataset(write_csv(ROWS, columns))
    assert (data.images == FACES[:3]).all()
    assert [data.class_names[k] for k in data.labels] == ["happiness", "anger", "neutral"]
    assert data.splits.tolist() == ["Training", "PublicTest", "PrivateTest"]


def test_a_csv_without_usage_has_no_splits(write_csv):
    data = load_dataset(write_csv(ROWS, ("emotion", "pixels")))
    assert data.splits is None
    assert len(data.split(None)) == 3


def test_pictures_of_the_csv_that_leaked_from_a_test_split_are_found(write_csv):
    rows = [*ROWS, (1, FACES[1], "Training"), (1, FACES[2], "PublicTest"), (2, FACES[0], "Training")]
    data = load_dataset(write_csv(rows))
    assert data.leak.tolist() == [False, False, False, True, True, False]


def test_a_leak_is_a_twin_in_a_later_split():
    images = FACES[[0, 0, 1, 1, 2, 2]]
    splits = ["train", "test", "test", "train", "train", "train"]
    assert find_leaks(images, splits, ("train", "test")).tolist() == [True, False, False, True, False, False]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((7, FACES[0], "Training"), "line 2: emotion '7' is not within 0..6"),
        (("", FACES[0], "Training"), "line 2: emotion '' is not within 0..6"),
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
    with pytest.raises(DatasetError, match="fer2013.csv: holds no pictures"):
        load_dataset(write_csv([]))


def test_a_line_that_ends_early_is_refused(tmp_path):
    path = tmp_path / "short.csv"
    path.write_text("emotion,pixels,Usage\n3\n")
    with pytest.raises(DatasetError, match="line 2: 0 pixels instead of 2304"):
        load_dataset(path)


def test_an_npz_is_read_with_splits_leaks_and_votes(write_npz):
    data = load_dataset(write_npz(count=40))
    assert (len(data), data.images.dtype, data.labels.dtype) == (40, np.uint8, np.int64)
    assert data.splits.tolist() == ["Training"] * 30 + ["PublicTest"] * 10
    assert data.leak.sum() == 4
    assert data.votes[0].tolist() == pytest.approx([0.8] + [0] * 8 + [0.2])
    assert data.vote_names[-1] == "nf"


def test_class_names_are_mapped_by_name_whatever_their_spelling(write_npz):
    names = np.array(["Happy", "SAD", "angry", "fear", "disgust", "neutral", "surprise"])
    data = load_dataset(write_npz(class_names=names))
    assert data.class_names[:3] == ("happiness", "sadness", "anger")
    assert data.labels_in(LABELS)[:3].tolist() == [3, 4, 0]


def test_colour_pictures_come_as_rgb_and_are_kept_as_bgr(write_npz):
    images = np.zeros((120, 8, 8, 3), np.uint8)
    images[..., 0] = 200
    assert load_dataset(write_npz(images=images)).images[0, 0, 0].tolist() == [0, 0, 200]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": None}, "lacks labels"),
        ({"images": None, "class_names": None}, "lacks class_names, images"),
        ({"images": np.zeros((120, 4, 4), np.float32)}, "images are float32"),
        ({"images": np.zeros((120, 4, 4, 4), np.uint8)}, "neither gray nor colour"),
        ({"images": np.zeros((120, 0, 4), np.uint8)}, "neither gray nor colour"),
        ({"images": np.zeros((0, 4, 4), np.uint8), "labels": np.zeros(0, np.uint8)}, "has the shape"),
        ({"labels": np.zeros(3, np.uint8)}, r"labels has the shape \(3,\) for 120 images"),
        ({"labels": np.full(120, 7, np.uint8)}, "labels reach 7, but there are 7 class names"),
        ({"labels": np.zeros(120, np.float32)}, "labels are float32"),
        ({"class_names": np.array(["bored"] * 7)}, "'bored' is not an emotion"),
        ({"split_names": None}, "has split but no split_names"),
        ({"split": np.full(120, 2, np.uint8)}, "split reaches 2, but there are 2 split_names"),
        ({"ferplus_votes": np.zeros(120, np.uint8)}, "ferplus_votes have the shape"),
        ({"leak": np.array(True)}, "leak has the shape"),
    ],
)
def test_an_npz_in_another_format_is_refused_with_the_reason(write_npz, changes, words):
    with pytest.raises(DatasetError, match=words) as refusal:
        load_dataset(write_npz(**changes))
    assert "faces.npz" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_npz_of_pickled_objects_is_refused_unopened(write_npz):
    with pytest.raises(DatasetError, match="not a readable .npz"):
        load_dataset(write_npz(labels=np.array([print] * 120, object)))


@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: b"nonsense", lambda data: data[: len(data) // 2], lambda data: corrupt(data)],
    ids=["empty", "another format", "cut short", "changed"],
)
def test_a_damaged_npz_is_refused(write_npz, damage):
    path = write_npz()
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DatasetError, match="faces.npz: not a readable .npz file"):
        load_dataset(path)


def corrupt(data):
    return data[:400] + bytes(200) + data[600:]


def test_a_bare_array_is_no_npz(tmp_path):
    np.save(tmp_path / "array.npy", FACES)
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    with pytest.raises(DatasetError, match="not a readable .npz file"):
        load_dataset(tmp_path / "array.npz")


@pytest.mark.parametrize("name", ["absent.npz", "absent.csv", "."])
def test_a_missing_file_is_refused(tmp_path, name):
    with pytest.raises(DatasetError, match="no such file"):
        load_dataset(tmp_path / name)


@pytest.mark.parametrize(
    ("splits", "name", "words"),
    [
        (["a", "a", "b", "b"], None, "the file has the splits a, b: name one with --split"),
        (["a", "a", "b", "b"], "c", "no split 'c'; the file has a, b"),
        (None, "a", "no split 'a': the file has no splits"),
    ],
)
def test_the_split_must_be_named_where_there_are_some(splits, name, words):
    with pytest.raises(DatasetError, match=words):
        dataset(splits=splits and np.array(splits)).split(name)


def test_rows_are_selected_in_every_array_at_once():
    data = dataset(splits=np.array(["a", "b", "a", "b"]), leak=np.array([True, False, False, False]))
    assert (data.split("a").labels.tolist(), data.split("a").leak.tolist()) == ([0, 2], [True, False])


def test_a_class_that_the_model_lacks_is_refused_and_can_be_left_out():
    data = dataset(class_names=("anger", "contempt", "happiness", "neutral"))
    with pytest.raises(DatasetError, match="the model has no label for contempt; leave out with --ignore-classes"):
        data.labels_in(LABELS)
    assert data.without_classes(["Contempt"]).labels_in(LABELS).tolist() == [0, 3, 6]
    with pytest.raises(DatasetError, match="no class fear; the file has"):
        data.without_classes(["fear"])


def test_a_class_without_pictures_needs_no_label():
    assert dataset(class_names=(*LABELS, "contempt")).labels_in(LABELS).tolist() == [0, 1, 2, 3]


def test_blank_rejected_and_leaked_pictures_are_not_learnt_from():
    images = FACES.copy()
    images[0] = 128
    data = dataset(
        images=images, leak=np.array([False, True, False, False]), rejected=np.array([False, False, True, False])
    )
    assert data.fit_for_training().labels.tolist() == [3]
