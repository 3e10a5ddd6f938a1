#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/licenses.md: the license of every package in requirements/*.txt, as its metadata has it.

The metadata is that of the environments that are here (.venv-*), and for all other packages that of the package index,
which pip reads without the wheel. ``--check`` needs no network: it compares the packages and versions of the document
with those of the locks.
"""

import argparse
import importlib.metadata
import json
import re
import subprocess
import sys
import tempfile
import venv
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "requirements"
DOCUMENT = ROOT / "docs" / "licenses.md"
BEGIN, END = "<!-- begin of the table -->\n", "<!-- end of the table -->\n"
HEADER = "| package | version | license | in the locks |\n|---|---|---|---|\n"
GROUPS = {  # locks -> how the table calls them
    r"(jazzy|kilted|ros-apt)\.txt": "run time",
    r".*-bags\.txt": "bags",
    r"video\.txt": "video",
    r".*-web\.txt": "web",
    r"window\.txt": "window",
    r"(.*-test|torch-.*|no-ros.*)\.txt": "test",
    r".*-bench\.txt": "bench",
    r"(docs|tools)\.txt": "docs and tools",
    r"peer-.*\.txt": "peers",
}
_PIN = re.compile(r"^([a-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_LONGEST = 60  # characters of a license; some packages put its whole text there


def locked() -> dict[str, dict[str, set[str]]]:
    """Returns the locked packages: name -> version -> groups of the locks that have it."""
    found: dict[str, dict[str, set[str]]] = {}
    for path in sorted(LOCKS.glob("*.txt")):
        group = next(group for pattern, group in GROUPS.items() if re.fullmatch(pattern, path.name))
        for name, version in _PIN.findall(path.read_text(encoding="utf-8")):
            found.setdefault(name, {}).setdefault(version.partition("+")[0], set()).add(group)
    return dict(sorted(found.items()))


def license_of(metadata: Mapping[str, Any]) -> str:
    """Returns the license of a package from its metadata, of which there are three generations."""
    if expression := metadata.get("license_expression"):
        return str(expression)
    classifiers = [text for text in metadata.get("classifier", []) if text.startswith("License ::")]
    named = [text.rpartition(" :: ")[2] for text in classifiers if not text.endswith("OSI Approved")]
    text = " ".join(str(metadata.get("license") or "").split())
    if named and (not text or len(text) > _LONGEST):
        return ", ".join(named)
    if len(text) > _LONGEST:
        return f"{text[: _LONGEST - 3]}..."
    return text if text and text.upper() != "UNKNOWN" else "not in its metadata"


def installed_licenses() -> dict[str, str]:
    """Returns name -> license of the packages in the environments of this checkout."""
    folders = [str(path) for path in ROOT.glob(".venv-*/lib/python3*/site-packages")]
    found = importlib.metadata.distributions(path=folders)
    return {_normalized(one.metadata["Name"]): license_of(one.metadata.json) for one in found}


def ros_license(name: str) -> str | None:
    """Returns the license in the package.xml of a ROS wheel, whose metadata has none, or None if it is not here."""
    folder = re.sub("^ros-(jazzy-|kilted-)?", "", name).replace("-", "_")
    for path in ROOT.glob(f".venv-*/share/{folder}/package.xml"):
        return ", ".join(str(one.text) for one in ElementTree.parse(path).getroot().iter("license"))
    return None


def read_licenses(packages: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Returns name -> license of one version of each package."""
    licenses = {name: text for name, text in installed_licenses().items() if name in packages}
    pins = [f"{name}=={min(packages[name], key=_version_key)}" for name in packages.keys() - licenses.keys()]
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = [f"{folder}/bin/python", "-m", "pip", "--disable-pip-version-check", "--no-input"]
        tools = ["install", "--quiet", "--require-hashes", "--no-deps", "--requirement", str(LOCKS / "tools.txt")]
        subprocess.run([*pip, *tools], check=True)  # a pip that reads metadata without the wheel
        for batch in _batches(sorted(pins)):
            licenses |= _licenses(pip, batch, Path(folder, "report.json"))
    return {name: ros_license(name) or text if name.startswith("ros-") else text for name, text in licenses.items()}


def _batches(pins: list[str], size: int = 10) -> Iterable[list[str]]:
    return (pins[start : start + size] for start in range(0, len(pins), size))


def _version_key(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _licenses(pip: list[str], pins: list[str], report: Path) -> dict[str, str]:
    """Returns name -> license; pins that this Python cannot install are tried one by one, for any Python."""
    only = ["install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps", "--ignore-requires-python"]
    done = subprocess.run([*pip, *only, "--report", str(report), *pins], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        installs = json.loads(report.read_text(encoding="utf-8"))["install"]
        return {_normalized(item["metadata"]["name"]): license_of(item["metadata"]) for item in installs}
    if len(pins) > 1:
        return {name: text for pin in pins for name, text in _licenses(pip, [pin], report).items()}
    name, _, version = pins[0].partition("==")
    print(f"{name} {version}: {done.stderr.strip().rpartition(chr(10))[2]}", file=sys.stderr)
    return {name: "not read"}


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def rows(packages: Mapping[str, Mapping[str, Iterable[str]]], licenses: Mapping[str, str]) -> str:
    """Returns the rows of the table."""
    order = list(dict.fromkeys(GROUPS.values()))
    lines = []
    for name, versions in packages.items():
        groups = sorted({group for found in versions.values() for group in found}, key=order.index)
        cells = [
            name,
            ", ".join(sorted(versions, key=_version_key)),
            licenses[name].replace("|", "/"),
            ", ".join(groups),
        ]
        lines.append(f"| {' | '.join(cells)} |\n")
    return "".join(lines)


def documented() -> dict[str, str]:
    """Returns the licenses in the document: name -> license."""
    table = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].removeprefix(HEADER)
    cells = (line.strip("| ").split(" | ") for line in table.splitlines())
    return {name: text for name, _, text, _ in cells}


def main() -> int:
    """Writes or compares the table of the document; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="exit with 1 if the document does not fit the locks")
    check = parser.parse_args().check
    packages = locked()
    licenses = documented() if check else read_licenses(packages)
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    new = f"{before}{BEGIN}{HEADER}{rows(packages, licenses) if licenses.keys() == packages.keys() else ''}{END}"
    new += rest.partition(END)[2]
    if not check:
        DOCUMENT.write_text(new, encoding="utf-8")
    elif new != DOCUMENT.read_text(encoding="utf-8"):
        print("docs/licenses.md does not fit requirements/*.txt: run scripts/write_licenses.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
