# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The training commands of `emotion-perception`, one file each; heavy packages are imported when one runs."""
