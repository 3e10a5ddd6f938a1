# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a page asks of other nodes, and that nothing it sends ends web_viewer_node."""

import pytest

pytest.importorskip("nicegui", reason="the extra web is not installed: scripts/setup.sh web")

from emotion_perception.ros.viewer.remote_parameters import RemoteParameters
from emotion_perception.web.state import Control


@pytest.fixture
def control(graph):
    graph.probe.declare_parameter("detection_interval", 1)
    return Control("/probe", "detection_interval", "Detection interval", 1)


@pytest.fixture
def remote(graph, control):
    remote = RemoteParameters(graph.probe, [control])

    def is_read():
        remote.work(read=True)
        return remote.value(control) == 1

    graph.wait(is_read, "the parameter is not read")
    return remote


def test_a_value_is_set_and_a_wrong_type_is_refused_with_the_reason(graph, remote, control):
    taken, refused = remote.set(control, 3), remote.set(control, "three")
    remote.work(read=False)
    graph.wait(lambda: taken.done() and refused.done())
    assert (taken.result(), graph.probe.get_parameter("detection_interval").value) == ("", 3)
    assert "type" in refused.result()


def test_a_value_that_no_parameter_can_hold_is_refused(graph, remote, control):
    number, text = remote.set(control, 10**20), remote.set(control, "\ud800")
    remote.work(read=False)
    assert "64 bits" in number.result(0)
    assert text.exception(0) is not None
    assert graph.probe.get_parameter("detection_interval").value == 1


def test_a_command_that_nobody_waits_for_any_more_is_not_sent(graph, remote, control):
    result = remote.set(control, 4)
    assert result.cancel()
    remote.work(read=False)
    after = remote.set(control, 5)
    remote.work(read=False)
    assert not after.cancel()
    graph.wait(after.done)
    assert graph.probe.get_parameter("detection_interval").value == 5
