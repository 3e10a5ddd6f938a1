# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""True labels, tables and metrics of a recording."""
