# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Hyperparameter search with Optuna."""

from typing import TYPE_CHECKING

from emotion_perception.core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from emotion_perception.training.search.optuna_search import SearchOptions, SearchResult, TrialSettings, search
else:
    __getattr__ = lazy_imports(
        __name__,
        {
            "optuna_search": (
                "SearchOptions",
                "SearchResult",
                "TrialSettings",
                "search",
            ),
        },
    )

__all__ = ["SearchOptions", "SearchResult", "TrialSettings", "search"]
