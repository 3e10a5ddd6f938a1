# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""bag_recorder: records topics into a new rosbag2 folder, for machines without rosbag2.

Subscribes to `topics`, by default `image_raw`, `camera_info`, `faces` and `emotions`, as soon as they have a publisher,
and writes each message byte for byte with the time of its arrival on the node's clock, until SIGINT or SIGTERM.
"""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rclpy.topic_endpoint_info import TopicEndpointInfo

from emotion_perception.bags.io.messages import typestore
from emotion_perception.core.errors import ConfigurationError, one_line
from emotion_perception.ros.command_line import NodeArgumentParser
from emotion_perception.ros.config import RecorderConfig
from emotion_perception.ros.lifecycle_node import STEADY_CLOCK
from emotion_perception.ros.node_options import NodeOptions
from emotion_perception.ros.one_shot_node import OneShotNode, run_one_shot_node
from emotion_perception.ros.process import EXIT_FAULT, EXIT_OK, GRACE_PERIOD_S
from emotion_perception.ros.transport.bag_writer import BagWriter
from emotion_perception.ros.transport.raw_subscription import RawSubscription, message_type, recorded_profile

if TYPE_CHECKING:
    from typing_extensions import Unpack

_DISCOVERY_PERIOD_S = 0.2
_SPIN_S = 0.1
_LAST_S = 0.3  # after the signal: messages sent before it may still arrive
_CLOSE_S = 30.0
_THROTTLE_S = 5.0
_MIB = 1 << 20


class BagRecorder(OneShotNode[RecorderConfig]):
    """Records topics.

    Args:
        options: see `NodeOptions`.

    Raises:
        ConfigurationError: a parameter has an invalid value, or the folder exists or cannot be created.
    """

    def __init__(self, **options: "Unpack[NodeOptions]") -> None:
        super().__init__("bag_recorder", RecorderConfig, **options)
        if not self.config.bag:
            raise ConfigurationError("bag is empty: it names the folder to create")
        self._topics = [self._resolved(topic) for topic in self.config.topics]
        self._inputs: dict[str, RawSubscription | None] = {}
        self._lost_in_transport: Counter[str] = Counter()
        self._writer = BagWriter(Path(self.config.bag), self.config.storage, self.config.queue_mib * _MIB)
        self.create_timer(_DISCOVERY_PERIOD_S, self._subscribe, clock=STEADY_CLOCK)

    def _resolved(self, topic: str) -> str:
        try:
            return str(self.resolve_topic_name(topic))
        except (RuntimeError, ValueError) as e:  # base classes of RCLError and InvalidTopicNameException
            raise ConfigurationError(f"topics: '{topic}' is not a topic name ({one_line(e)})") from e

    def run(self, stop: threading.Event) -> int:
        """Records until it is stopped or the disk fails."""
        self.get_logger().info(f"recording {', '.join(self._topics)} into {self.config.bag}")
        while not stop.is_set() and self._writer.fault is None:
            self.spin_once(_SPIN_S)
        deadline_s = time.monotonic() + _LAST_S
        while (left_s := deadline_s - time.monotonic()) > 0:
            self.spin_once(left_s)
        self._writer.close(_CLOSE_S)
        if self._writer.fault:
            self.get_logger().error(self._writer.fault)
        self.get_logger().info(self._summary())
        return EXIT_FAULT if self._writer.fault else EXIT_OK

    def _subscribe(self) -> None:
        """Subscribes to the topics that have a publisher by now."""
        for topic in self._topics:
            publishers = self.get_publishers_info_by_topic(topic)
            if topic not in self._inputs and publishers:
                self._inputs[topic] = self._open(topic, publishers)
            elif subscription := self._inputs.get(topic):
                subscription.refresh(publishers)

    def _open(self, topic: str, publishers: Sequence[TopicEndpointInfo]) -> RawSubscription | None:
        """Returns a subscription, or None if the type of its messages is not installed."""
        kind = publishers[0].topic_type
        message = message_type(kind)
        if message is None or kind not in typestore().types:
            self.get_logger().warning(f"{topic} is not recorded: {kind} is not installed")
            return None
        self._writer.announce(topic, kind, [recorded_profile(publisher.qos_profile) for publisher in publishers])
        return RawSubscription(
            self,
            topic,
            message,
            publishers,
            callback=lambda raw: self._take(topic, raw),
            on_lost=lambda count: self._lost_in_transport.update({topic: count}),
        )

    def _take(self, topic: str, raw: bytes) -> None:
        if not self._writer.write(topic, self.get_clock().now().nanoseconds, raw):
            lost = self._writer.refused[topic]
            self.get_logger().warning(
                f"{topic}: {lost} messages lost, the disk is too slow", throttle_duration_sec=_THROTTLE_S
            )

    def _summary(self) -> str:
        counts, lost = self._writer.counts, +(self._writer.refused + self._lost_in_transport)
        topics = ", ".join(f"{topic} {counts[topic]}" for topic in self._topics)
        losses = ", ".join(f"{topic} {count}" for topic, count in lost.items())
        return f"{self.config.bag}: {counts.total()} messages: {topics}; lost: {losses or 'none'}"


def main() -> int:
    """Runs the node; returns the exit code."""
    NodeArgumentParser("bag_recorder", __doc__, ["bag_recorder"]).parse_command_line()
    return run_one_shot_node(BagRecorder, grace_period_s=GRACE_PERIOD_S + _LAST_S + _CLOSE_S)
