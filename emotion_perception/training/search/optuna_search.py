# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Searches `tunable_cnn`'s hyper-parameters with Optuna: many short trainings, the hopeless ones ended early."""

import csv
import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import optuna
import torch
from lightning.pytorch.callbacks import Callback
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from emotion_perception.training.data_hash import data_sha256
from emotion_perception.training.fit.cross_validation import cross_validate
from emotion_perception.training.fit.hardware import AUTO, TABLE, Hardware
from emotion_perception.training.fit.train import train
from emotion_perception.training.recipe import Recipe
from emotion_perception.training.search.search_report import (
    BEST_RECIPE,
    TRIALS,
    best_trial,
    discard_beaten,
    draw,
    trials_done,
    write_recipe,
    write_trials,
)
from emotion_perception.training.search.search_space import Space, build_space, describe, recipe_of, suggest
from emotion_perception.training.search.study import build_pruner, folder_name, open_study, storage_errors

_log = logging.getLogger(__name__)
_FOLDER = "trials"


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """How a search goes about it.

    Attributes:
        trials: how many trials the study is to have, those of earlier calls and of other machines included.
        timeout_s: seconds after which no trial is begun; None without such a limit.
        storage: URL of the study's database; empty takes `study.db` in the search's folder.
        study: name of the study in it.
        pruner: see `study.build_pruner`.
        seed: of the sampler; None draws one, as machines that share a study need.
    """

    trials: int = 100
    timeout_s: float | None = None
    storage: str = ""
    study: str = "tunable_cnn"
    pruner: str = "median"
    seed: int | None = None


@dataclass(frozen=True, kw_only=True)
class Task:
    """What every trial trains on.

    Attributes:
        data_path: a file or folder, see `datasets`.
        train_split: split to learn from; ignored where the data has none.
        val_split: split whose accuracy chooses the epoch and the trial, see `train`.
        folds: cross-validate each trial over so many parts of `train_split`, nobody divided; 0 does not.
        hardware: what it runs on.
        num_threads: threads of torch; 0 keeps its choice.
    """

    data_path: Path
    train_split: str = "Training"
    val_split: str = "PublicTest"
    folds: int = 0
    hardware: Hardware = AUTO
    num_threads: int = 0


@dataclass(frozen=True)
class Found:
    """What a search has found until now.

    Attributes:
        trials: how many trials have been measured, pruned ones included.
        accuracy: of the best trial.
        recipe_path: best.yaml.
        run: folder of the best trial; on a machine that shares the study it may be another one's.
    """

    trials: int
    accuracy: float
    recipe_path: Path
    run: Path


def search(
    recipe: Recipe, task: Task, out: Path, options: SearchOptions, *, fixed: Collection[str] = ()
) -> Found | None:
    """Adds trials to a study until it has enough; a stopped search goes on.

    Writes `trials.csv`, `best.yaml`, `history.png`, `importance.png` and a run's folder for each trial into `out`. Only
    the best trial keeps its checkpoints. A trial that Ctrl-C or a kill has ended goes on in the next call.

    Args:
        recipe: what the trials change; see `search_space`.
        task: what they train on.
        out: folder, made if absent.
        options: how many trials, for how long, and where the study is kept.
        fixed: keys of the recipe or of its options that stay as they are.

    Returns:
        What has been found; None where no trial has been measured to its end.

    Raises:
        ConfigurationError: the storage cannot be used, the study is of another search, or nothing can be varied.
        DatasetError: the data cannot be read.
        KeyboardInterrupt: stopped by Ctrl-C; what was found until then is in `out`.
    """
    space = build_space(recipe, fixed)
    pruner = build_pruner(options.pruner, recipe.epochs)
    out.mkdir(parents=True, exist_ok=True)
    url = options.storage or f"sqlite:///{(out / 'study.db').resolve()}"
    study = open_study(url, options.study, _identity(recipe, task, space), pruner=pruner)
    with storage_errors(url):
        study.sampler = TPESampler(seed=None if options.seed is None else options.seed + len(study.trials))
        try:
            _Search(recipe, task, out, space, study, options.trials).run(options.timeout_s)
        finally:
            draw(study, out)
        best = best_trial(study)
        if best is None:
            return None
        return Found(trials_done(study), best.values[0], out / BEST_RECIPE, out / _FOLDER / folder_name(best))


class PruneTrial(Callback):
    """Tells a trial the accuracy of each epoch, and ends the training where the trial is to be pruned.

    Args:
        trial: of Optuna.
        bar: shows where the trial is; Lightning's own bar is switched off.
    """

    def __init__(self, trial: optuna.Trial, bar: "tqdm[Any]") -> None:
        self._trial = trial
        self._bar = bar

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Switches off the bar over batches."""
        if trainer.progress_bar_callback is not None:
            trainer.progress_bar_callback.disable()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Reports the epoch.

        Raises:
            TrialPruned: other trials were better at this point.
        """
        accuracy = float(trainer.callback_metrics["accuracy"])
        self._bar.set_postfix_str(f"trial {self._trial.number}: {accuracy:.1%} after epoch {trainer.current_epoch + 1}")
        self._trial.report(accuracy, trainer.current_epoch)
        if self._trial.should_prune():
            raise optuna.TrialPruned


class _Search:
    """One process's part of a study."""

    def __init__(self, recipe: Recipe, task: Task, out: Path, space: Space, study: optuna.Study, trials: int) -> None:
        self._recipe, self._task, self._out, self._space, self._study = recipe, task, out, space, study
        self._wanted = trials
        self._bar = tqdm(initial=trials_done(study), total=trials, desc="searching", unit="trial", disable=None)

    def run(self, timeout_s: float | None) -> None:
        """Runs trials until the study has enough of them, or the time is over."""
        with self._bar, logging_redirect_tqdm():
            if trials_done(self._study) < self._wanted:
                self._study.optimize(
                    self._measure, timeout=timeout_s, callbacks=[self._after_trial], gc_after_trial=True
                )

    def _measure(self, trial: optuna.Trial) -> float:
        """Returns the accuracy of one trial's recipe."""
        recipe = recipe_of(self._recipe, suggest(trial, self._space))
        folder = self._out / _FOLDER / folder_name(trial)
        try:
            return self._cross_validated(recipe, folder) if self._task.folds else self._trained(recipe, folder, trial)
        except torch.OutOfMemoryError:
            raise optuna.TrialPruned("does not fit into the GPU's memory") from None
        except KeyboardInterrupt:
            trial.study.enqueue_trial(trial.params, user_attrs={"folder": folder_name(trial)})
            raise

    def _trained(self, recipe: Recipe, folder: Path, trial: optuna.Trial) -> float:
        task = self._task
        train(
            recipe,
            task.data_path,
            folder,
            train_split=task.train_split,
            val_split=task.val_split,
            hardware=task.hardware,
            num_threads=task.num_threads,
            callbacks=(PruneTrial(trial, self._bar),),
        )
        with open(folder / TABLE, newline="", encoding="utf-8") as file:
            return max(float(row["accuracy"]) for row in csv.DictReader(file))

    def _after_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Writes what is known now, so that a kill loses nothing, and stops where there are enough trials."""
        best = best_trial(study)
        _log.info("trial %d %s%s", trial.number, trial.state.name.lower(), _figures(trial, best))
        write_trials(study, self._space, self._out / TRIALS)
        if best is not None:
            origin = f"Trial {best.number} of the study '{study.study_name}': accuracy {best.values[0]:.4f}"
            write_recipe(recipe_of(self._recipe, best.params), origin, self._out / BEST_RECIPE)
        discard_beaten(study, self._out / _FOLDER)
        done = trials_done(study)
        self._bar.update(done - self._bar.n)
        if done >= self._wanted:
            study.stop()

    def _cross_validated(self, recipe: Recipe, folder: Path) -> float:
        task = self._task
        found = cross_validate(
            recipe, task.data_path, folder, folds=task.folds, hardware=task.hardware, num_threads=task.num_threads
        )
        return float(found["accuracy"])


def _identity(recipe: Recipe, task: Task, space: Space) -> dict[str, Any]:
    """Returns what makes two searches the same one."""
    splits = {} if task.folds else {"learn": task.train_split, "choose": task.val_split}
    return {
        "recipe": recipe.as_dict(),
        "data": data_sha256(task.data_path, progress=True),
        "splits": splits,
        "folds": task.folds,
        "space": describe(space),
    }


def _figures(trial: FrozenTrial, best: FrozenTrial | None) -> str:
    own = f", accuracy {trial.values[0]:.2%}" if trial.state == TrialState.COMPLETE and trial.values else ""
    return own + (f"; best so far {best.values[0]:.2%}, trial {best.number}" if best else "")
