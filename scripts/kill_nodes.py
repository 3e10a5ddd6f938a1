#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Kill test: `kill -9` of nodes, again and again, in two demonstrations beside each other; `make test-kills`.

    python scripts/kill_nodes.py --kills 200 --composed-kills 50 --out out/kills

First two demonstrations of four processes each run at the same time, then two of one composed process each. A node is
back when a result arrives whose image was taken after the kill: an EmotionArray, or for overlay_node an image with the
overlay. Before every third kill the same program is started in a third domain, and its cold start is measured there:
from the start of the process until it reports `active` in /diagnostics. A node has to be back within the longest cold
start of that program plus one second. Ctrl-C ends the test with the figures so far. Writes kills.csv and kills.json;
the exit code is 1 if a node was lost or late, or the test was ended.
"""

import argparse
import csv
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from sensor_msgs.msg import Image
from tqdm import tqdm

from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.reporting.output_folder import OutputFolder
from emotion_perception.reporting.provenance import processor_name
from emotion_perception.ros.conversions import EmotionArray, stamp_ns
from emotion_perception.ros.demo.domain import own_domain
from emotion_perception.ros.demo.runner import COMPOSED, NODES
from emotion_perception.ros.demo.supervisor import Supervisor
from emotion_perception.ros.diagnostics import node_of_status
from emotion_perception.ros.executor import FaultTolerantExecutor
from emotion_perception.ros.qos import RESULTS
from emotion_perception.ros.restart_policy import MAX_RESTARTS, RESTARTS_PERIOD_S

PARAMETERS = {
    "camera_node": ['video_device:="synthetic"'],
    COMPOSED: ['camera_node:video_device:="synthetic"'],
}
DEMOS, START_S, END_S, LOST_S, SPARE_S = 2, 60.0, 60.0, 30.0, 1.0
SETTLED_S = RESTARTS_PERIOD_S / MAX_RESTARTS + 0.5  # so rarely that `RestartPolicy` allows each restart
COLD_EVERY = 3  # kills; no divisor of the number of nodes, so that each program has its turn
FIRST_S = 6.0  # so long a node has to live to be restarted at once, see `Supervisor`
DYING_NS = 10_000_000  # so long a killed process may still publish
_stop = threading.Event()
COLUMNS = ("program", "demo", "seconds", "killed_unix_s", "state")


class Listener:
    """Results and diagnostics of one domain.

    Attributes:
        newest_ns: the newest stamp by topic.
    """

    def __init__(self, domain: int) -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain, args=[])
        self._node = Node(f"kill_listener_{domain}", context=self._context)
        self._executor = FaultTolerantExecutor(self._node)
        self._states: dict[str, tuple[float, dict[str, str]]] = {}
        self.newest_ns = {"emotions": 0, "image_overlay": 0}
        self._node.create_subscription(EmotionArray, "emotions", self._on_emotions, RESULTS)
        self._node.create_subscription(Image, "image_overlay", self._on_overlay, RESULTS)
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_status, 50)

    def spin(self) -> None:
        """Takes a message that has arrived, or waits a little for one.

        Raises:
            KeyboardInterrupt: SIGINT or SIGTERM has come; raised by the handler it could get lost in a callback.
        """
        if _stop.is_set():
            raise KeyboardInterrupt
        self._executor.spin_once(timeout_sec=0.02)

    def are_active(self, names: Iterable[str], since_s: float) -> bool:
        """Returns whether nodes have reported since a monotonic time that they are active."""
        reports = [self._states.get(name, (0.0, {})) for name in names]
        return all(at_s >= since_s and values.get("state") == "active" for at_s, values in reports)

    def report(self) -> str:
        """Returns what is known of the nodes, for a node that was lost."""
        now_s = time.monotonic()
        seen = {name: {"age_s": round(now_s - at_s, 1)} | values for name, (at_s, values) in self._states.items()}
        topics = ("image_raw", "faces", "emotions", "image_overlay")
        ends = {topic: (self._node.count_publishers(topic), self._node.count_subscribers(topic)) for topic in topics}
        nodes = sorted(self._node.get_node_names())
        return f"publishers and subscribers {ends}, nodes {nodes}, diagnostics {seen}"

    def close(self) -> None:
        """Leaves the domain."""
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    def _on_emotions(self, message: Any) -> None:
        if message.status == EmotionArray.OK:
            self.newest_ns["emotions"] = max(self.newest_ns["emotions"], stamp_ns(message.header))

    def _on_overlay(self, message: Image) -> None:
        self.newest_ns["image_overlay"] = max(self.newest_ns["image_overlay"], stamp_ns(message.header))

    def _on_status(self, message: DiagnosticArray) -> None:
        for entry in message.status:
            values = {value.key: value.value for value in entry.values}
            self._states[node_of_status(entry.name).rpartition("/")[2]] = (time.monotonic(), values)


class Demonstration:
    """`python -m emotion_perception.ros.demo`, which chooses a domain of its own.

    Args:
        number: distinguishes the demonstrations.
        out: folder for its output and log.
        composed: whether its nodes share one process.
    """

    def __init__(self, number: int, out: Path, *, composed: bool) -> None:
        self.number, self._out, self._composed = number, out, composed
        self.begin()

    def begin(self) -> None:
        """Starts the demonstration."""
        composed = "--composed" if self._composed else "--no-composed"
        command = [sys.executable, "-m", "emotion_perception.ros.demo", "--source", "synthetic", composed]
        where = self._out / f"{'composed' if self._composed else 'demo'}{self.number}"
        self._log = open(where.with_suffix(".log"), "w+", encoding="utf-8")  # noqa: SIM115 - closed in close()
        variables = {name: value for name, value in os.environ.items() if name != "ROS_DOMAIN_ID"}
        self._process = subprocess.Popen(
            [*command, "--out", where], env=variables, stdout=self._log, stderr=subprocess.STDOUT
        )
        self.listener = Listener(self._domain())

    def _domain(self) -> int:
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < START_S:
            if match := re.search(r"ROS domain (\d+),", Path(self._log.name).read_text(encoding="utf-8")):
                return int(match[1])
            self.supervise()
            time.sleep(0.05)
        self._process.terminate()
        sys.exit(f"demonstration {self.number} does not begin, see {self._log.name}")

    def pid(self, name: str) -> int | None:
        """Returns the process id of a node, None while it is being restarted."""
        for child in Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split():
            if f"lib/emotion_perception/{name}\0" in _command_line(child):
                return int(child)
        return None

    def supervise(self) -> None:
        """Ends the program if the demonstration has ended; it restarts its nodes itself."""
        if self._process.poll() is not None:
            sys.exit(f"demonstration {self.number} ended with {self._process.returncode}, see {self._log.name}")

    def close(self) -> str:
        """Ends the demonstration; returns what was wrong with its end, if anything."""
        self.listener.close()
        self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            code = None
            self._process.kill()
        self._log.close()
        return f"demonstration {self.number} ended with {code}, see {self._log.name}" if code else ""


def kill(demo: Demonstration, name: str) -> dict[str, Any]:
    """Kills a node and waits until it is back; returns a row of kills.csv, without `seconds` if it was lost."""
    results = demo.listener.newest_ns
    topic = "image_overlay" if name == "overlay_node" else "emotions"
    pid = None
    while pid is None:
        demo.listener.spin()
        demo.supervise()
        pid = demo.pid(name)
    os.kill(pid, signal.SIGKILL)
    killed_s, killed_ns = time.monotonic(), time.time_ns()
    seconds = None
    while seconds is None and time.monotonic() - killed_s < LOST_S:
        demo.supervise()
        demo.listener.spin()
        if results[topic] > killed_ns + DYING_NS:
            seconds = time.monotonic() - killed_s
    row = {"program": name, "demo": demo.number, "killed_unix_s": round(killed_ns * 1e-9, 3)}
    return {**row, "seconds": seconds, "state": "" if seconds else demo.listener.report()}


class ColdStarts:
    """Starts programs in a domain of their own and measures how long it takes until they are active.

    Args:
        domain: the ROS domain.

    Attributes:
        seconds: what was measured, by program.
    """

    def __init__(self, domain: int) -> None:
        self._domain, self._listener = domain, Listener(domain)
        self.seconds: dict[str, list[float]] = {}

    def measure(self, program: str) -> None:
        """Starts a program, waits until it is active and ends it."""
        names = NODES if program == COMPOSED else (program,)
        with ros_domain(self._domain):
            begun_s = time.monotonic()
            supervisor = Supervisor({program: PARAMETERS.get(program, ())})
        try:
            while not self._listener.are_active(names, begun_s):
                supervisor.check(respawn=False)
                self._listener.spin()
            self.seconds.setdefault(program, []).append(time.monotonic() - begun_s)
        finally:
            supervisor.stop(starting=True)

    def close(self) -> None:
        """Leaves the domain."""
        self._listener.close()


def _command_line(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@contextmanager
def ros_domain(domain: int) -> Iterator[None]:
    """Sets the domain of the processes that are started meanwhile."""
    before = os.environ.get("ROS_DOMAIN_ID")
    os.environ["ROS_DOMAIN_ID"] = str(domain)
    try:
        yield
    finally:
        del os.environ["ROS_DOMAIN_ID"]
        if before is not None:
            os.environ["ROS_DOMAIN_ID"] = before


def kill_in_turn(
    demos: Sequence[Demonstration], programs: Sequence[str], count: int, cold_starts: ColdStarts
) -> Iterator[dict[str, Any]]:
    """Kills the programs of all demonstrations in turn; yields a row for each kill.

    A demonstration that has lost a node is started anew.
    """
    for demo in demos:
        wait_for_results(demo)
    targets = [(demo, program) for program in programs for demo in demos]
    due_s = dict.fromkeys(range(len(targets)), time.monotonic() + FIRST_S)
    for number in range(count):
        index = number % len(targets)
        demo, program = targets[index]
        if number % COLD_EVERY == 0:
            cold_starts.measure(program)
        while time.monotonic() < due_s[index]:
            for each in demos:
                each.supervise()
                each.listener.spin()
        row = kill(demo, program)
        due_s[index] = time.monotonic() + SETTLED_S
        if row["seconds"] is None:
            demo.close()
            demo.begin()
            wait_for_results(demo)
        yield row


def wait_for_results(demo: Demonstration) -> None:
    """Waits until emotions and overlays arrive; ends the program if they do not."""
    begun_ns, begun_s = time.time_ns(), time.monotonic()
    while min(demo.listener.newest_ns.values()) < begun_ns:
        demo.supervise()
        demo.listener.spin()
        if time.monotonic() - begun_s > START_S:
            sys.exit(f"demonstration {demo.number} does not begin: {demo.listener.report()}")


def summary_of(rows: Sequence[dict[str, Any]], cold: dict[str, list[float]]) -> dict[str, Any]:
    """Returns the figures of each program."""
    programs = {}
    for program in dict.fromkeys(row["program"] for row in rows):
        own = [row["seconds"] for row in rows if row["program"] == program]
        back, starts = [seconds for seconds in own if seconds is not None], cold.get(program, [])
        limit_s = max(starts, default=float("inf")) + SPARE_S
        programs[program] = {
            "kills": len(own),
            "lost": own.count(None),
            "late": sum(seconds > limit_s for seconds in back),
            "back_s": _spread(back),
            "cold_start_s": _spread(starts),
        }
    return programs


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    return {"median": round(statistics.median(seconds), 2), "max": round(max(seconds), 2)}


def main() -> int:
    """Runs the kill test; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="kills of single nodes (default: %(default)s)")
    parser.add_argument(
        "--node", action="append", choices=NODES, help="kill this node only, may be repeated (default: all in turn)"
    )
    parser.add_argument("--composed-kills", type=int, default=50, help="of the composed process (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("out/kills"), help="output folder (default: %(default)s)")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _stop.set())
    logs = [f"{kind}{number}.log" for kind in ("demo", "composed") for number in range(DEMOS)]
    try:
        with OutputFolder(options.out, "kill_nodes", writes=["kills.csv", "kills.json", *logs]) as folder:
            folder.claim("kills.csv", "kills.json", *logs)
            return test(options)
    except EmotionPerceptionError as e:
        sys.exit(f"kill_nodes: {e}")


def test(options: argparse.Namespace) -> int:
    """Kills the nodes, prints and writes the figures; returns the exit code."""
    rows: list[dict[str, Any]] = []
    faults: list[str] = []
    with ExitStack() as stack:
        cold_starts = stack.enter_context(closing(ColdStarts(stack.enter_context(own_domain()))))
        bar = stack.enter_context(tqdm(total=options.kills + options.composed_kills, unit="kills", desc="kill test"))
        file = stack.enter_context(open(options.out / "kills.csv", "w", newline="", encoding="utf-8", buffering=1))
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()

        def run(programs: Sequence[str], count: int) -> None:
            composed = programs == [COMPOSED]
            demos: list[Demonstration] = []
            try:
                for number in range(DEMOS if count else 0):
                    demos.append(Demonstration(number, options.out, composed=composed))
                for row in kill_in_turn(demos, programs, count, cold_starts):
                    rows.append(row)
                    table.writerow(row)
                    bar.update()
            finally:
                faults.extend(fault for fault in [demo.close() for demo in demos] if fault)

        try:
            run(options.node or NODES, options.kills)
            run([COMPOSED], options.composed_kills)
        except KeyboardInterrupt:
            faults.append(f"ended after {len(rows)} kills")
    programs = summary_of(rows, cold_starts.seconds)
    faults += [f"{name}: {p['lost']} lost, {p['late']} late" for name, p in programs.items() if p["lost"] or p["late"]]
    summary = {"processor": f"{processor_name()}, {os.cpu_count()} cores", "programs": programs, "failures": faults}
    (options.out / "kills.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(summary, indent=2))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
