# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recordings (rosbag2: sqlite3 and mcap): read, replayed, labeled and scored without a ROS installation."""
