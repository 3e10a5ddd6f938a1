# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The sections of `emotion-perception benchmark`. No node imports this package."""
