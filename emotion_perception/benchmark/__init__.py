# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What `make bench` measures. Nothing here is imported by a node."""
