# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The offline training module: data sets, networks, training, evaluation and export. No ROS, torch needed."""
