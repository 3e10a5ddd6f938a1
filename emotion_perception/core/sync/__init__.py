# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Frame accounting and the pairing of images with results by equal stamps."""
