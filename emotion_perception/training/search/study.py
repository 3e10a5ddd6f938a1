# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The Optuna study of a search: opened or begun, shared by machines, checked to be of the same search."""

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner
from optuna.trial import FrozenTrial
from sqlalchemy.exc import SQLAlchemyError

from emotion_perception.core.errors import ConfigurationError, one_line

PRUNERS = ("median", "hyperband")
_HEARTBEAT_S, _GRACE_S = 30, 120  # a trial whose process has been silent for so long is begun again by another
_LOCKED_S = 60  # how long one process waits for another one's write to an SQLite file
_ATTEMPTS = 3  # processes that one trial may take with it
_IDENTITY = "search"


def open_study(url: str, name: str, identity: Mapping[str, Any], *, pruner: BasePruner) -> optuna.Study:
    """Opens a study, or begins it where the storage has none of that name.

    Args:
        url: of the database, as SQLAlchemy understands it.
        name: of the study.
        identity: what makes two searches the same one; plain values.
        pruner: ends trials that promise nothing.

    Raises:
        ConfigurationError: the storage cannot be used, or the study is of another search.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with storage_errors(url), warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # of the heartbeat, since 2021
        storage = _open_storage(url)
        study = optuna.create_study(
            storage=storage, study_name=name, direction="maximize", pruner=pruner, load_if_exists=True
        )
        _check_identity(study, json.loads(json.dumps(identity)))
    return study


def build_pruner(name: str, epochs: int) -> BasePruner:
    """Builds a pruner: `median` (below the median of the trials before, from a fifth of the epochs on) or `hyperband`.

    Raises:
        ConfigurationError: it is none of these.
    """
    if name == "median":
        return MedianPruner(n_startup_trials=5, n_warmup_steps=epochs // 5)
    if name == "hyperband":
        return HyperbandPruner(max_resource=epochs)
    raise ConfigurationError(f"pruner '{name}' is none of {', '.join(PRUNERS)}")


@contextmanager
def storage_errors(url: str) -> Iterator[None]:
    """Turns what a database says into one line; the part of the URL that may hold a password is left out.

    Raises:
        ConfigurationError: the database cannot be reached, or is not one of Optuna's.
    """
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as e:
        raise ConfigurationError(f"storage {url.rpartition('@')[2]}: {one_line(e)}") from e


def queue_again(study: optuna.Study, trial: FrozenTrial) -> None:
    """Puts a trial whose process has died back into the queue; it goes on in the same folder, where that is at hand."""
    attempts = int(trial.user_attrs.get("attempts", 1))
    if attempts < _ATTEMPTS:
        study.enqueue_trial(trial.params, user_attrs={"folder": folder_name(trial), "attempts": attempts + 1})


def folder_name(trial: FrozenTrial | optuna.Trial) -> str:
    """Returns the name of a trial's folder: its number, or that of the trial that it goes on with."""
    return str(trial.user_attrs.get("folder", f"{trial.number:04d}"))


def _open_storage(url: str) -> optuna.storages.RDBStorage:
    try:
        return optuna.storages.RDBStorage(
            url,
            engine_kwargs={"connect_args": {"timeout": _LOCKED_S}} if url.startswith("sqlite") else {},
            heartbeat_interval=_HEARTBEAT_S,
            grace_period=_GRACE_S,
            heartbeat_stale_trial_callback=queue_again,
        )
    except (ImportError, RuntimeError) as e:  # the database's driver is not installed; another version's tables
        raise ConfigurationError(f"storage {url.rpartition('@')[2]}: {one_line(e)}") from e


def _check_identity(study: optuna.Study, identity: dict[str, Any]) -> None:
    """Records what a new study is about, or refuses an old one that is about something else."""
    if not study.trials and _IDENTITY not in study.user_attrs:
        study.set_user_attr(_IDENTITY, identity)
    before = study.user_attrs.get(_IDENTITY, {})
    changed = [key for key in identity if before.get(key) != identity[key]]
    if "recipe" in changed and "recipe" in before:
        old, new = before["recipe"], identity["recipe"]
        changed[changed.index("recipe")] = "recipe: " + ", ".join(key for key in new if old.get(key) != new[key])
    if changed:
        raise ConfigurationError(
            f"study '{study.study_name}' is a search with another {'; '.join(changed)}: choose another --study or --out"
        )
