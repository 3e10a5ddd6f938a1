# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Predictions for the frames of a recording, computed by the pipeline or read from the recording."""
