# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs the demonstration: `python -m emotion_perception.ros.demo`."""

import sys

from emotion_perception.ros.demo.runner import main

sys.exit(main())
