# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The Optuna study of a search, which machines can share; it belongs to one search."""

import json
import random
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import optuna
import sqlalchemy
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from emotion_perception.core.errors import ConfigurationError, clipped, one_line
from emotion_perception.core.retired_names import RECIPE_KEYS, RECIPE_VALUES, with_present_names

PRUNERS = ("median", "hyperband")
_HEARTBEAT_S, _GRACE_S = 30, 120  # a trial without a heartbeat for the grace time is queued again
_LOCK_TIMEOUT_S = 60  # wait for the lock of an SQLite file
_ATTEMPTS = 3  # of a trial whose process dies
_CREATION_ATTEMPTS = 20  # of the tables of a database
_IDENTITY = "search"
_OPTUNA_COLUMNS = {"studies": "study_id", "version_info": "version_info_id"}  # another process may be creating them


def open_study(url: str, name: str, identity: Mapping[str, Any], *, pruner: BasePruner) -> optuna.Study:
    """Opens a study, or creates it if the storage has none with this name.

    Args:
        url: SQLAlchemy URL of the database.
        name: name of the study.
        identity: plain values that are equal in all calls of the same search.
        pruner: pruner of the study.

    Raises:
        ConfigurationError: the storage cannot be used, or the study does not maximize one value or belongs to another
            search.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with storage_errors(url), warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # about the heartbeat
        storage = _open_storage_together(url)
        study = optuna.create_study(
            storage=storage, study_name=name, direction="maximize", pruner=pruner, load_if_exists=True
        )
        if study.directions != [StudyDirection.MAXIMIZE]:
            raise ConfigurationError(
                f"study '{name}': its database does not maximize one value: choose another --study"
            )
        _check_identity(study, json.loads(json.dumps(identity)))
    return study


def build_pruner(name: str, epochs: int) -> BasePruner:
    """Returns a pruner: `median` (below the median of earlier trials, after a fifth of the epochs) or `hyperband`.

    Raises:
        ConfigurationError: the name is unknown.
    """
    if name == "median":
        return MedianPruner(n_startup_trials=5, n_warmup_steps=epochs // 5)
    if name == "hyperband":
        return HyperbandPruner(max_resource=epochs)
    raise ConfigurationError(f"pruner '{name}' is none of {', '.join(PRUNERS)}")


@contextmanager
def storage_errors(url: str) -> Iterator[None]:
    """Turns database errors into one line, without the part of the URL that may contain a password.

    Raises:
        ConfigurationError: the database cannot be reached, or was not created by Optuna.
    """
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as e:
        raise ConfigurationError(f"storage {url.rpartition('@')[2]}: {one_line(e)}") from e


def requeue(study: optuna.Study, trial: FrozenTrial) -> None:
    """Queues a trial again whose process has died; it is resumed if its folder is on the same machine."""
    attempts = int(trial.user_attrs.get("attempts", 1))
    if attempts < _ATTEMPTS:
        study.enqueue_trial(trial.params, user_attrs={"folder": folder_name(trial), "attempts": attempts + 1})


def folder_name(trial: FrozenTrial | optuna.Trial) -> str:
    """Returns the name of a trial's folder: its number, or the number of the trial that it resumes.

    Raises:
        ConfigurationError: the database, which others may write, has a path instead of a name.
    """
    name = str(trial.user_attrs.get("folder", f"{trial.number:04d}"))
    if not name.isalnum():
        raise ConfigurationError(f"trial {trial.number}: '{name}' is no name of a folder")
    return name


def _open_storage_together(url: str) -> optuna.storages.RDBStorage:
    """Opens a storage; where another process creates its tables at the same moment, once more."""
    for _ in range(_CREATION_ATTEMPTS):
        try:
            return _open_storage(url)
        except (IntegrityError, OperationalError, ProgrammingError) as e:
            if not isinstance(e, IntegrityError) and "already exists" not in str(e):
                raise
            time.sleep(random.uniform(0.1, 0.5))
    return _open_storage(url)


def _open_storage(url: str) -> optuna.storages.RDBStorage:
    try:
        _check_tables(url)
        return optuna.storages.RDBStorage(
            url,
            engine_kwargs={"connect_args": {"timeout": _LOCK_TIMEOUT_S}} if url.startswith("sqlite") else {},
            heartbeat_interval=_HEARTBEAT_S,
            grace_period=_GRACE_S,
            heartbeat_stale_trial_callback=requeue,
        )
    except (ImportError, RuntimeError) as e:  # the database's driver is not installed; another version's tables
        raise ConfigurationError(f"storage {url.rpartition('@')[2]}: {one_line(e)}") from e


def _check_tables(url: str) -> None:
    """Raises ConfigurationError if an SQLite file holds other tables than those of Optuna, which would add its own."""
    engine = sqlalchemy.create_engine(url)
    try:
        inspector = sqlalchemy.inspect(engine)
        tables = inspector.get_table_names() if engine.dialect.name == "sqlite" else []
        is_known = any(
            column in {entry["name"] for entry in inspector.get_columns(table)}
            for table, column in _OPTUNA_COLUMNS.items()
            if table in tables
        )
    finally:
        engine.dispose()
    if tables and not is_known:
        names = clipped(", ".join(tables))
        raise ConfigurationError(f"storage {url}: a database of something else (tables {names}): give another file")


def _check_identity(study: optuna.Study, identity: dict[str, Any]) -> None:
    """Stores the identity of a new study, and of one whose trials have all failed, e.g. by a mistake in the command.

    Raises:
        ConfigurationError: an existing one has another identity.
    """
    has_failed = bool(study.trials) and all(trial.state == TrialState.FAIL for trial in study.trials)
    if has_failed or (not study.trials and _IDENTITY not in study.user_attrs):
        study.set_user_attr(_IDENTITY, identity)
    before = _with_present_names(study.user_attrs.get(_IDENTITY, {}))
    changed = [key for key in identity if before.get(key) != identity[key]]
    if "recipe" in changed and before["recipe"]:
        old, new = before["recipe"], identity["recipe"]
        changed[changed.index("recipe")] = "recipe: " + ", ".join(key for key in new if old.get(key) != new[key])
    if changed:
        raise ConfigurationError(
            f"study '{study.study_name}' belongs to a search with another {'; '.join(changed)}: "
            "choose another --study or --out"
        )


def _with_present_names(identity: dict[str, Any]) -> dict[str, Any]:
    """Returns the identity of a study that an earlier version may have created."""
    return {
        **identity,
        "recipe": with_present_names(identity.get("recipe", {}), RECIPE_KEYS, RECIPE_VALUES),
        "splits": with_present_names(identity.get("splits", {}), {"learn": "train", "choose": "validation"}),
    }
