# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What import-linter cannot see."""

import ast
from pathlib import Path

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
    assert importers("emotion_perception.msg") == {"ros/conversions.py"}


def test_rclpy_stays_in_the_ros_folder():
    assert {name for name in importers("rclpy") if not name.startswith("ros/")} == set()


def test_torch_stays_where_it_is_used():
    allowed = {"core/classification/networks.py", "core/classification/classifier.py"}
    found = importers("torch", "torchmetrics", "lightning")
    assert {name for name in found if not name.startswith(("training/", "benchmark/"))} <= allowed


def test_the_package_begins_with_the_line_that_joins_its_two_halves():
    text = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    assert text.replace('"', "'") == "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"


def test_every_source_file_says_who_holds_the_copyright_and_under_which_license():
    """`__init__.py` of the package is left out: it has to be exactly the line that the generated one is."""
    folders = ("emotion_perception", "scripts", "test", "launch", "examples")
    sources = [path for folder in folders for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    sources = [path for path in sources if path.suffix in (".py", ".sh") and path != PACKAGE / "__init__.py"]
    assert len(sources) > 300
    without = [
        path for path in sources if "SPDX-License-Identifier: Apache-2.0" not in path.read_text(encoding="utf-8")
    ]
    assert without == []
