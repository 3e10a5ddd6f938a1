# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Hyperparameter search for `tunable_cnn` with Optuna; trials without prospect are pruned."""

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

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.printable import printable
from emotion_perception.reporting.output_folder import OutputFolder
from emotion_perception.training.data_hash import data_sha256
from emotion_perception.training.fit.cross_validation import cross_validate
from emotion_perception.training.fit.hardware import AUTO, Hardware
from emotion_perception.training.fit.progress import DivergedError
from emotion_perception.training.fit.run_directory import METRICS
from emotion_perception.training.fit.run_start import files_of_run
from emotion_perception.training.fit.training_loop import train
from emotion_perception.training.recipe import Recipe
from emotion_perception.training.search.search_report import (
    BEST_RECIPE,
    HISTORY,
    IMPORTANCE,
    TRIALS,
    best_trial,
    delete_checkpoints,
    draw,
    trials_done,
    write_recipe,
    write_trials,
)
from emotion_perception.training.search.search_space import Space, build_space, describe, recipe_of, suggest
from emotion_perception.training.search.study import build_pruner, folder_name, open_study, storage_errors

_log = logging.getLogger(__name__)
_IN_MEMORY = ("sqlite://", "sqlite:///", "sqlite:///:memory:")
_FOLDER, _STUDY = "trials", "study.db"
_FILES = (_FOLDER, _STUDY, TRIALS, BEST_RECIPE, HISTORY, IMPORTANCE)


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """Options of a search.

    Attributes:
        trials: number of trials of the study, those of earlier calls and of other machines included.
        timeout_s: seconds after which no trial is started; None for no limit.
        storage: URL of the study's database; empty takes `study.db` in the folder of the search.
        study: name of the study in the database.
        pruner: see `study.build_pruner`.
        seed: of the sampler; None draws a random seed, which machines that share a study need.

    Raises:
        ConfigurationError: `timeout_s` or `seed` is out of range, or the database would be in memory.
    """

    trials: int = 100
    timeout_s: float | None = None
    storage: str = ""
    study: str = "tunable_cnn"
    pruner: str = "median"
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.timeout_s is not None and not self.timeout_s >= 0:
            raise ConfigurationError(f"--timeout {self.timeout_s} is not a number of seconds from 0")
        if self.seed is not None and not 0 <= self.seed < 2**32:
            raise ConfigurationError(f"--seed {self.seed} is not within 0..{2**32 - 1}")
        if self.storage in _IN_MEMORY:  # of each thread its own
            raise ConfigurationError(f"--storage {self.storage}: names no file")
        if not self.study.strip():
            raise ConfigurationError(f"--study '{self.study}' is no name")


@dataclass(frozen=True, kw_only=True)
class TrialSettings:
    """Dataset and hardware of all trials.

    Attributes:
        data_path: file or folder of the dataset, see `datasets`.
        train_split: name of the training split; ignored where the dataset has no splits.
        val_split: name of the validation split, on which the epoch and the trial are selected, see `train`.
        num_folds: cross-validate each trial with this number of folds, split by subject; 0 does not cross-validate.
        hardware: device, precision and number of processes.
        num_threads: threads of torch; 0 keeps torch's default.
    """

    data_path: Path
    train_split: str = "Training"
    val_split: str = "PublicTest"
    num_folds: int = 0
    hardware: Hardware = AUTO
    num_threads: int = 0


@dataclass(frozen=True)
class SearchResult:
    """Result of a search so far.

    Attributes:
        trials: number of measured trials, pruned ones included.
        accuracy: of the best trial.
        recipe_path: path of best.yaml.
        run: directory of the best trial; where machines share a study, it may be on another machine.
    """

    trials: int
    accuracy: float
    recipe_path: Path
    run: Path


def search(
    recipe: Recipe, task: TrialSettings, out: Path, options: SearchOptions, *, fixed: Collection[str] = ()
) -> SearchResult | None:
    """Runs trials until a study has the requested number; a stopped search is resumed.

    Writes `trials.csv`, `best.yaml`, `history.png`, `importance.png` and a run directory for each trial into `out`.
    Only the best trial keeps its checkpoints. The next call resumes a trial that was interrupted.

    Args:
        recipe: base recipe, which the trials change; see `search_space`.
        task: dataset and hardware of all trials.
        out: folder, created if absent.
        options: number of trials, time limit and storage.
        fixed: keys of the recipe or of its options that are not searched.

    Returns:
        The result; None if no trial is complete.

    Raises:
        ConfigurationError: the storage or the name of the study cannot be used, the study belongs to another search,
            nothing is searched, or `out` holds other files than those of a search.
        DatasetError: the dataset cannot be read.
        KeyboardInterrupt: stopped by Ctrl-C; the results so far are in `out`.
    """
    space = build_space(recipe, fixed)
    pruner = build_pruner(options.pruner, recipe.epochs)
    if printable(options.study) != options.study:
        raise ConfigurationError(f"study '{printable(options.study)}': not all of its characters can be printed")
    database = (out / _STUDY).resolve()
    if not options.storage and "?" in str(database):
        raise ConfigurationError(f"{out}: a '?' cannot stand in the path of a study: choose another folder")
    with OutputFolder(
        out, "search", writes=_FILES, inputs=[task.data_path], earlier=_files_of_earlier_version, concurrent=True
    ) as folder:
        folder.claim(*_FILES)
        url = options.storage or f"sqlite:///{database}"
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
            return SearchResult(
                trials_done(study), best.values[0], out / BEST_RECIPE, out / _FOLDER / folder_name(best)
            )


def _files_of_earlier_version(folder: Path) -> tuple[str, ...]:
    trials = folder.glob(f"{_FOLDER}/*")
    return _FILES if any(files_of_run(trial) or files_of_run(trial / "fold_0") for trial in trials) else ()


class PruneTrial(Callback):
    """Reports the accuracy of each epoch to Optuna, and stops the training if the trial is pruned.

    Args:
        trial: the Optuna trial.
        bar: progress bar of the search; Lightning's progress bar is switched off.
    """

    def __init__(self, trial: optuna.Trial, bar: "tqdm[Any]") -> None:
        self._trial = trial
        self._bar = bar

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Switches off Lightning's progress bar."""
        if trainer.progress_bar_callback is not None:
            trainer.progress_bar_callback.disable()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Reports the accuracy of the epoch.

        Raises:
            TrialPruned: other trials were better in this epoch.
        """
        accuracy = float(trainer.callback_metrics["accuracy"])
        self._bar.set_postfix_str(f"trial {self._trial.number}: {accuracy:.1%} after epoch {trainer.current_epoch + 1}")
        self._trial.report(accuracy, trainer.current_epoch)
        if self._trial.should_prune():
            raise optuna.TrialPruned


class _Search:
    """The trials of a study that one process runs."""

    def __init__(
        self, recipe: Recipe, task: TrialSettings, out: Path, space: Space, study: optuna.Study, trials: int
    ) -> None:
        self._recipe, self._task, self._out, self._space, self._study = recipe, task, out, space, study
        self._wanted = trials
        self._bar = tqdm(initial=trials_done(study), total=trials, desc="searching", unit="trial", disable=None)

    def run(self, timeout_s: float | None) -> None:
        """Runs trials until the study has the requested number, or the time is up."""
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
            return (
                self._cross_validated(recipe, folder) if self._task.num_folds else self._trained(recipe, folder, trial)
            )
        except torch.OutOfMemoryError:
            raise optuna.TrialPruned("out of GPU memory") from None
        except DivergedError as e:
            raise optuna.TrialPruned(str(e)) from None
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
        with open(folder / METRICS, newline="", encoding="utf-8") as file:
            return max(float(row["accuracy"]) for row in csv.DictReader(file))

    def _after_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Writes the results so far, so that a kill loses none, and stops after the requested number of trials."""
        best = best_trial(study)
        _log.info("trial %d %s%s", trial.number, trial.state.name.lower(), _result_text(trial, best))
        write_trials(study, self._space, self._out / TRIALS)
        if best is not None:
            comment = f"Trial {best.number} of the study '{study.study_name}': accuracy {best.values[0]:.4f}"
            write_recipe(recipe_of(self._recipe, best.params), comment, self._out / BEST_RECIPE)
        delete_checkpoints(study, self._out / _FOLDER)
        done = trials_done(study)
        self._bar.update(done - self._bar.n)
        if done >= self._wanted:
            study.stop()

    def _cross_validated(self, recipe: Recipe, folder: Path) -> float:
        task = self._task
        found = cross_validate(
            recipe,
            task.data_path,
            folder,
            num_folds=task.num_folds,
            split=task.train_split,
            hardware=task.hardware,
            num_threads=task.num_threads,
        )
        return float(found["accuracy"])


def _identity(recipe: Recipe, task: TrialSettings, space: Space) -> dict[str, Any]:
    """Returns the values that are equal in all calls of the same search."""
    splits = {} if task.num_folds else {"train": task.train_split, "validation": task.val_split}
    return {
        "recipe": recipe.as_dict(),
        "data": data_sha256(task.data_path, progress=True),
        "splits": splits,
        "folds": task.num_folds,
        "space": describe(space),
    }


def _result_text(trial: FrozenTrial, best: FrozenTrial | None) -> str:
    own = f", accuracy {trial.values[0]:.2%}" if trial.state == TrialState.COMPLETE and trial.values else ""
    return own + (f"; best so far {best.values[0]:.2%}, trial {best.number}" if best else "")
