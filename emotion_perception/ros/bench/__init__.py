# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The programs that `emotion-perception benchmark` runs to measure the nodes."""
