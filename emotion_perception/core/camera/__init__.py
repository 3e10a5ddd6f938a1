# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Camera sources, the thread that reads them, and their frame rate."""
