# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Face tracks: which detection belongs to which face over frames."""
