# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Options of classification and of recognition over time."""

from dataclasses import dataclass

from emotion_perception.core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions(Options):
    """Which model runs, and on which device."""

    model: str = option(
        "compact_vgg_one_pass", "name of a shipped model or path of a .safetensors or .onnx file with its .json"
    )
    device: str = option(
        "auto", "auto (CUDA when there is one), cpu, cuda or cuda:N; a GPU that is named must be there"
    )
    require_gpu: bool = option(False, "do not start without a GPU")
    precision: str = option(
        "auto",
        "form of the network on the CPU: float32, int8, or auto, which measures both at start and takes the faster one",
        choices=("auto", "float32", "int8"),
    )
    num_threads: int = option(
        0,
        "threads of OpenCV, onnxruntime and torch; 0 is half of the usable cores, 1 to 4, and more for many faces",
        minimum=0,
        maximum=64,
    )
    max_batch_size: int = option(
        32, "several cameras: maximum number of faces per run of the network", minimum=1, maximum=256
    )
    max_queue_delay_ms: float = option(
        0.0,
        "several cameras: how long faces wait for those of other cameras; 0 joins what arrived while the network ran",
        minimum=0.0,
        maximum=1000.0,
    )


@dataclass(frozen=True, kw_only=True)
class RecognizerOptions(Options):
    """How probabilities become labels, and how many faces of a frame are classified."""

    smoothing_s: float = option(
        0.3,
        "time constant of the smoothed probabilities, in seconds of stamp time; 0 is off",
        minimum=0.0,
        maximum=60.0,
        live=True,
    )
    label_hysteresis: float = option(
        0.05,
        "a face's label changes only when the smoothed probability of another label is higher by this much",
        minimum=0.0,
        maximum=1.0,
        live=True,
    )
    min_confidence: float = option(
        0.5, "a face whose smoothed score is below this is marked uncertain", minimum=0.0, maximum=1.0, live=True
    )
    baseline: str = option(
        "on_request",
        "expressions relative to the face at rest: off, on_request (of faces that were calibrated), or auto (also "
        "learned from each face while it is tracked)",
        choices=("off", "on_request", "auto"),
    )
    max_faces: int = option(
        64, "maximum number of faces per frame that are classified, largest first", minimum=1, maximum=1024, live=True
    )
    max_load: float = option(
        0.4,  # the detector works on the next frame meanwhile; docs/performance.md has what more costs
        "maximum share of the time between frames that classification takes; more faces take turns; 0 is no limit",
        minimum=0.0,
        maximum=10.0,
        live=True,
    )
