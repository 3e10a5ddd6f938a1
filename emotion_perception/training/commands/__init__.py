# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command lines of the training module, one file a sub-command; what is heavy is imported when it runs."""
