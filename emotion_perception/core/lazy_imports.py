# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Public names of a package that are imported when they are first used.

A node uses few stages, and a command line's help none: with ordinary imports in the `__init__.py` of every stage each
of them would load all stages, OpenCV included.
"""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def lazy_imports(package: str, names: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Returns the `__getattr__` of a package (PEP 562) that imports its public names from its modules.

    The package repeats these imports under `if TYPE_CHECKING:` for type checkers, and in `__all__`.

    Args:
        package: name of the package.
        names: public names by the module that defines them; none of them may be called like a module of the package,
            which would replace it as soon as it is imported.

    Returns:
        A function that returns a public name's value, and raises AttributeError for any other name.
    """
    module_of = {name: module for module, exported in names.items() for name in exported}

    def get_attribute(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        value = getattr(importlib.import_module(f"{package}.{module_of[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return get_attribute
