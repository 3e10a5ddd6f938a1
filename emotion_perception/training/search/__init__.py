# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Hyperparameter search with Optuna."""

from typing import TYPE_CHECKING

from emotion_perception.training.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from emotion_perception.training.search.optuna_search import SearchOptions, SearchResult, Task, search

__all__ = ["SearchOptions", "SearchResult", "Task", "search"]
__getattr__ = lazy_exports(
    __name__,
    {
        "SearchOptions": "optuna_search",
        "SearchResult": "optuna_search",
        "Task": "optuna_search",
        "search": "optuna_search",
    },
)
