# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Chooses between the float32 and the int8 form of a model, by measuring which is faster on this processor.

An int8 network is several times faster on processors with int8 instructions (VNNI, dot product) and slower on some
without them. The choice is stored in the user's cache by processor, threads, model and version of onnxruntime, so that
only the first start measures.
"""

import json
import logging
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from emotion_perception.core.atomic_files import write_atomically
from emotion_perception.core.classification.model_bundle import INT8_SUFFIX, ModelBundle, load_model_bundle
from emotion_perception.core.errors import ConfigurationError, ModelBundleError
from emotion_perception.core.inference import Backend
from emotion_perception.core.paths import user_cache
from emotion_perception.core.regular_files import MAX_TEXT_BYTES, read_regular

_log = logging.getLogger(__name__)
_WARM_UP, _RUNS = 3, 15  # runs of one face, for each form
_MAX_ENTRIES = 256  # of the cache; the oldest ones are removed
FLOAT32, INT8 = "float32", "int8"


@dataclass(frozen=True)
class Precision:
    """The form of a model that was chosen.

    Attributes:
        name: `float32` or `int8`.
        ms_per_face: median duration of a run with one face by the name of the form, in milliseconds; empty where
            nothing was compared.
    """

    name: str
    ms_per_face: Mapping[str, float] = field(default_factory=dict)


def int8_form(bundle: ModelBundle) -> ModelBundle | None:
    """Returns the int8 form of a model, NAME.int8.json beside it, or None if it has none.

    Raises:
        ModelFileError, ModelBundleError: its files are damaged, or were made from other weights.
    """
    path = bundle.weights.with_name(f"{bundle.name}{INT8_SUFFIX}.json")
    if is_int8(bundle) or not path.exists():
        return None
    form = load_model_bundle(path)
    if form.sha256 != bundle.sha256 or form.onnx is None:
        raise ModelBundleError(f"{path}: was made from other weights than {bundle.weights.name}; quantize it again")
    return form


def is_int8(bundle: ModelBundle) -> bool:
    """Returns whether a model, as it was named, is itself an int8 form."""
    return bundle.name.endswith(INT8_SUFFIX)


def choose_precision(
    bundle: ModelBundle,
    precision: str,
    open_backend: Callable[[ModelBundle], Backend],
    *,
    num_threads: int,
    cache: Path | None = None,
) -> tuple[ModelBundle, Backend, Precision]:
    """Opens a model on the CPU in the requested form; `auto` opens the faster one.

    Args:
        bundle: the model as it was named. If it is itself an int8 model, there is nothing to choose.
        precision: auto, float32 or int8; float32 takes the model as it was named.
        open_backend: opens the network of a form.
        num_threads: of the backend, for the key of the cache.
        cache: file of measured choices; None takes `precision.json` in the user's cache.

    Returns:
        The chosen form, its backend, and what was measured.

    Raises:
        ConfigurationError: `int8` was requested and the model has no int8 form.
        ModelFileError, ModelBundleError: as of `int8_form` and `open_backend`.
    """
    form = None if precision == FLOAT32 or bundle.onnx is None else int8_form(bundle)
    if form is None:
        if precision == INT8 and not is_int8(bundle):
            raise ConfigurationError(
                f"precision is int8, but {bundle.name} has no int8 form; make one: emotion-perception quantize"
            )
        return bundle, open_backend(bundle), Precision(INT8 if is_int8(bundle) else FLOAT32)
    if precision == INT8:
        return form, open_backend(form), Precision(INT8)
    forms = {FLOAT32: bundle, INT8: form}
    cache = cache or _cache_file()
    key = _key(forms, num_threads)
    if measured := _read(cache).get(key):
        name = min(measured, key=measured.__getitem__)
        return forms[name], open_backend(forms[name]), Precision(name, measured)
    backends = {name: open_backend(form) for name, form in forms.items()}
    measured = _measure(backends, bundle.spec.input_size)
    _store(cache, key, measured)
    name = min(measured, key=measured.__getitem__)
    _log.info("precision %s: %s ms a face", name, ", ".join(f"{each} {ms:.2f}" for each, ms in measured.items()))
    return forms[name], backends[name], Precision(name, measured)


def _measure(backends: Mapping[str, Backend], size: int) -> dict[str, float]:
    """Returns the median duration of a run with one face, in ms; the forms take turns, so that a slow moment hits all.

    The input is noise: the run time of these networks does not depend on it, but for denormal numbers, which a blank
    input could cause.
    """
    face = np.random.default_rng(0).standard_normal((1, 1, size, size)).astype(np.float32)
    durations: dict[str, list[float]] = {name: [] for name in backends}
    for run in range(_WARM_UP + _RUNS):
        for name, backend in backends.items():
            begin = time.perf_counter()
            backend(face)
            if run >= _WARM_UP:
                durations[name].append((time.perf_counter() - begin) * 1e3)
    return {name: round(statistics.median(values), 3) for name, values in durations.items()}


def _key(forms: Mapping[str, ModelBundle], num_threads: int) -> str:
    from onnxruntime import __version__ as version

    files = "+".join(form.onnx_sha256[:16] for form in forms.values())
    return f"{_processor()}|{num_threads} threads|{files}|onnxruntime {version}"


def _processor() -> str:
    """Returns the processor's model and instruction sets: two machines of one model may have different ones enabled."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        first = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in reversed(lines))}
        model = first.get("model name") or " ".join(first.get(name, "") for name in ("CPU implementer", "CPU part"))
        flags = (first.get("flags") or first.get("Features") or "").split()
        int8_flags = sorted(flag for flag in flags if flag in _INT8_FLAGS)
        return f"{platform.machine()} {model} {' '.join(int8_flags)}".strip()
    return f"{platform.machine()} {platform.processor()}"


_INT8_FLAGS = {"avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm", "sve"}


def _cache_file() -> Path | None:
    try:
        return user_cache() / "precision.json"
    except ConfigurationError:  # no home folder: every start measures
        return None


def _read(cache: Path | None) -> dict[str, dict[str, float]]:
    """Returns the stored measurements; a file that is missing or damaged has none."""
    if cache is None:
        return {}
    try:
        stored: Any = json.loads(read_regular(cache, MAX_TEXT_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return {key: value for key, value in stored.items() if _is_measurement(value)} if isinstance(stored, dict) else {}


def _is_measurement(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {FLOAT32, INT8}
        and all(type(ms) in (int, float) and 0 < ms < float("inf") for ms in value.values())
    )


def _store(cache: Path | None, key: str, measured: dict[str, float]) -> None:
    if cache is None:
        return
    entries = {**_read(cache), key: measured}
    newest = dict(list(entries.items())[-_MAX_ENTRIES:])
    with suppress(OSError):  # a read-only home folder: the next start measures again
        cache.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(cache, json.dumps(newest, indent=1) + "\n")
