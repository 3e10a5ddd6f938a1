# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""One line about a Python package that is missing or does not load, with the command that installs it."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from emotion_perception.core.errors import one_line

_OPTIONAL = {"av": "av", "pygame": "pygame-ce"}  # module -> distribution; in no list of what a command always needs
_LEVELS = {"bags": "bags", "training": "test", "video": "annotate", "web": "web"}  # extra -> level of scripts/setup.sh
_FROM_APT = {  # module -> package of Debian and Ubuntu; a test compares them with package.xml
    "cv2": "python3-opencv",
    "jinja2": "python3-jinja2",
    "matplotlib": "python3-matplotlib",
    "numpy": "python3-numpy",
    "sklearn": "python3-sklearn",
    "tqdm": "python3-tqdm",
    "yaml": "python3-yaml",
}


def import_problem(program: str, error: ImportError, extra: str = "", environ: Mapping[str, str] = os.environ) -> str:
    """Returns what is wrong and which command installs what is missing, in one line.

    Args:
        program: the command or node that needs the package.
        error: of the import.
        extra: the extra of this package that has it, `bags`, `training` or `web`; empty for what nodes need.
        environ: environment variables; they tell whether ROS comes from `make env`, from apt, or is absent.
    """
    module = (error.name or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError):
        return f"{program}: the Python package {module or 'that it needs'} does not load: {one_line(error)}"
    if module == "emotion_perception":
        return f"{error}: this installation is incomplete"
    return f"{program} needs the Python package {module}: {_command(module, extra, environ)}"


def _command(module: str, extra: str, environ: Mapping[str, str]) -> str:
    if "EMOTION_PERCEPTION_ROS" in environ:  # scripts/env.sh was sourced
        level = _LEVELS.get("video" if module in _OPTIONAL else extra, "runtime")
        by_pip = ", or: pip install 'nicegui>=3,<4'" if extra == "web" else ""
        return f"scripts/setup.sh {level}, in the folder of the source{by_pip}"
    if module in _OPTIONAL:
        return f"{sys.executable} -m pip install {_OPTIONAL[module]}"
    name = "ros-apt-web.txt" if extra == "web" else "ros-apt.txt"
    prefixes = environ.get("AMENT_PREFIX_PATH", "").split(":")
    locks = [lock for prefix in prefixes if (lock := _lock(prefix, name)).is_file()]
    if not locks or extra == "training":
        return f"pip install emotion_perception{f'[{extra}]' if extra else ''}"
    if module in _FROM_APT:
        return f"sudo apt install {_FROM_APT[module]}"
    return f"{sys.executable} -m pip install --require-hashes --no-deps -r {locks[0]}"


def _lock(prefix: str, name: str) -> Path:
    """Returns where colcon installs a list of what pip brings beside a ROS from apt."""
    return Path(prefix, "share", "emotion_perception", "requirements", name)
