# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Model bundles from training runs: calibration, export formats, quantization, model card."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.training.export.calibration import calibrate
    from emotion_perception.training.export.detector_quantization import quantize_detector
    from emotion_perception.training.export.exporter import ExportedModel, export
    from emotion_perception.training.export.model_card import read_report, write_card
    from emotion_perception.training.export.quantization import QuantizedModel, quantize_model
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "calibration": ("calibrate",),
            "detector_quantization": ("quantize_detector",),
            "exporter": (
                "ExportedModel",
                "export",
            ),
            "model_card": (
                "read_report",
                "write_card",
            ),
            "quantization": (
                "QuantizedModel",
                "quantize_model",
            ),
        },
    )

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
