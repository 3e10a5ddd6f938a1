# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import importlib
import subprocess
import sys

import pytest

PACKAGES = [f"emotion_perception.training.{name}" for name in ("evaluate", "export", "fit", "search")]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_found_and_is_not_hidden_by_a_module(package):
    module = importlib.import_module(package)
    for name in module.__all__:
        value = getattr(module, name)
        assert value.__name__ == name
        assert value.__module__.startswith(f"{package}.")
    with pytest.raises(AttributeError, match="nothing"):
        module.nothing  # noqa: B018


def test_the_packages_import_nothing_heavy_until_a_name_is_used():
    program = (
        f"import sys, {', '.join(PACKAGES)}\n"
        "print(sorted({'torch', 'lightning', 'onnx', 'onnxruntime', 'optuna', 'matplotlib'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
