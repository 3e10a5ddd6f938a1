# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The names of the nodes from the camera to the overlay."""

NODES = ("camera_node", "face_detection_node", "emotion_classifier_node", "overlay_node")
