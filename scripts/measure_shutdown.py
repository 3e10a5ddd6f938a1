#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures exit status and duration of nodes that get SIGTERM at the same moment, over many rounds.

    scripts/in_env.sh python scripts/measure_shutdown.py --nodes 7 --rounds 100

Results: docs/performance.md.
"""

import argparse
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack

from tqdm import tqdm

from emotion_perception.ros.config import ClassifierNodeConfig
from emotion_perception.ros.conversions import EmotionArray, FaceArray
from emotion_perception.ros.demo.domain import own_domain
from emotion_perception.ros.lifecycle_node import Behavior, PerceptionNode
from emotion_perception.ros.node_runner import run_node
from emotion_perception.ros.transport.result_publisher import ResultPublisher
from emotion_perception.ros.transport.subscriptions import SynchronizedSubscription

KILL_AFTER_S = 10.0


class BusyNode(PerceptionNode[ClassifierNodeConfig]):
    """Publishes and subscribes to the result topics of two cameras.

    Args:
        number: suffix of the node's name.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"busy_{number}", ClassifierNodeConfig)

    def configure(self, resources: ExitStack) -> Behavior:
        """Creates the publishers."""
        topics = [(kind, f"{camera}/{name}") for camera in "ab" for kind, name in TOPICS]
        return BusyBehavior(self, [(kind, ResultPublisher(self, kind, topic, resources)) for kind, topic in topics])


class BusyBehavior(Behavior):
    """Publishes on all topics at 30 Hz and subscribes to them.

    Args:
        node: node that publishes and subscribes.
        publishers: message type and publisher of each topic.
    """

    def __init__(self, node: BusyNode, publishers: Sequence[tuple[type, ResultPublisher]]) -> None:
        self._node, self._publishers = node, publishers

    def activate(self, resources: ExitStack) -> None:
        """Subscribes and starts to publish."""
        node = self._node
        for camera in "ab":
            for kind, name in TOPICS:
                topics = f"{camera}/{name}", f"{camera}/image_raw"
                SynchronizedSubscription(node, kind, *topics, lambda _: None, node.config, resources)
        resources.callback(node.destroy_timer, node.create_steady_timer(1 / 30, self._publish))

    def _publish(self) -> None:
        for kind, publisher in self._publishers:
            message = kind()
            message.header.stamp = self._node.get_clock().now().to_msg()
            publisher.publish(message)


TOPICS = ((FaceArray, "faces"), (EmotionArray, "emotions"))


def one_round(nodes: int, seconds: float) -> dict[int, tuple[int, float]]:
    """Starts the nodes, sends SIGTERM to all of them, and waits.

    Returns:
        Process id -> status of `waitpid`, and the seconds from SIGTERM to the exit.
    """
    processes = [_start(number) for number in range(nodes)]
    time.sleep(seconds)
    for process in processes:
        os.kill(process, signal.SIGTERM)
    begun_s, ended = time.monotonic(), {}
    while len(ended) < nodes:
        for process in set(processes) - ended.keys():
            if time.monotonic() - begun_s > KILL_AFTER_S:
                os.kill(process, signal.SIGKILL)
            if (waited := os.waitpid(process, os.WNOHANG))[0]:
                ended[process] = (waited[1], time.monotonic() - begun_s)
        time.sleep(0.01)
    return ended


def _start(number: int) -> int:
    if process := os.fork():
        return process
    code = 1
    try:
        code = run_node(lambda: BusyNode(number), [])
    finally:
        os._exit(code)


def main() -> int:
    """Measures and prints a line for each exit status; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=7, help="number of nodes (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=100, help="(default: %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=1.5, help="seconds from the start to SIGTERM (default: %(default)s)"
    )
    options = parser.parse_args()
    exits: list[tuple[int, float]] = []
    for _ in tqdm(range(options.rounds), unit="round"):
        with own_domain() as domain:
            os.environ["ROS_DOMAIN_ID"] = str(domain)
            exits += one_round(options.nodes, options.seconds).values()
    for status, count in sorted(Counter(status for status, _ in exits).items()):
        longest_s = max(seconds for each, seconds in exits if each == status)
        print(f"{count:5d} processes with exit code {os.waitstatus_to_exitcode(status):4d}, within {longest_s:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
