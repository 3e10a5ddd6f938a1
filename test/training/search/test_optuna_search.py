# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import csv
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import optuna
import pytest
import yaml
from lightning.pytorch.callbacks import Callback
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial

from emotion_perception import cli
from emotion_perception.core.errors import ConfigurationError, DatasetError
from emotion_perception.core.retired_names import RECIPE_KEYS
from emotion_perception.training.commands.search import _fixed
from emotion_perception.training.fit.hardware import Hardware
from emotion_perception.training.fit.lit_module import EmotionLitModule
from emotion_perception.training.recipe import load_recipe
from emotion_perception.training.search import optuna_search as search_module
from emotion_perception.training.search import study as study_module
from emotion_perception.training.search.optuna_search import SearchOptions, TrialSettings, search
from emotion_perception.training.search.search_report import best_trial, draw
from emotion_perception.training.search.search_space import build_space
from emotion_perception.training.search.study import build_pruner, open_study, requeue

TINY = (
    "labels=[anger, disgust, fear, happiness, sadness, surprise, neutral]",
    "options={widths: [4, 4, 4, 4, 8], initializer: he_normal}",
    "input_size=16",
    "epochs=1",
    "calibration_fraction=0.2",
)
FIXED = ("widths", "initializer", "batch_size")  # wide layers are slow


@pytest.fixture
def task(write_npz):
    """Returns the tiny data as something to search on, the same file for every call."""
    return TrialSettings(data_path=write_npz(), hardware=Hardware(device="cpu"), num_threads=1)


@pytest.fixture
def find(task, tmp_path, monkeypatch):
    """Returns a function that searches with the tiny recipe, without plots; three trials unless told otherwise."""
    monkeypatch.setattr(search_module, "draw", lambda study, out: None)

    def find_with(*overrides, out=tmp_path / "out", fixed=FIXED, **options):
        recipe = load_recipe("tunable_cnn", (*TINY, "batch_size=32", *overrides))
        return search(recipe, task, out, SearchOptions(**{"trials": 3, "seed": 1, **options}), fixed=fixed)

    return find_with


def rows_of(out):
    with open(out / "trials.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def finished_search(finished_run, tmp_path_factory):
    """Returns what a search of two trials found, and its folder; tests only read it."""
    folder = tmp_path_factory.mktemp("search")
    task = TrialSettings(data_path=finished_run[1], hardware=Hardware(device="cpu"), num_threads=1)
    recipe = load_recipe("tunable_cnn", (*TINY, "batch_size=32"))
    return search(recipe, task, folder / "out", SearchOptions(trials=2, seed=2), fixed=FIXED), folder / "out"


def test_a_search_leaves_a_table_plots_and_a_recipe_that_train_takes(finished_search):
    found, out = finished_search
    rows = rows_of(out)
    files = {path.name for path in out.glob("[!.]*")} - {"importance.png"}  # drawn only where accuracies differ
    assert files == {"study.db", "trials.csv", "best.yaml", "history.png", "trials"}
    assert [row["state"] for row in rows] == ["complete"] * 2
    assert found.trials == 2
    assert found.accuracy == max(float(row["accuracy"]) for row in rows)
    best = next(row for row in rows if float(row["accuracy"]) == found.accuracy)
    recipe = load_recipe(str(found.recipe_path))
    assert recipe.options["activations"] == [best[f"activation_{layer}"] for layer in range(1, 6)]
    assert recipe.options["widths"] == [4, 4, 4, 4, 8]
    assert (recipe.optimizer, recipe.learning_rate) == (best["optimizer"], float(best["learning_rate"]))


def test_only_the_best_trial_keeps_its_checkpoints(finished_search):
    found, out = finished_search
    assert {path.parent for path in (out / "trials").rglob("*.ckpt")} == {found.run}
    assert len(list((out / "trials").glob("*/metrics.csv"))) == 2


def test_the_same_command_goes_on_until_there_are_enough_trials(find, tmp_path):
    assert find(trials=1).trials == 1
    assert find(trials=2).trials == 2
    assert find(trials=2).trials == 2
    rows = rows_of(tmp_path / "out")
    assert len(rows) == 2
    assert rows[0]["learning_rate"] != rows[1]["learning_rate"], "the seed does not choose the same again"


def test_a_trial_that_ctrl_c_ended_goes_on_in_its_folder(find, tmp_path, monkeypatch):
    class Interrupt(Callback):
        def on_train_epoch_start(self, trainer, pl_module):
            if trainer.current_epoch == 1:
                raise KeyboardInterrupt

    seen = []

    class Watch(Callback):
        def on_train_epoch_start(self, trainer, pl_module):
            seen.append(trainer.current_epoch)

    original = search_module.train

    def train_with(extra):
        def train(*arguments, callbacks, **options):
            return original(*arguments, callbacks=(*callbacks, extra()), **options)

        return train

    monkeypatch.setattr(search_module, "train", train_with(Interrupt))
    with pytest.raises(KeyboardInterrupt):
        find("epochs=2", trials=1)
    monkeypatch.setattr(search_module, "train", train_with(Watch))
    find("epochs=2", trials=1)
    assert seen == [1]
    first, second = rows_of(tmp_path / "out")
    assert (first["state"], second["state"]) == ("fail", "complete")
    assert first["folder"] == second["folder"] == "0000"
    assert first["learning_rate"] == second["learning_rate"]


def test_a_trial_whose_process_was_killed_is_taken_up_again(find, task, tmp_path, monkeypatch):
    monkeypatch.setattr(study_module, "_HEARTBEAT_S", 1)
    monkeypatch.setattr(study_module, "_GRACE_S", 1)
    original = search_module.open_study

    def open_with_dead_trial(*arguments, **options):
        study = original(*arguments, **options)
        with pytest.warns(UserWarning, match="Heartbeat"):
            dead = study.ask(build_space(load_recipe("tunable_cnn"), FIXED))
        study._storage.record_heartbeat(dead._trial_id)
        time.sleep(2.1)  # the database counts whole seconds
        return study

    monkeypatch.setattr(search_module, "open_study", open_with_dead_trial)
    find(trials=1)
    first, second = rows_of(tmp_path / "out")
    assert (first["state"], second["state"]) == ("fail", "complete")
    assert second["folder"] == "0000"
    assert first["dropout"] == second["dropout"]


def test_a_trial_that_kills_its_process_is_not_tried_for_ever():
    study = optuna.create_study()
    study.enqueue_trial({"x": 0.5})
    for attempt in range(1, 4):
        trial = study.ask()
        assert trial.suggest_float("x", 0, 1) == 0.5
        study.tell(trial, state=TrialState.FAIL)
        requeue(study, study.trials[-1])
        assert len(study.get_trials(states=(TrialState.WAITING,))) == (attempt < 3)


def test_two_machines_share_a_study(find, tmp_path):
    storage = f"sqlite:///{tmp_path}/shared.db"
    find(out=tmp_path / "one", storage=storage, trials=1)
    found = find(out=tmp_path / "two", storage=storage, trials=2)
    assert found.trials == 2
    assert len(rows_of(tmp_path / "two")) == 2
    assert {path.name for path in (tmp_path / "two" / "trials").iterdir()} == {"0001"}


def lowest_values(space):
    """Returns the first or lowest value of each parameter."""
    return {
        name: distribution.choices[0] if isinstance(distribution, CategoricalDistribution) else distribution.low
        for name, distribution in space.items()
    }


def unbeatable_trials(space):
    """Returns five measured trials whose accuracies none can reach."""
    chosen = lowest_values(space)
    reported = {"value": 2.0, "intermediate_values": {0: 2.0, 1: 2.0}}
    return [create_trial(params=chosen, distributions=space, **reported) for _ in range(5)]


def test_a_trial_that_promises_nothing_is_pruned_and_its_checkpoints_go(find, tmp_path, monkeypatch):
    original = search_module.open_study

    def open_with_good_trials(*arguments, **options):
        study = original(*arguments, **options)
        if not study.trials:
            study.add_trials(unbeatable_trials(build_space(load_recipe("tunable_cnn"), FIXED)))
        return study

    monkeypatch.setattr(search_module, "open_study", open_with_good_trials)
    find("epochs=2", trials=6)
    last = rows_of(tmp_path / "out")[-1]
    assert (last["state"], last["epochs"]) == ("pruned", "1")
    assert not list((tmp_path / "out" / "trials" / "0005").glob("*.ckpt"))


def test_a_trial_that_diverges_is_pruned_and_the_search_goes_on(find, tmp_path, monkeypatch):
    step, diverging = EmotionLitModule.training_step, []

    def training_step(self, *batch):
        diverging.append(self) if not diverging else None
        return step(self, *batch) * (float("nan") if self is diverging[0] else 1)

    monkeypatch.setattr(EmotionLitModule, "training_step", training_step)
    assert find(trials=2).trials == 2
    assert [row["state"] for row in rows_of(tmp_path / "out")] == ["pruned", "complete"]


def test_trials_can_be_cross_validated(write_npz, tmp_path):
    recipe = load_recipe("tunable_cnn", (*TINY, "batch_size=16"))
    people = [f"S{k % 6}" for k in range(60)]
    data = write_npz(count=60, split=None, split_names=None, leak=None, subject=people)
    task = TrialSettings(data_path=data, num_folds=2, hardware=Hardware(device="cpu"), num_threads=1)
    found = search(recipe, task, tmp_path / "out", SearchOptions(trials=1, seed=1), fixed=FIXED)
    assert found.accuracy == yaml.safe_load((found.run / "folds.json").read_text())["accuracy"]


@pytest.mark.parametrize(
    ("overrides", "changes", "words"),
    [
        (("epochs=2",), {}, "another recipe: epochs: choose another --study or --out"),
        ((), {"fixed": ("widths", "initializer")}, "another space: choose"),
    ],
)
def test_a_study_of_another_search_is_refused(find, overrides, changes, words):
    find(trials=1)
    with pytest.raises(ConfigurationError, match=words):
        find(*overrides, **changes)


def test_a_search_that_failed_by_a_mistake_can_be_corrected(find):
    with pytest.raises(DatasetError, match="the model has no label"):
        find("labels=[anger, fear]", trials=1)
    assert find(trials=1).trials == 1


def test_a_key_that_is_set_is_not_searched_however_it_is_spaced():
    assert {"batch_size", "dropout"} <= _fixed(
        ["batch_size =16", " options = {dropout: 0.1}"], load_recipe("tunable_cnn", ["options={dropout: 0.1}"])
    )


def test_a_study_of_an_earlier_version_is_resumed(tmp_path):
    url, pruner = f"sqlite:///{tmp_path}/study.db", build_pruner("median", 1)
    recipe = load_recipe("tunable_cnn").as_dict()
    identity = {"recipe": recipe, "splits": {"train": "Training", "validation": "PublicTest"}, "folds": 0}
    retired = {new: old for old, new in RECIPE_KEYS.items()}
    earlier = {retired.get(key, key): value for key, value in recipe.items()} | {"normalisation": "standardise"}
    study = optuna.create_study(storage=url, study_name="mine", direction="maximize")
    splits = {"learn": "Training", "choose": "PublicTest"}
    study.set_user_attr("search", {"recipe": earlier, "splits": splits, "folds": 0})
    assert open_study(url, "mine", identity, pruner=pruner).study_name == "mine"
    with pytest.raises(ConfigurationError, match="another splits: choose"):
        open_study(url, "mine", identity | {"splits": {"train": "Training", "validation": ""}}, pruner=pruner)


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")  # `catch_warnings` is not for threads
def test_searches_that_create_a_study_at_the_same_moment_share_it(tmp_path):
    identity = {"recipe": load_recipe("tunable_cnn").as_dict(), "splits": {}, "folds": 0}
    processes, start = 4, threading.Barrier(4)

    def open_new(number):
        start.wait(60)
        url = f"sqlite:///{tmp_path}/{number}.db"
        return open_study(url, "mine", identity, pruner=build_pruner("median", 1)).study_name

    with ThreadPoolExecutor(processes) as pool:
        for number in range(5):
            assert [*pool.map(open_new, [number] * processes)] == ["mine"] * processes


@pytest.mark.parametrize("directions", [["minimize"], ["maximize", "minimize"]])
def test_a_study_that_does_not_maximize_one_value_is_refused(find, tmp_path, directions):
    url = f"sqlite:///{tmp_path}/study.db"
    optuna.create_study(storage=url, study_name="mine", directions=directions)
    with pytest.raises(ConfigurationError, match="does not maximize one value"):
        find(storage=url, study="mine")


def test_other_data_is_refused(find, task, write_npz):
    find(trials=1)
    write_npz(count=90)  # over the same file
    with pytest.raises(ConfigurationError, match="another data: choose"):
        find()


@pytest.mark.parametrize(
    ("storage", "words"),
    [
        ("nonsense", "storage nonsense: Could not parse SQLAlchemy URL"),
        ("sqlite:////no/such/folder/study.db", "storage sqlite:////no/such/folder/study.db: .*unable to open database"),
        ("nosuchdb://user:secret@host/name", "storage host/name: "),
        ("postgresql+nosuchdriver://user:secret@host/name", "storage host/name: "),
    ],
)
def test_a_storage_that_cannot_be_used_is_one_line_without_the_password(find, storage, words):
    with pytest.raises(ConfigurationError, match=words) as refusal:
        find(storage=storage)
    assert "\n" not in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_file_that_is_no_database_is_one_line(find, tmp_path):
    (tmp_path / "study.db").write_text("not a database, but long enough to be looked at " * 100)
    with pytest.raises(ConfigurationError, match="study.db: .*file is not a database"):
        find(storage=f"sqlite:///{tmp_path}/study.db")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--study", "a\nb"], "not all of its characters can be printed"),
        (["--study", "\udcff"], "not all of its characters can be printed"),
        (["--out", "a?b"], "a '?' cannot stand in the path of a study"),
    ],
)
def test_names_that_a_database_or_a_recipe_cannot_have_are_refused(
    task, tmp_path, monkeypatch, capsys, arguments, words
):
    monkeypatch.chdir(tmp_path)
    command = ["search", "--data", str(task.data_path), "--trials", "1", "--out", "out", *arguments]
    assert cli.main(command) == 1
    assert words in capsys.readouterr().err
    assert list(tmp_path.rglob("study.db")) == []


@pytest.mark.parametrize(
    ("accuracies", "plots"), [((0.4, 0.6, 0.5), {"history", "importance"}), ((0.5,) * 3, {"history"})]
)
def test_the_importance_of_parameters_is_drawn_where_accuracies_differ(tmp_path, accuracies, plots):
    space = build_space(load_recipe("tunable_cnn"), FIXED)
    study = optuna.create_study(direction="maximize")
    for accuracy in accuracies:
        chosen = {**lowest_values(space), "dropout": accuracy / 2}
        study.add_trial(create_trial(params=chosen, distributions=space, value=accuracy))
    draw(study, tmp_path)
    assert {path.stem for path in tmp_path.glob("*.png")} == plots


def test_of_equal_trials_the_first_is_the_best():
    study = optuna.create_study(direction="maximize")
    assert best_trial(study) is None
    study.add_trials([create_trial(value=value) for value in (0.1, 0.5, 0.5)])
    assert best_trial(study).number == 1


def test_hyperband_is_there_and_an_unknown_pruner_refused():
    assert isinstance(build_pruner("hyperband", 27), optuna.pruners.HyperbandPruner)
    with pytest.raises(ConfigurationError, match="pruner 'best' is none of median, hyperband"):
        build_pruner("best", 27)


def test_searching_from_the_command_line(task, tmp_path, capsys):
    tiny = [text for change in (*TINY, "batch_size=32") for text in ("--set", change)]
    out = tmp_path / "out"
    command = ["search", "--data", str(task.data_path), "--out", str(out), "--device", "cpu", "--num-threads", "1"]
    assert cli.main([*command, *tiny, "--trials", "1", "--pruner", "hyperband"]) == 0
    shown = capsys.readouterr()
    assert "best of 1 trials: accuracy" in shown.out
    assert f"train --config {out / 'best.yaml'}" in shown.out
    columns = rows_of(out)[0].keys()
    assert "width_1" not in columns, "--set fixes it"
    assert "dropout" in columns
    assert cli.main([*command, *tiny, "--trials", "1", "--storage", "nonsense"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_search_without_a_result_says_so(task, tmp_path, capsys):
    command = ["search", "--data", str(task.data_path), "--out", str(tmp_path / "out"), "--timeout", "0"]
    assert cli.main(command) == 1
    assert "no trial is complete" in capsys.readouterr().out
