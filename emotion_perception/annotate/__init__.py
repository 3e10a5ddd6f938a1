# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception annotate`: emotions in videos, images, cameras and streams, without ROS."""
