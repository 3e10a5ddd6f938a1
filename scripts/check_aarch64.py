#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Lists the locked packages that have no wheel for 64-bit Arm on Linux; exit code 1 if there are any; `make check-arm`.

    python scripts/check_aarch64.py --uv UV [LOCK...]

Asks the package index, through uv, for the locked version of each package with the locked hashes. The locks of the ROS
wheels (jazzy*.txt, kilted*.txt) are left out: those wheels are for x86-64 only; on Arm, ROS comes from apt.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements"
LOCKS = {  # lock -> the Pythons that it is for
    "ros-apt.txt": ("3.10", "3.12", "3.14"),  # Humble; Jazzy, Kilted; Lyrical
    "ros-apt-web.txt": ("3.10", "3.12", "3.14"),
    "ros-apt-test.txt": ("3.10", "3.12", "3.14"),
    "no-ros.txt": ("3.10", "3.13", "3.14"),
    "torch-cuda.txt": ("3.10", "3.12", "3.14"),
}
PLATFORM = "aarch64-manylinux_2_35"  # glibc of Ubuntu 22.04
_NO_WHEEL = re.compile(r"no (?:usable )?wheels|no wheels with a matching|requires building|no-build", re.IGNORECASE)
_AT_ONCE = 8


def packages(lock: Path) -> Iterator[tuple[str, str]]:
    """Yields name and requirement of each package, with its version, marker and hashes."""
    for block in re.findall(r"^[A-Za-z0-9].*(?:\n[ \t]+.*)*", lock.read_text(encoding="utf-8"), re.MULTILINE):
        yield block.split("==")[0], block


def problem(uv: str, requirement: str, python: str) -> str:
    """Returns why packages have no wheel, an empty string if each has one or is not needed there."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(requirement + "\n")
        file.flush()
        command = [uv, "pip", "compile", "--quiet", "--no-deps", "--only-binary", ":all:", "--generate-hashes"]
        command += ["--python-version", python, "--python-platform", PLATFORM, file.name]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    text = " ".join(done.stderr.split())
    return "no wheel" if _NO_WHEEL.search(text) else text


def main() -> int:
    """Asks for all packages; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--uv", default="uv", help="the program uv (default: %(default)s)")
    parser.add_argument("locks", nargs="*", default=list(LOCKS), help="of requirements/ (default: %(default)s)")
    options = parser.parse_args()
    missing = 0
    for lock in options.locks:
        for python in LOCKS.get(lock, ("3.12",)):
            names, blocks = zip(*packages(REQUIREMENTS / lock), strict=True)
            found = [""] * len(names)
            if problem(options.uv, "\n".join(blocks), python):  # which of them?
                with ThreadPoolExecutor(_AT_ONCE) as threads:
                    found = list(threads.map(lambda block, python=python: problem(options.uv, block, python), blocks))
            lacking = [f"{name} ({text})" for name, text in zip(names, found, strict=True) if text]
            print(
                f"{lock}, Python {python}: {len(names) - len(lacking)} of {len(names)} packages have an aarch64 wheel"
            )
            for entry in lacking:
                print(f"  none: {entry}")
            missing += len(lacking)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
