# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Data and checkpoints that unpack to more than the limit, and folders of many formats, through the program."""

import os
import zipfile

import cv2
import numpy as np
import pytest
from processes import run_and_measure
from scipy.io import savemat

from emotion_perception.core.errors import DatasetError, ModelBundleError, ModelFileError
from emotion_perception.training.archives import MAX_BYTES, check_archive, check_mat
from emotion_perception.training.datasets import load_dataset
from emotion_perception.training.fit.run_directory import read_checkpoint

MAX_RESIDENT_MIB = 2500  # torch and its libraries take about 700


def claim(path, size, name="images.npy"):
    """Writes a zip archive of a kB whose member claims a size."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        archive.writestr(name, bytes(1 << 20))
        archive.infolist()[0].file_size = size
    return path


@pytest.mark.slow
@pytest.mark.guarantee(
    "Data of a few MB that unpack to more than 8 GiB are one line, and not unpacked.", section="Programs"
)
def test_data_that_unpack_to_gigabytes_are_one_line(tmp_path):
    path = claim(tmp_path / "faces.npz", 12 << 30)
    code, output, resident_mib = run_and_measure("train", "--data", path, "--out", tmp_path / "run")
    assert code == 1
    assert "unpacked 12.0 GiB, more than 8 GiB" in output
    assert "Traceback" not in output
    assert resident_mib < MAX_RESIDENT_MIB


def test_a_checkpoint_that_unpacks_to_gigabytes_is_one_line(tmp_path):
    with pytest.raises(ModelBundleError, match=r"last.ckpt: not a readable checkpoint \(unpacked 9.0 GiB"):
        read_checkpoint(claim(tmp_path / "last.ckpt", 9 << 30, "archive/data.pkl"))


def test_the_limits_are_those_of_the_archive(tmp_path, monkeypatch):
    check_archive(claim(tmp_path / "a.npz", MAX_BYTES))
    with pytest.raises(ValueError, match="more than 8 GiB"):
        check_archive(claim(tmp_path / "b.npz", MAX_BYTES + 1))
    monkeypatch.setattr("emotion_perception.training.archives.MAX_MEMBERS", 20)
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
        for number in range(21):
            archive.writestr(str(number), b"")
    with pytest.raises(ValueError, match="21 members, more than 20"):
        check_archive(tmp_path / "c.npz")


def test_a_shape_that_memory_cannot_hold_is_one_line(tmp_path):
    with zipfile.ZipFile(tmp_path / "faces.npz", "w") as archive, archive.open("images.npy", "w") as member:
        header = {"descr": "|u1", "fortran_order": False, "shape": (1 << 60,)}
        np.lib.format.write_array_header_2_0(member, header)
    with pytest.raises(DatasetError, match="not a readable .npz file"):
        load_dataset(tmp_path / "faces.npz")


@pytest.mark.parametrize("limit", [1 << 20, 1 << 12])
def test_a_matlab_file_is_unpacked_up_to_the_limit(tmp_path, monkeypatch, limit):
    monkeypatch.setattr("emotion_perception.training.archives.MAX_MAT_BYTES", limit)
    savemat(tmp_path / "imdb.mat", {"imdb": np.zeros(10_000)}, do_compression=True)
    if limit > 10_000 * 8:
        check_mat(tmp_path / "imdb.mat")
    else:
        with pytest.raises(ValueError, match="unpacked more than"):
            check_mat(tmp_path / "imdb.mat")


@pytest.mark.parametrize("read", [load_dataset, read_checkpoint])
def test_a_fifo_is_no_data_and_no_checkpoint(tmp_path, read):
    os.mkfifo(tmp_path / "faces.npz")
    with pytest.raises((DatasetError, ModelFileError, ModelBundleError)):
        read(tmp_path / "faces.npz")


FORMATS = (".png", ".jpg", ".bmp", ".webp", ".tif", ".ppm")


@pytest.mark.guarantee(
    "A folder of images by class is read in every common format; other files are counted.", section="Programs"
)
def test_a_folder_of_every_format_is_read_and_the_rest_is_counted(tmp_path, caplog):
    folder = tmp_path / "data" / "happiness"
    folder.mkdir(parents=True)
    for suffix in FORMATS:
        cv2.imwrite(str(folder / f"a{suffix}"), np.full((48, 48, 3), 90, np.uint8))
    os.mkfifo(folder / "pipe.png")
    (folder / "notes.txt").write_text("by hand")
    (folder / "up").symlink_to("../..")
    (folder / "round").symlink_to("..")
    data = load_dataset(tmp_path / "data", max_bad=0.5, cache=str(tmp_path / "cache"))
    assert len(data) == len(FORMATS)
    assert "1 x not an image by its suffix (happiness/notes.txt)" in caplog.text
    assert "1 x not a regular file (happiness/pipe.png)" in caplog.text
