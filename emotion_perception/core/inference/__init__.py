# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Ways to run a network: onnxruntime, torch, fail-over between devices, and dynamic batching."""
