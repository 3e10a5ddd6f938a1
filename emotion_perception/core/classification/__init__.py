# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""From face crops to emotions: model bundles, preprocessing, classification and smoothing."""
