# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What people look at: overlays, anonymized images, markers and videos."""
