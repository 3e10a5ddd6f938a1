# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Metrics, plots, page templates and provenance for the evaluations of models and recordings. Does not import torch."""
