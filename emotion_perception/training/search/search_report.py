# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Files of a search: trials.csv, best.yaml, two plots, and the checkpoints of the best trial."""

import csv
import warnings
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # no display

import matplotlib.pyplot as plt
import optuna
import optuna.visualization.matplotlib as charts
import yaml
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState

from emotion_perception.core.atomic_files import atomic_file, atomic_path, write_atomically
from emotion_perception.training.fit.run_directory import BEFORE_RESTART, BEST, LAST
from emotion_perception.training.recipe import Recipe
from emotion_perception.training.search.search_space import Space
from emotion_perception.training.search.study import folder_name

TRIALS, BEST_RECIPE, HISTORY, IMPORTANCE = "trials.csv", "best.yaml", "history.png", "importance.png"
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


def trials_done(study: optuna.Study) -> int:
    """Returns the number of measured trials, complete or pruned."""
    return len(study.get_trials(deepcopy=False, states=_ENDED))


def best_trial(study: optuna.Study) -> FrozenTrial | None:
    """Returns the complete trial with the highest accuracy, the first of equal ones; None if there is none."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return max(complete, key=lambda trial: trial.values[0], default=None)


def write_trials(study: optuna.Study, space: Space, path: Path) -> None:
    """Writes one row per trial: number, state, accuracy (last one if pruned), epochs, seconds, folder, parameters."""
    rows = [_row(trial) for trial in study.get_trials(deepcopy=False)]
    columns = ("number", "state", "accuracy", "epochs", "seconds", "folder", *space)
    with atomic_file(path) as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def write_recipe(recipe: Recipe, comment: str, path: Path) -> None:
    """Writes a recipe for `train --config`, with a comment in the first line."""
    values = yaml.safe_dump(recipe.as_dict(), sort_keys=False, width=110, default_flow_style=None)
    write_atomically(path, f"# {comment}\n{values}")


def draw(study: optuna.Study, out: Path) -> None:
    """Draws the accuracy of the trials, and the importance of the parameters if the accuracies differ."""
    values = {trial.values[0] for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        if values:
            _save(charts.plot_optimization_history(study, target_name="accuracy"), out / HISTORY)
        if len(values) > 1:  # importance is a fraction of the variance
            _save(charts.plot_param_importances(study, target_name="accuracy"), out / IMPORTANCE)


def delete_checkpoints(study: optuna.Study, trials: Path) -> None:
    """Deletes the checkpoints of all finished trials but the best; interrupted trials keep theirs."""
    best, snapshot = best_trial(study), study.get_trials(deepcopy=False)
    kept = {folder_name(trial) for trial in snapshot if not trial.state.is_finished()}
    kept |= {folder_name(best)} if best else set()
    for name in {folder_name(trial) for trial in snapshot} - kept:
        for checkpoint in (trials / name).rglob("*.ckpt"):
            if checkpoint.name in (LAST, BEST, BEFORE_RESTART):
                checkpoint.unlink(missing_ok=True)


def _row(trial: FrozenTrial) -> dict[str, Any]:
    last = trial.last_step
    value = trial.values[0] if trial.values else trial.intermediate_values.get(-1 if last is None else last)
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "accuracy": "" if value is None else f"{value:.6g}",
        "epochs": 0 if last is None else last + 1,
        "seconds": "" if trial.duration is None else f"{trial.duration.total_seconds():.1f}",
        "folder": folder_name(trial),
        **trial.params,
    }


def _save(axes: Any, path: Path) -> None:
    figure = axes.figure
    figure.set_size_inches(8, 5)
    with atomic_path(path) as part:
        figure.savefig(part, dpi=130, bbox_inches="tight")
    plt.close(figure)
