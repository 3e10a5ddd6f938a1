# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

from emotion_perception.ros.diagnostics import NodeDiagnostics


def test_a_problem_is_logged_when_it_is_new_or_has_changed_but_not_again_and_again():
    now_s = [0.0]
    diagnostics = NodeDiagnostics(lambda: now_s[0])
    assert diagnostics.set_problem("camera", "no camera")
    assert not diagnostics.set_problem("camera", "no camera")
    assert [diagnostics.set_problem("camera", f"no camera {number}") for number in range(8)] == [True] * 4 + [False] * 4
    assert "no camera 7" in diagnostics.entry("", "", {}).message, "the entry has the newest one"
    diagnostics.clear_problem("camera")
    assert not diagnostics.set_problem("camera", "no camera"), "it comes and goes"
    assert diagnostics.set_problem("clock", "no clock"), "another one"
    now_s[0] = 10.0
    assert diagnostics.set_problem("camera", "no camera at all")
