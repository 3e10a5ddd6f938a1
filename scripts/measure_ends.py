#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""How nodes end that are all told to end at the same moment, again and again.

    scripts/in_env.sh python scripts/measure_ends.py --nodes 7 --rounds 100

What came out, and why: docs/guarantees.md, "The end of a process".
"""

import argparse
import os
import signal
import sys
import time
from collections import Counter

from tqdm import tqdm

from emotion_perception.core.config import ClassifierConfig
from emotion_perception.ros.conversions import EmotionArray, FaceArray
from emotion_perception.ros.demo.runner import own_domain
from emotion_perception.ros.lifecycle_node import PerceptionNode, run_node
from emotion_perception.ros.transport.result_publisher import ResultPublisher
from emotion_perception.ros.transport.subscriptions import SynchronizedSubscription

LONGEST_S = 10.0


class TalkingNode(PerceptionNode[ClassifierConfig]):
    """Speaks and listens on the topics of two cameras, as all others do.

    Args:
        number: of the node.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"talking_{number}", ClassifierConfig)

    def setup(self) -> None:
        """Makes the publishers."""
        topics = [(kind, f"{camera}/{name}") for camera in "ab" for kind, name in TOPICS]
        self._publishers_of_results = [(kind, ResultPublisher(self, kind, topic)) for kind, topic in topics]

    def start(self) -> None:
        """Begins to speak and to listen."""
        self._inputs = [
            SynchronizedSubscription(self, kind, f"{camera}/{name}", f"{camera}/image_raw", lambda _: None, self.config)
            for camera in "ab"
            for kind, name in TOPICS
        ]
        self._timer = self.create_steady_timer(1 / 30, self._speak)

    def stop(self) -> None:
        """Is silent again."""
        self.destroy_timer(self._timer)
        for each in self._inputs:
            each.close()

    def teardown(self) -> None:
        """Withdraws the topics."""
        for _, publisher in self._publishers_of_results:
            publisher.close()

    def _speak(self) -> None:
        for kind, publisher in self._publishers_of_results:
            message = kind()
            message.header.stamp = self.get_clock().now().to_msg()
            publisher.publish(message)


TOPICS = ((FaceArray, "faces"), (EmotionArray, "emotions"))


def one_round(nodes: int, seconds: float) -> dict[int, tuple[int, float]]:
    """Starts the nodes, ends them together; returns for each process how it ended (`waitpid`) and after how long."""
    processes = [_start(number) for number in range(nodes)]
    time.sleep(seconds)
    for process in processes:
        os.kill(process, signal.SIGTERM)
    begun_s, ended = time.monotonic(), {}
    while len(ended) < nodes:
        for process in set(processes) - ended.keys():
            if time.monotonic() - begun_s > LONGEST_S:
                os.kill(process, signal.SIGKILL)
            if (found := os.waitpid(process, os.WNOHANG))[0]:
                ended[process] = (found[1], time.monotonic() - begun_s)
        time.sleep(0.01)
    return ended


def _start(number: int) -> int:
    if process := os.fork():
        return process
    code = 1
    try:
        code = run_node(lambda: TalkingNode(number), [])
    finally:
        os._exit(code)


def main() -> int:
    """Measures; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=7, help="how many end together (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=100, help="(default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=1.5, help="that they run before (default: %(default)s)")
    options = parser.parse_args()
    ends: list[tuple[int, float]] = []
    for _ in tqdm(range(options.rounds), unit="round"):
        with own_domain() as domain:
            os.environ["ROS_DOMAIN_ID"] = str(domain)
            ends += one_round(options.nodes, options.seconds).values()
    for status, count in sorted(Counter(status for status, _ in ends).items()):
        longest_s = max(seconds for each, seconds in ends if each == status)
        print(f"{count:5d} ended with {os.waitstatus_to_exitcode(status):4d}, the last after {longest_s:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
