# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What import-linter cannot see."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "emotion_perception"
FILES = sorted(PACKAGE.rglob("*.py"))


def imported(path):
    """Returns the full name of everything that a file imports, wherever it does so."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def importers(*modules):
    """Returns the files, relative to the package, that import one of the modules or a part of it."""
    return {
        str(path.relative_to(PACKAGE))
        for path in FILES
        if any(name == module or name.startswith(f"{module}.") for name in imported(path) for module in modules)
    }


def test_only_the_conversions_know_the_messages():
    assert importers("emotion_perception.msg", "emotion_perception.srv") == {"ros/conversions.py"}


def test_rclpy_stays_in_the_ros_folder():
    assert {name for name in importers("rclpy") if not name.startswith("ros/")} == set()


@pytest.mark.guarantee(
    "The exception of one callback ends no node, player, recorder, demonstration, benchmark or soak test: "
    "all run in one executor, which counts it.",
    section="Fault injection",
)
def test_every_node_and_tool_runs_in_the_executor_that_survives_a_callback():
    paths = [*FILES, *sorted((ROOT / "scripts").glob("*.py"))]
    spins = {"SingleThreadedExecutor", "MultiThreadedExecutor", "EventsExecutor", "spin", "spin_until_future_complete"}
    names = {f"rclpy.executors.{name}" for name in spins} | {f"rclpy.{name}" for name in spins}
    assert [path.name for path in paths if imported(path) & names] == ["executor.py"]
    calls = re.compile(r"\brclpy\.spin")
    assert [path.name for path in paths if calls.search(path.read_text(encoding="utf-8"))] == []


def test_torch_stays_where_it_is_used():
    allowed = {
        "core/classification/classifier.py",
        "core/classification/networks.py",
        "core/inference/devices.py",
        "core/inference/torch_backend.py",
    }
    found = importers("torch", "torchmetrics", "lightning")
    assert {name for name in found if not name.startswith(("training/", "benchmark/"))} <= allowed


def test_every_path_on_a_command_line_is_read_in_one_way():
    """With `~`, and with the `file://` of file managers: by `path_argument`."""
    assert [path.name for path in FILES if "type=Path" in path.read_text(encoding="utf-8")] == []


def test_the_package_begins_with_the_line_that_joins_its_two_halves():
    text = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    assert text.replace('"', "'") == "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"


def test_every_source_file_says_who_holds_the_copyright_and_under_which_license():
    """`__init__.py` of the package is left out: it has to be exactly the line that the generated one is."""
    folders = ("emotion_perception", "scripts", "test", "launch", "examples", ".ci")
    sources = [path for folder in folders for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    sources = [path for path in sources if path.suffix in (".py", ".sh") and path != PACKAGE / "__init__.py"]
    assert len(sources) > 300
    without = [
        path for path in sources if "SPDX-License-Identifier: Apache-2.0" not in path.read_text(encoding="utf-8")
    ]
    assert without == []


RETIRED_WORDS = (  # docs/glossary.md has the words that replaced them
    *("answer", "answering", "answers", "finding", "following", "leaving", "merging", "mistakes"),
    *("nearest", "origin", "outcome", "photon", "picture", "pictures", "playing", "pump", "salvage", "tool", "twin"),
    *("twins", "watched", "choose_split", "face_budget", "late_results", "local_topics"),
    *("colour", "normalise", "normalised", "normalisation", "quantise", "quantised", "recognise", "recognised"),
)


def public_names(tree):
    """Yields the public names that a module or a class defines, and the arguments of its public functions."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names = [node.name]
        if not all(name.startswith("_") for name in names):
            yield from names
            if isinstance(node, ast.ClassDef):
                yield from public_names(node)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from (argument.arg for argument in (*node.args.args, *node.args.kwonlyargs))


def retired_words(name):
    """Returns the retired words in a name in snake case or camel case."""
    words = "_".join(re.findall("[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)).lower()
    return [word for word in RETIRED_WORDS if f"_{word}_" in f"_{words}_"]


@pytest.mark.parametrize(
    ("name", "words"), [("PhotonListener", ["photon"]), ("pick_nearest", ["nearest"]), ("toolbar", []), ("JPEG", [])]
)
def test_words_are_told_apart(name, words):
    assert retired_words(name) == words


def test_no_file_has_a_retired_word_in_its_name():
    paths = [path.relative_to(ROOT) for folder in ("launch", "scripts") for path in (ROOT / folder).rglob("*.*")]
    paths += [path.relative_to(PACKAGE) for path in FILES]
    assert [str(path) for path in paths if any(retired_words(part) for part in path.with_suffix("").parts)] == []


def test_no_public_name_has_a_retired_word():
    trees = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
    found = {(file, name) for file, tree in trees.items() for name in public_names(tree) if retired_words(name)}
    assert found == set()
