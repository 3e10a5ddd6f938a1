# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every test of this folder has a ROS domain of its own, on this machine alone."""

import importlib.util
import itertools
import os
import random

import pytest

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
