# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The demonstration: runs the nodes as processes and reports their results."""
