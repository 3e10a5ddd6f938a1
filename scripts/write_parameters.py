#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes config/emotion_perception.yaml and docs/parameters.md from the fields of ros/config.py.

python scripts/write_parameters.py          writes both
python scripts/write_parameters.py --check  only says, by exit code 1, whether they differ from the fields
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from emotion_perception.core.options import (  # noqa: E402 - works in a checkout that is not installed
    OptionLimits,
    limits_of,
    option_fields,
)
from emotion_perception.ros.config import NODE_CONFIGS  # noqa: E402

YAML = ROOT / "config" / "emotion_perception.yaml"
DOCUMENT = ROOT / "docs" / "parameters.md"
_HEAD = """\
# Parameters of the nodes with their defaults, written by scripts/write_parameters.py. Copy it, change the copy,
# and give it as params_file:=... to the launch file. (live) ones also change with `ros2 param set`, on the next frame.
"""
_DOCUMENT_HEAD = """\
# Parameters

<!-- Written by scripts/write_parameters.py from ros/config.py: change that, not this file. -->

The parameters of the nodes with their defaults and limits. `config/emotion_perception.yaml` has the
same values: copy it, change the copy, and give it to the launch file as `params_file:=...`, or to a
node with `--ros-args --params-file ...`.

*Live* parameters also change with `ros2 param set`, on the next frame; the others are read-only while
a node runs. A value outside its limits is refused, and the line gives the reason. All nodes except the
bag player, the recorder and the web viewer also have `autostart` (default true: configure and activate
at start), and all have ROS's own `use_sim_time` and, for images, `qos_overrides`. Names of earlier
revisions: [renamed.md](renamed.md).
"""


def limits_text(limits: OptionLimits) -> str:
    """Returns the limits as people write them, e.g. `0..1`."""
    if limits.choices:
        return ", ".join(limits.choices)
    return f"{limits.minimum:g}..{limits.maximum:g}" if limits.maximum is not None else ""


def yaml_text() -> str:
    """Returns the content of config/emotion_perception.yaml."""
    lines = [_HEAD]
    for node, config in NODE_CONFIGS.items():
        lines.append(f"/**/{node}:\n  ros__parameters:")
        for field in option_fields(config):
            limits = limits_of(field)
            notes = [limits.description, limits_text(limits), "(live)" if limits.live else ""]
            lines.append(f"    # {'; '.join(note for note in notes if note)}")
            lines.append(f"    {field.name}: {json.dumps(field.default)}")
        lines.append("")
    return "\n".join(lines)


def document_text() -> str:
    """Returns the content of docs/parameters.md: a table a node."""
    lines = [_DOCUMENT_HEAD]
    for node, config in NODE_CONFIGS.items():
        lines += [f"## {node}\n", "| parameter | default | limits | live | meaning |", "|---|---|---|---|---|"]
        for field in option_fields(config):
            limits = limits_of(field)
            default = f"`{json.dumps(field.default)}`"
            live = "yes" if limits.live else ""
            lines.append(f"| `{field.name}` | {default} | {limits_text(limits)} | {live} | {limits.description} |")
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    """Writes the two files, or compares them where `--check` is given."""
    wanted = {YAML: yaml_text(), DOCUMENT: document_text()}
    differing = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in differing:
            print(f"{path.relative_to(ROOT)} differs from ros/config.py: run scripts/write_parameters.py")
        return 1 if differing else 0
    for path in differing:
        path.write_text(wanted[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
