# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The sub-commands of `emotion-perception` that work on recordings, one module each."""
