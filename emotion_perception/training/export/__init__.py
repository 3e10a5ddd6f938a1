# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Model bundles from training runs: calibration, export formats, quantization, model card."""
