# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Limits of YAML documents, checked before their content is built.

A document of a few hundred bytes can stand for gigabytes: aliases of aliases multiply, and nested brackets exhaust the
stack of a recursive parser.
"""

from typing import Any

import yaml

MAX_NODES = 1_000_000
"""Scalars, lists and tables, where an alias counts as all that it stands for."""
MAX_DEPTH = 100
SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""PyYAML's loader of libyaml, which is faster, or that of Python where it was built without."""


def check_yaml(text: str) -> None:
    """Checks the limits of a YAML document.

    Raises:
        ValueError: it has more than `MAX_NODES` nodes or is nested more deeply than `MAX_DEPTH`.
        yaml.YAMLError: it is not YAML.
    """
    sizes: dict[str | None, int] = {}  # nodes that an anchor stands for
    open_nodes: list[tuple[str | None, int]] = []  # anchor of each open list or table, and the nodes before it
    nodes = 0
    for event in yaml.parse(text, Loader=SAFE_LOADER):
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_nodes):
                raise ValueError(f"the alias *{event.anchor} refers to itself")
            nodes += sizes.get(event.anchor, 1)
        elif isinstance(event, yaml.NodeEvent):
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, nodes))
            else:
                sizes[event.anchor] = 1
            nodes += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            sizes[anchor] = nodes - before
        if nodes > MAX_NODES:
            raise ValueError(f"more than {MAX_NODES:,} values, counting aliases as what they stand for")
        if len(open_nodes) > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
