# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Replaces the Python paths of the build machine in the CMake files of the ROS wheels by those of this environment.

The wheels contain /opt/python/cp311-cp311/include/python3.11 and .../lib/python3.11/site-packages, which exist only on
the machine that built them. Run it with the Python of the environment; a second run changes nothing.
"""

import re
import sys
import sysconfig
from pathlib import Path

BUILD_PYTHON = re.compile(r"/opt/python/cp3\d+-cp3\d+")
INCLUDE = re.compile(BUILD_PYTHON.pattern + r"/include/python3\.\d+")
SITE_PACKAGES = re.compile(BUILD_PYTHON.pattern + r"/lib/python3\.\d+/site-packages")


def rewrite(text: str, include: str, site_packages: str) -> str:
    """Returns `text` with the two folders of the build machine replaced."""
    return SITE_PACKAGES.sub(lambda _: site_packages, INCLUDE.sub(lambda _: include, text))


def fix_folder(folder: Path, include: str, site_packages: str) -> int:
    """Rewrites the .cmake files under `folder` and returns the number of changed files."""
    changed = 0
    for path in sorted(folder.rglob("*.cmake")):
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        fixed = rewrite(text, include, site_packages)
        if fixed != text:
            path.write_text(fixed, encoding="utf-8", errors="surrogateescape")
            changed += 1
    return changed


def main() -> int:
    """Rewrites the CMake files of the environment of this Python; returns the exit code."""
    include, site_packages = sysconfig.get_path("include"), sysconfig.get_path("purelib")
    print(f"{fix_folder(Path(sys.prefix) / 'share', include, site_packages)} CMake files rewritten")
    return 0


if __name__ == "__main__":
    sys.exit(main())
