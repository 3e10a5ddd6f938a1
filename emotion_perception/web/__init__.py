# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The page of web_viewer_node: images, state, page, server and its protection; no part of it knows ROS."""
