# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import ast
import importlib
import importlib.util
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from emotion_perception import core

STAGES = sorted(module.name for module in pkgutil.iter_modules(core.__path__) if module.ispkg)


def imported_for_type_checkers(path):
    """Returns the names under `if TYPE_CHECKING:` by module."""
    (block,) = (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.If))
    return {node.module.rpartition(".")[2]: tuple(alias.name for alias in node.names) for node in block.body}


@pytest.mark.parametrize("stage", STAGES)
def test_every_public_name_is_what_type_checkers_see(stage):
    package = importlib.import_module(f"emotion_perception.core.{stage}")
    names = imported_for_type_checkers(Path(package.__file__))
    if importlib.util.find_spec("torch") is None:
        names.pop("torch_backend", None)
    for module, exported in names.items():
        defining = importlib.import_module(f"{package.__name__}.{module}")
        for name in exported:
            assert getattr(package, name) is getattr(defining, name)


@pytest.mark.parametrize("stage", STAGES)
def test_the_public_names_are_listed_once_and_none_is_a_module(stage):
    package = importlib.import_module(f"emotion_perception.core.{stage}")
    names = [name for exported in imported_for_type_checkers(Path(package.__file__)).values() for name in exported]
    assert sorted(names) == sorted(package.__all__)
    assert not set(names) & {module.name for module in pkgutil.iter_modules(package.__path__)}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'emotion_perception.core.camera' has no attribute 'Kamera'"):
        importlib.import_module("emotion_perception.core.camera").Kamera  # noqa: B018


@pytest.mark.parametrize("stage", STAGES)
def test_importing_a_stage_or_its_options_loads_no_library(stage):
    modules = ["emotion_perception.core." + stage]
    if (Path(core.__path__[0]) / stage / "options.py").is_file():
        modules.append(f"{modules[0]}.options")
    program = f"import sys, {', '.join(modules)}; print(sorted({{'cv2', 'numpy', 'torch'}} & sys.modules.keys()))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert loaded == "[]\n"
