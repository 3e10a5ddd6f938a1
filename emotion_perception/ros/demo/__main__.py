"""Runs the demonstration: `python -m emotion_perception.ros.demo`."""

import sys

from emotion_perception.ros.demo.runner import main

sys.exit(main())
