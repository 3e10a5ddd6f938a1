# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Model files: weights, their description, and an ONNX export.

A model NAME consists of NAME.safetensors (weights), NAME.json (its `ModelSpec`, and the sha256 of every file) and, for
onnxruntime, NAME.onnx: the same network with the same weights. NAME.baseline.safetensors, where there is one, has the
statistics by which expressions are read relative to a resting face. Opening them can run no code.

The description is checked from the annotations of `ModelSpec`, so a new field is one edit there. Not by pydantic or
msgspec: nodes import this module, and Ubuntu 22.04 has only pydantic 1 and no msgspec.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.assets import MANIFEST, file_sha256
from emotion_perception.core.atomic_files import write_atomically
from emotion_perception.core.classification.model_spec import ModelSpec
from emotion_perception.core.errors import ModelBundleError, ModelFileError, clipped, one_line
from emotion_perception.core.paths import local_path
from emotion_perception.core.regular_files import MAX_TEXT_BYTES, read_regular
from emotion_perception.core.retired_names import MODEL_SPEC_KEYS, RECIPE_VALUES, with_present_names
from emotion_perception.core.text_files import decode_text

FORMAT = 1
INT8_SUFFIX = ".int8"  # of the name of a model's int8 form
MODELS = Path(__file__).resolve().parents[2] / "models"  # the shipped ones
_SUFFIXES = (".safetensors", ".onnx", ".json")
BASELINE_ENDING = ".baseline.safetensors"
_KEYS = {"format", "name", "spec", "weights", "onnx"}
_OPTIONAL_KEYS = {"baseline"}
_REQUIRED = {  # keys of `spec` in the first version; a field that was added later takes its default if it is missing
    "architecture",
    "crop_margin",
    "input_size",
    "labels",
    "metadata",
    "mirror_average",
    "normalization",
    "options",
    "temperature",
}
_TABLES = {"baseline", "calibration", "data", "measured", "onnx", "recipe", "torchscript", "weights"}  # of metadata


@dataclass(frozen=True)
class ModelBundle:
    """A model whose files exist and have the hashes of its description.

    Attributes:
        name: file name without its suffix.
        spec: description of the network.
        weights: path of the .safetensors file.
        sha256: SHA-256 of that file in lower-case hexadecimal digits; identifies the model, whichever file runs.
        onnx: path of the ONNX export, or None.
        onnx_sha256: SHA-256 of that file; empty without one.
        baseline: path of the statistics of resting faces, or None.
    """

    name: str
    spec: ModelSpec
    weights: Path
    sha256: str
    onnx: Path | None
    onnx_sha256: str = ""
    baseline: Path | None = None


def shipped_models() -> tuple[str, ...]:
    """Returns the names of the models that are part of this package."""
    return tuple(sorted(path.stem for path in MODELS.glob("*.json") if path.name != MANIFEST.name))


def load_model_bundle(name_or_path: str | Path) -> ModelBundle:
    """Opens a model: a shipped one by name, any other by the path of one of its files.

    Raises:
        ModelFileError: a file is missing, unreadable, or has another hash than in its description.
        ModelBundleError: the description is not in a format that this version reads.
    """
    path = _locate(name_or_path)
    description = _read_description(path)
    spec = _parse_spec(description["spec"], path)
    weights = _verified_file(path, "weights", description["weights"])
    entry = description.get("baseline")
    baseline = None if entry is None else _verified_file(path, "baseline", entry)
    bundle = ModelBundle(path.stem, spec, weights, description["weights"]["sha256"], None, baseline=baseline)
    if description["onnx"] is None:
        return bundle
    onnx = _verified_file(path, "onnx", description["onnx"])
    return replace(bundle, onnx=onnx, onnx_sha256=description["onnx"]["sha256"])


def load_spec(path: Path | str) -> ModelSpec:
    """Reads the `ModelSpec` of a .json file without opening the weights.

    Raises:
        ModelFileError: there is no such file.
        ModelBundleError: it is not a description in a format that this version reads.
    """
    path = Path(path)
    return _parse_spec(_read_description(path)["spec"], path)


def read_weights(bundle: ModelBundle) -> dict[str, NDArray[np.float32]]:
    """Reads the weights as float32, however they are stored; integers are not converted.

    Raises:
        ModelBundleError: the file is not safetensors, truncated, or has numbers that are not finite.
    """
    return read_tensors(bundle.weights)


def read_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """Reads a safetensors file; errors as of `read_weights`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        stored = load_file(path)
    except (SafetensorError, OSError, AttributeError, KeyError, TypeError) as e:  # the last ones: not a numpy type
        raise ModelBundleError(f"{path}: not a readable safetensors file ({one_line(e)})") from e
    tensors = {name: to_float32(array) for name, array in stored.items()}
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            raise ModelBundleError(f"{path}: the numbers of {clipped(name)} are not finite, the file is damaged")
    return tensors


def save_model(
    folder: Path,
    name: str,
    spec: ModelSpec,
    weights: Mapping[str, NDArray[np.generic]],
    *,
    onnx: bytes | None = None,
    half: bool = False,
) -> ModelBundle:
    """Writes the two or three files of a model, the description last.

    Args:
        folder: created if missing.
        name: of the files.
        spec: description of the network.
        weights: tensors by name.
        onnx: the same network as an ONNX file.
        half: store matrices and convolutions as float16, see `to_half`.
    """
    from safetensors.numpy import save

    folder.mkdir(parents=True, exist_ok=True)
    stored = _ordered(to_half(weights) if half else weights)
    _write_description(
        folder / f"{name}.json",
        spec,
        weights=_write(folder / f"{name}.safetensors", save(stored)),
        onnx=None if onnx is None else _write(folder / f"{name}.onnx", onnx),
    )
    return load_model_bundle(folder / f"{name}.json")


def replace_spec(bundle: ModelBundle, spec: ModelSpec) -> ModelBundle:
    """Writes another description to a model's weights, e.g. with a fitted temperature.

    Raises:
        ModelFileError: the old description is missing.
    """
    path = bundle.weights.with_name(f"{bundle.name}.json")  # several models may share their weights
    _write_description(path, spec, **_files(path))
    return load_model_bundle(path)


def save_onnx_variant(bundle: ModelBundle, onnx: Path, spec: ModelSpec) -> ModelBundle:
    """Writes the description of a model that has another ONNX file for the same weights, e.g. an int8 one.

    Args:
        bundle: the model whose weights file both use.
        onnx: the other ONNX file, in the folder of the weights; the description gets its name.
        spec: description of the network as this file computes it.
    """
    files = _files(bundle.weights.with_suffix(".json"))
    path = onnx.with_suffix(".json")
    _write_description(path, spec, **{**files, "onnx": {"file": onnx.name, "sha256": file_sha256(onnx)}})
    return load_model_bundle(path)


def save_baseline(bundle: ModelBundle, tensors: Mapping[str, NDArray[np.float32]], spec: ModelSpec) -> ModelBundle:
    """Writes NAME.baseline.safetensors beside a model, and names it in the description; other files stay.

    Args:
        bundle: the model.
        tensors: of `RestingHead`.
        spec: the model's description, e.g. with metadata about the statistics.
    """
    from safetensors.numpy import save

    path = bundle.weights.with_name(f"{bundle.name}.json")
    baseline = _write(bundle.weights.with_suffix(BASELINE_ENDING), save(_ordered(tensors)))
    _write_description(path, spec, **{**_files(path), "baseline": baseline})
    return load_model_bundle(path)


def replace_onnx(bundle: ModelBundle, content: bytes) -> ModelBundle:
    """Replaces a model's ONNX file, e.g. by the same network with another output."""
    assert bundle.onnx is not None
    path = bundle.onnx.with_suffix(".json")
    _write_description(path, bundle.spec, **{**_files(path), "onnx": _write(bundle.onnx, content)})
    return load_model_bundle(path)


def _ordered(tensors: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    """Returns tensors in the order of C: safetensors writes the bytes of others, e.g. channels_last, in their order."""
    return {name: np.asarray(array, order="C") for name, array in tensors.items()}


def _files(description: Path) -> dict[str, Any]:
    """Returns the entries of a description that name files."""
    old = _read_description(description)
    return {key: old[key] for key in ("weights", "onnx", "baseline") if key in old}


def to_half(weights: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    """Rounds tensors of two or more axes to float16; biases and statistics are small and stay float32.

    Numbers beyond 65,504 become infinite.
    """
    with np.errstate(over="ignore"):
        return {
            name: array.astype(np.float16) if array.ndim > 1 and array.dtype == np.float32 else array
            for name, array in weights.items()
        }


def to_float32(array: NDArray[np.generic]) -> NDArray[Any]:
    """Returns float32 for any floating type; other types unchanged."""
    return array.astype(np.float32) if np.issubdtype(array.dtype, np.floating) else array


def _write_description(path: Path, spec: ModelSpec, **files: Any) -> None:
    description = {"format": FORMAT, "name": path.stem, "spec": asdict(spec), **files}
    try:
        text = json.dumps(description, indent=2, ensure_ascii=False, allow_nan=False)
    except ValueError as e:  # no file that could be opened again
        raise ModelBundleError(f"{path}: a number of the description is not finite") from e
    write_atomically(path, text + "\n")


def _locate(name_or_path: str | Path) -> Path:
    """Returns the path of a model's description.

    Raises:
        ModelFileError: it is neither a shipped model nor a file.
    """
    given = str(name_or_path)
    if given in shipped_models():
        return MODELS / f"{given}.json"
    path = local_path(given) if given.strip() else Path()
    if path.suffix.lower() not in _SUFFIXES:
        shipped = ", ".join(shipped_models()) or "none"
        raise ModelFileError(f"no model '{given}'; shipped: {shipped}; or give the path of a .safetensors file")
    if not path.exists():
        raise ModelFileError(f"{path}: no such file; a model is a .safetensors file with its .json beside it")
    return path.with_suffix(".json")


def _read_description(path: Path) -> dict[str, Any]:
    try:
        description = json.loads(decode_text(read_regular(path, MAX_TEXT_BYTES)), parse_constant=_reject_constant)
    except FileNotFoundError:
        raise ModelFileError(f"{path}: no such file; a model is a .safetensors file with its .json beside it") from None
    except OSError as e:
        raise ModelFileError(f"{path}: cannot be read ({e.strerror})") from e
    except (ValueError, RecursionError) as e:
        raise ModelBundleError(f"{path}: not JSON ({one_line(e)})") from e
    if not isinstance(description, dict) or "format" not in description:
        raise ModelBundleError(f"{path}: not the description of a model")
    if description["format"] != FORMAT:
        raise ModelBundleError(f"{path}: format {description['format']!r}, but this version reads {FORMAT}")
    _check_keys(path, description, _KEYS | _OPTIONAL_KEYS, required=_KEYS)
    return description


def _reject_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _check_keys(path: Path, table: Mapping[str, Any], known: set[str], *, required: set[str]) -> None:
    if unknown := sorted(table.keys() - known):
        raise ModelBundleError(f"{path}: unknown key {', '.join(unknown)}")
    if missing := sorted(required - table.keys()):
        raise ModelBundleError(f"{path}: lacks {', '.join(missing)}")


def _parse_spec(values: Any, path: Path) -> ModelSpec:
    if not isinstance(values, dict):
        raise ModelBundleError(f"{path}: spec is not an object")
    values = with_present_names(values, MODEL_SPEC_KEYS, RECIPE_VALUES)
    types = get_type_hints(ModelSpec)
    _check_keys(path, values, set(types), required=_REQUIRED)
    for name, value in values.items():
        if not _is_of_type(value, types[name]):
            raise ModelBundleError(f"{path}: {name} {value!r} is not of type {_json_type(types[name])}")
    for name, value in values["metadata"].items():
        if name in _TABLES and not isinstance(value, dict | None):
            raise ModelBundleError(f"{path}: metadata: {name} {value!r} is not of type object")
    try:
        return ModelSpec(**values)
    except ModelBundleError as e:
        raise ModelBundleError(f"{path}: {e}") from None


def _is_of_type(value: Any, annotation: Any) -> bool:
    """Returns whether a value of a JSON file can become a field with this annotation."""
    origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if origin is tuple:
        return isinstance(value, list) and all(_is_of_type(item, arguments[0]) for item in value)
    if origin is Mapping:
        return isinstance(value, dict)
    if isinstance(value, bool) or origin is bool:
        return isinstance(value, bool) and origin is bool
    return isinstance(value, (int, float) if origin is float else origin)


def _json_type(annotation: Any) -> str:
    """Returns the name of the type that a field has in a JSON file, e.g. `list of str`."""
    origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if origin is tuple:
        return f"list of {_json_type(arguments[0])}"
    return "object" if origin is Mapping else str(origin.__name__)


def _verified_file(description: Path, key: str, entry: Any) -> Path:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(name), str) for name in ("file", "sha256")):
        raise ModelBundleError(f"{description}: {key} does not name a file and its sha256")
    name = Path(entry["file"]).name  # a description cannot point outside its folder
    if not name:
        raise ModelBundleError(f"{description}: {key} names no file")
    path = description.with_name(name)
    if not path.exists():  # where the names of files are not UTF-8, as the description is
        path = description.with_name(os.fsdecode(name.encode(errors="surrogatepass")))
    if not path.exists():
        raise ModelFileError(f"{description.with_name(name)}: no such file, but {description.name} names it")
    if (found := file_sha256(path)) != entry["sha256"]:
        wanted = f"{description.name} has {entry['sha256'][:12]}..."
        raise ModelFileError(f"{path}: sha256 {found[:12]}..., but {wanted}: truncated or changed")
    return path


def _write(path: Path, content: bytes) -> dict[str, str]:
    write_atomically(path, content)
    return {"file": path.name, "sha256": hashlib.sha256(content).hexdigest()}
