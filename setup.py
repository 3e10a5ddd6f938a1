# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Makes `pip install .` copy the message texts beside `bags/`; everything else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithMessages(build_py):
    """Copies `msg/*.msg`, which readers of bags need where no ROS has generated them."""

    def run(self) -> None:
        """Builds as usual, then copies."""
        super().run()
        target = Path(self.build_lib, "emotion_perception", "bags", "msg")
        target.mkdir(parents=True, exist_ok=True)
        for message in sorted(Path(__file__).parent.glob("msg/*.msg")):
            shutil.copyfile(message, target / message.name)


setup(cmdclass={"build_py": BuildWithMessages})
