# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 nodes: they connect `core` to topics, parameters and the lifecycle."""
