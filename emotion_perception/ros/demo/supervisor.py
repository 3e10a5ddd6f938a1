# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Supervises node processes: starts them, restarts those that were killed or failed, stops them in order."""

import logging
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ament_index_python.packages import get_package_prefix, get_package_share_directory

from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.ros.demo.shared_memory import remove_dead, segments_of
from emotion_perception.ros.process import EXIT_OK
from emotion_perception.ros.restart_policy import RestartPolicy

_log = logging.getLogger(__name__)
_END_S = 5.0
_FIRST_WAIT_S, _LONGEST_WAIT_S, _STABLE_S = 0.5, 8.0, 5.0
_SHM_PERIOD_S = 0.5
_SILENT_S, _LONGEST_START_S = 10.0, 20.0  # a node reports once a second, 20 s after its start at the latest
_GAP_S = 2.0  # between two calls of `kill_silent`; after a longer one this process has not listened


class ProcessError(EmotionPerceptionError):
    """A node process has ended and is not restarted."""


@dataclass
class _Node:
    command: list[str | Path]
    process: subprocess.Popen[bytes]
    started_s: float
    wait_s: float = 0.0  # between its end and the restart
    due_s: float | None = None  # when it is started again; None while it runs
    segments: set[Path] = field(default_factory=set)
    policy: RestartPolicy = field(default_factory=RestartPolicy)


class Supervisor:
    """Runs nodes as processes with the package's parameter file.

    A node that is killed or fails is restarted: at once, or with an increasing delay if it ends within five seconds.
    Shared memory that it leaves is removed. `RestartPolicy` says which nodes are not restarted.

    Args:
        nodes: by node name, or NAMESPACE/NAME: parameters in addition to the file, as `name:=value`.
        first: the same, for the first start only.
        arguments: by node, what its command line has besides the parameters.

    Attributes:
        restarts: number of restarts by node.
        segments_removed: number of shared-memory segments of killed nodes that were removed.
        pids: ids of all processes that were started.
    """

    def __init__(
        self,
        nodes: Mapping[str, Sequence[str]],
        first: Mapping[str, Sequence[str]] | None = None,
        *,
        arguments: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.restarts: Counter[str] = Counter()
        self.segments_removed = 0
        self.pids: set[int] = set()
        self._next_check_s = 0.0
        self._listened_s = self._listening_since_s = time.monotonic()
        self._nodes: dict[str, _Node] = {}
        for name, overrides in nodes.items():
            own = (arguments or {}).get(name, ())
            process = _start(_command(name, own, [*overrides, *(first or {}).get(name, ())]))
            self._nodes[name] = _Node(_command(name, own, overrides), process, time.monotonic())
            self.pids.add(process.pid)

    @property
    def names(self) -> list[str]:
        """The names of the nodes."""
        return list(self._nodes)

    def pid(self, name: str) -> int:
        """Returns the process id of a node."""
        return self._nodes[name].process.pid

    def check(self, *, respawn: bool) -> None:
        """Checks the nodes; to be called several times a second.

        Args:
            respawn: restart a node that has ended; otherwise this is an error.

        Raises:
            ProcessError: a node has ended and is not restarted.
        """
        self._note_segments()
        for name, node in self._nodes.items():
            code = node.process.poll()
            if code is None:
                continue
            if not respawn:
                raise ProcessError(f"{name} ended with exit code {code}")
            self._restart(name, node, code)

    def kill_silent(self, reported_s: Callable[[str], float | None]) -> None:
        """Kills each node that runs but is not heard of any more, so that `check` restarts it.

        To be called several times a second: time in which this process itself was stopped is not counted.

        Args:
            reported_s: returns when a node last reported its state, as a monotonic time; None if it never has.
        """
        now_s = time.monotonic()
        if now_s - self._listened_s > _GAP_S:
            self._listening_since_s = now_s
        self._listened_s = now_s
        for name, node in self._nodes.items():
            last_s = reported_s(name)
            if last_s is None or node.process.poll() is not None:
                continue
            silent_s = now_s - max(last_s, self._listening_since_s, node.started_s + _LONGEST_START_S - _SILENT_S)
            if silent_s > _SILENT_S:
                self.kill(name, "does not report its state any more")

    def kill(self, name: str, reason: str) -> None:
        """Kills a node that does not work any more, so that `check` restarts it; the log says the reason."""
        _log.warning("%s %s, killing it", name, reason)
        self._nodes[name].process.kill()

    def stop(self, *, starting: bool) -> list[str]:
        """Stops the nodes one after another; returns a line for each that did not end properly.

        Not all at once: a participant of Fast DDS that is destroyed while others are may hang, see `shutdown_watchdog`.

        Args:
            starting: some nodes may have no signal handler yet, so an end by SIGTERM is no fault.
        """
        expected = (EXIT_OK, -signal.SIGTERM) if starting else (EXIT_OK,)
        faults = []
        for name, node in self._nodes.items():
            if not _end(node.process):
                faults.append(f"{name} did not end within {_END_S:.0f} s")
            elif node.process.returncode not in expected:
                faults.append(f"{name} ended with exit code {node.process.returncode}")
        self._clean_up()
        return faults

    def _restart(self, name: str, node: _Node, code: int) -> None:
        """Restarts a node that has ended, now or when its delay is over.

        Raises:
            ProcessError: it is not restarted.
        """
        now_s = time.monotonic()
        if node.due_s is None:
            if refusal := node.policy.refusal(name, code, now_s):
                raise ProcessError(refusal)
            was_stable = now_s - node.started_s > _STABLE_S
            node.wait_s = 0.0 if was_stable else min(max(2 * node.wait_s, _FIRST_WAIT_S), _LONGEST_WAIT_S)
            node.due_s = now_s + node.wait_s
            self._clean_up()
            _log.warning("%s ended with exit code %d, restarting it in %.1f s", name, code, node.wait_s)
        if now_s >= node.due_s:
            node.process, node.started_s, node.due_s = _start(node.command), now_s, None
            self.pids.add(node.process.pid)
            self.restarts[name] += 1

    def _note_segments(self) -> None:
        """Notes the shared-memory segments of the running nodes."""
        if time.monotonic() < self._next_check_s:
            return
        self._next_check_s = time.monotonic() + _SHM_PERIOD_S
        for node in self._nodes.values():
            node.segments |= segments_of(node.process.pid)

    def _clean_up(self) -> None:
        for node in self._nodes.values():
            if node.process.poll() is not None:
                self.segments_removed += remove_dead(node.segments)
                node.segments.clear()


def _start(command: list[str | Path]) -> "subprocess.Popen[bytes]":
    # in a session of its own, so that Ctrl-C reaches the supervisor alone and the nodes end in order; a supervisor that
    # is killed takes its nodes with it
    setpriv = shutil.which("setpriv")
    with_parent = [setpriv, "--pdeathsig", "TERM"] if setpriv else []
    return subprocess.Popen([*with_parent, *command], start_new_session=True)


def _end(process: "subprocess.Popen[bytes]") -> bool:
    """Ends a process; returns False if it had to be killed."""
    process.terminate()  # unlike SIGINT, it ends a Python that is still starting without a word
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


def _command(name: str, arguments: Sequence[str], overrides: Sequence[str]) -> list[str | Path]:
    folder = Path(get_package_prefix("emotion_perception")) / "lib" / "emotion_perception"
    config = Path(get_package_share_directory("emotion_perception")) / "config" / "emotion_perception.yaml"
    assignments = [word for override in overrides for word in ("-p", override)]
    namespace, _, executable = name.rpartition("/")
    where = ["-r", f"__ns:=/{namespace}"] if namespace else []
    return [folder / executable, *arguments, "--ros-args", *where, "--params-file", config, *assignments]
