# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reading and writing rosbag2 recordings without a ROS installation."""
