# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Model bundles from training runs: calibration, export formats, quantization, model card."""

from typing import TYPE_CHECKING

from emotion_perception.training.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from emotion_perception.training.export.calibration import calibrate
    from emotion_perception.training.export.detector_quantization import quantize_detector
    from emotion_perception.training.export.exporter import ExportedModel, export
    from emotion_perception.training.export.model_card import read_report, write_card
    from emotion_perception.training.export.quantization import QuantizedModel, quantize_model

__all__ = [
    "ExportedModel",
    "QuantizedModel",
    "calibrate",
    "export",
    "quantize_detector",
    "quantize_model",
    "read_report",
    "write_card",
]
__getattr__ = lazy_exports(
    __name__,
    {
        "ExportedModel": "exporter",
        "QuantizedModel": "quantization",
        "calibrate": "calibration",
        "export": "exporter",
        "quantize_detector": "detector_quantization",
        "quantize_model": "quantization",
        "read_report": "model_card",
        "write_card": "model_card",
    },
)
