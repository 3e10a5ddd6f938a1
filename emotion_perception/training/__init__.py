# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The training module: datasets, networks, training, evaluation and export; needs torch, but not ROS."""
