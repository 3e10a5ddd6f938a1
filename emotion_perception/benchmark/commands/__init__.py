# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command line of the benchmark; what is heavy is imported when it runs."""
