# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The perception library, without ROS."""

import os

# Official onnxruntime builds for Linux send usage data of every opened model to Microsoft from 1.29 on. This package
# turns that off by default; set the variable to 0 to allow it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# OpenCV takes memory for the size that an image file declares; it reads this limit when it is imported.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "64000000")
