# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every test of this folder has a ROS domain of its own, on this machine alone."""

import importlib.util
import itertools
import os
import random
from types import SimpleNamespace

import pytest

from emotion_perception.core.types import FrameCounts

# Read when a message module is imported: without it numpy scalars pass and abort the process when they are sent.
os.environ["ROS_PYTHON_CHECK_FIELDS"] = "1"
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

collect_ignore_glob = []
if importlib.util.find_spec("rclpy") is None:
    print("test/ros is left out: no rclpy here (make test brings one)")
    collect_ignore_glob = ["*"]

# All domains below the ephemeral ports, none again before all were used: the dead stay in discovery for 20 s.
_DOMAINS = itertools.cycle(random.sample(range(1, 101), 100))


@pytest.fixture(autouse=True)
def ros_domain(monkeypatch):
    """A domain that no other test on this machine uses, also as ROS_DOMAIN_ID for processes that the test starts."""
    coordinator = pytest.importorskip("domain_coordinator")
    with coordinator.domain_id(lambda: next(_DOMAINS)) as domain:
        monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
        yield domain


@pytest.fixture(autouse=True)
def ros_home(monkeypatch, tmp_path_factory):
    """A folder of its own instead of ~/.ros, where camera_node looks for a calibration."""
    home = tmp_path_factory.mktemp("ros_home")
    monkeypatch.setenv("ROS_HOME", str(home))
    return home


@pytest.fixture
def graph(ros_domain):
    """A graph in a domain that no other test uses."""
    from ros_graph import Graph

    graph = Graph(ros_domain)
    yield graph
    graph.close()


@pytest.fixture
def make():
    """The builders: `make.header`, `make.image`, `make.compressed`, `make.detector`, `make.counts`."""
    import ros_graph

    return SimpleNamespace(
        header=ros_graph.header,
        image=ros_graph.image,
        compressed=ros_graph.compressed,
        detector=ros_graph.FakeDetector,
        counts=FrameCounts(received=1, processed=1),
    )
