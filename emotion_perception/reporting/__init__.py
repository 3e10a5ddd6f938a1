# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What evaluations of models and of recordings share: figures, plots, pages and where they come from. No torch."""
