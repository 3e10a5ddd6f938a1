# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The demonstration: starts the nodes, watches them and reports what they found."""
