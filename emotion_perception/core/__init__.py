# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The perception library: numpy and OpenCV, no ROS."""

import os

# Official onnxruntime builds for Linux report every model they open to Microsoft, from 1.29 on. A robot does not do
# that unless asked: set the variable to 0 to let it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
