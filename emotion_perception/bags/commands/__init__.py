# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sub-commands of `emotion-perception` for recordings, one module each."""
