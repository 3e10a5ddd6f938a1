# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 nodes: thin shells around `core`."""
