# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The training loop: data splits, data module, Lightning module, run directory."""
