# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import threading

import numpy as np
import pytest

from emotion_perception.core.assets import PACKAGE_MODELS
from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.inference import OnnxBackend


@pytest.mark.parametrize("model", ["compact_vgg", "compact_vgg.int8"])
@pytest.mark.parametrize("faces", [0, 1, 3, 4, 7, 8, 33])
def test_a_batch_that_is_divided_has_the_rows_of_its_faces_in_order(model, faces):
    batch = np.random.default_rng(faces).standard_normal((faces, 1, 48, 48)).astype(np.float32)
    path = PACKAGE_MODELS / f"{model}.onnx"
    whole, divided = OnnxBackend(path, 1, features=True), OnnxBackend(path, 1, features=True, parallel_runs=3)
    np.testing.assert_array_equal(divided(batch), whole(batch))


def test_a_divided_batch_runs_in_several_threads_and_a_single_face_in_that_of_the_caller(monkeypatch):
    backend = OnnxBackend(PACKAGE_MODELS / "compact_vgg.int8.onnx", 1, parallel_runs=2)
    run, seen = backend._run, []
    monkeypatch.setattr(backend, "_run", lambda part: (seen.append((threading.get_ident(), len(part))), run(part))[1])
    backend(np.zeros((1, 1, 48, 48), np.float32))
    assert seen == [(threading.get_ident(), 1)]
    seen.clear()
    backend(np.zeros((5, 1, 48, 48), np.float32))
    assert sorted(length for _, length in seen) == [2, 3]
    assert len({thread for thread, _ in seen}) == 2


def test_no_part_of_a_batch_is_a_single_face(monkeypatch):
    backend = OnnxBackend(PACKAGE_MODELS / "compact_vgg.int8.onnx", 1, parallel_runs=3)
    run, lengths = backend._run, []
    monkeypatch.setattr(backend, "_run", lambda part: (lengths.append(len(part)), run(part))[1])
    backend(np.zeros((7, 1, 48, 48), np.float32))
    assert sorted(lengths) == [2, 2, 3]


def test_what_a_part_raises_is_raised(monkeypatch):
    backend = OnnxBackend(PACKAGE_MODELS / "compact_vgg.int8.onnx", 1, parallel_runs=2)
    run = backend._run

    def fail_in_the_other_thread(part):
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("out of memory")
        return run(part)

    monkeypatch.setattr(backend, "_run", fail_in_the_other_thread)
    with pytest.raises(RuntimeError, match="out of memory"):
        backend(np.zeros((4, 1, 48, 48), np.float32))


def test_a_run_that_fails_is_one_line_that_names_the_file(capfd):
    path = PACKAGE_MODELS / "compact_vgg.int8.onnx"
    with pytest.raises(ModelFileError, match=r"compact_vgg.int8.onnx: onnxruntime cannot run it: .*nvalid") as failure:
        OnnxBackend(path, 1)(np.zeros((1, 1, 5, 5), np.float32))
    assert "\n" not in str(failure.value)
    assert capfd.readouterr() == ("", ""), "onnxruntime logs nothing beside it"
