# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import threading

import numpy as np
import pytest

from emotion_perception.core.assets import PACKAGE_MODELS
from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.inference import OnnxBackend, open_session, run_session


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


def network(path, operator="Identity", *, kind="FLOAT", weight=None, **attributes):
    """Writes a network that applies one operator to (NNNN, 1, 4, 4)."""
    onnx = pytest.importorskip("onnx", reason="the ONNX files of these tests are made with the package onnx")
    helper, types = onnx.helper, onnx.TensorProto
    inputs = ["xxxx"] if weight is None else ["xxxx", "weight"]
    graph = helper.make_graph(
        [helper.make_node(operator, inputs, ["yyyy"], name="node", **attributes)],
        "graph",
        [helper.make_tensor_value_info("xxxx", types.FLOAT, ("NNNN", 1, 4, 4))],
        [helper.make_tensor_value_info("yyyy", types.DataType.Value(kind), None)],
        [] if weight is None else [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("name", [b"xxxx", b"yyyy", b"NNNN"])
def test_a_name_of_an_input_or_output_that_is_not_utf8_is_refused_in_one_line(name, tmp_path, capfd):
    path = network(tmp_path / "model.onnx")
    path.write_bytes(path.read_bytes().replace(name, b"a\xff\xfea"))
    with pytest.raises(ModelFileError, match=r"model.onnx: not an ONNX file .*: a name in it is not UTF-8"):
        OnnxBackend(path, 1)
    assert capfd.readouterr() == ("", ""), "onnxruntime's fallback prints a banner"


@pytest.mark.parametrize("kind", ["STRING", "BOOL", "INT64"])
def test_outputs_that_are_no_floats_are_refused_when_the_file_is_opened(kind, tmp_path):
    types = pytest.importorskip("onnx").TensorProto
    path = network(tmp_path / "model.onnx", "Cast", kind=kind, to=types.DataType.Value(kind))
    with pytest.raises(ModelFileError, match=rf"its output yyyy is a tensor\({kind.lower()}\), not one of"):
        OnnxBackend(path, 1)


def test_weights_outside_the_file_are_refused_with_what_to_do(tmp_path):
    onnx = pytest.importorskip("onnx")
    weight = onnx.TensorProto(name="weight", data_type=onnx.TensorProto.FLOAT, dims=[1])
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="model.onnx.data")
    (tmp_path / "model.onnx.data").write_bytes(np.float32(1).tobytes())
    path = network(tmp_path / "model.onnx", "Mul", weight=weight)
    with pytest.raises(ModelFileError, match="its weights are in other files, .* external_data=False"):
        OnnxBackend(path, 1)


def test_outputs_that_are_not_one_row_for_each_input_are_refused(tmp_path):
    batch = np.zeros((2, 1, 4, 4), np.float32)
    with pytest.raises(ModelFileError, match=r"its output yyyy has the shape \(2, 1, 4, 4\), expected \(2, yyyy\)"):
        OnnxBackend(network(tmp_path / "rank.onnx"), 1)(batch)
    with pytest.raises(ModelFileError, match=r"its output yyyy has the shape \(1, 32\), expected \(2, yyyy\)"):
        OnnxBackend(network(tmp_path / "rows.onnx", "Flatten", axis=0), 1)(batch)


def test_an_axis_with_a_name_has_one_length_in_all_outputs(tmp_path):
    path = network(tmp_path / "model.onnx")
    session, batch = open_session(path, num_threads=1), np.zeros((2, 1, 4, 4), np.float32)
    assert run_session(path, session, {"xxxx": batch}, {"yyyy": ("n", 1, "side", "side")})[0].shape == batch.shape
    with pytest.raises(ModelFileError, match=r"expected \(side, 1, side, side\)"):
        run_session(path, session, {"xxxx": batch}, {"yyyy": ("side", 1, "side", "side")})
