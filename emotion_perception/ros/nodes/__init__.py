# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The nodes of this package, one module each.

Nothing is exported here: each program imports its own node alone, so that it starts fast.
"""
