# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""bag_recorder: records topics into a new rosbag2 folder, for machines without rosbag2.

Subscribes to `topics`, by default `image_raw`, `camera_info`, `faces` and `emotions`, as soon as they have a publisher,
and writes each message byte for byte with the time of its arrival on the node's clock, until SIGINT, SIGTERM or SIGHUP.
With `use_sim_time` it subscribes when the first time has come on `/clock`.
"""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from rclpy.topic_endpoint_info import TopicEndpointInfo

from emotion_perception.bags.io.messages import typestore
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.paths import local_path
from emotion_perception.ros import qos
from emotion_perception.ros.command_line import NodeArgumentParser
from emotion_perception.ros.config import RecorderConfig
from emotion_perception.ros.lifecycle_node import NO_CLOCK, STEADY_CLOCK, is_without_clock
from emotion_perception.ros.node_options import NodeOptions
from emotion_perception.ros.one_shot_node import OneShotNode, run_one_shot_node
from emotion_perception.ros.process import EXIT_FAULT, EXIT_OK, GRACE_PERIOD_S
from emotion_perception.ros.topic_names import resolved_topic
from emotion_perception.ros.transport.bag_writer import BagWriter
from emotion_perception.ros.transport.message_types import add_definition, message_class
from emotion_perception.ros.transport.raw_subscription import RawSubscription, recorded_profile

if TYPE_CHECKING:
    from typing_extensions import Unpack

_DISCOVERY_PERIOD_S = 0.2
_SPIN_S = 0.1
_LAST_S = 0.3  # after the signal: messages sent before it may still arrive
_CLOSE_S = 30.0
_THROTTLE_S = 5.0
_MIB = 1 << 20
_SHOWN = 100  # characters of a name that another participant has chosen


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
        self._topics = list(dict.fromkeys(resolved_topic(self, topic, "topics") for topic in self.config.topics))
        self._inputs: dict[str, tuple[str, RawSubscription]] = {}  # by topic: the type, as it is recorded
        self._warned: set[str] = set()
        self._lost_in_transport: Counter[str] = Counter()
        self._writer = BagWriter(local_path(self.config.bag), self.config.storage, self.config.queue_mib * _MIB)
        for topic in self._topics:  # a timer each, so that what is wrong with one topic does not affect the others
            self.create_timer(_DISCOVERY_PERIOD_S, partial(self._subscribe, topic), clock=STEADY_CLOCK)

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

    def _subscribe(self, topic: str) -> None:
        """Subscribes to a topic once there is a time, and a publisher of a type that is installed."""
        if topic not in self._inputs and is_without_clock(self):
            self.get_logger().warning(f"{NO_CLOCK}; recording begins with it", throttle_duration_sec=_THROTTLE_S)
            return
        publishers = qos.publishers_of(self, topic)
        if publishers is None:
            self._warn_once(topic, "cannot be recorded: the type of a publisher, or its QoS, cannot be read")
        elif topic not in self._inputs:
            self._open(topic, publishers)
        else:
            kind, subscription = self._inputs[topic]
            offers = [publisher for publisher in publishers if publisher.topic_type == kind]
            if len(offers) < len(publishers):
                self._warn_once(topic, f"is recorded as {kind}; publishers of other types are left out")
            subscription.refresh(offers)

    def _open(self, topic: str, publishers: Sequence[TopicEndpointInfo]) -> None:
        """Subscribes with the first of the publishers' types that is installed."""
        for kind in dict.fromkeys(publisher.topic_type for publisher in publishers):
            message = message_class(kind)
            if message is None or not add_definition(typestore(), kind):
                self._warn_once(
                    topic, f"has a publisher of type {kind[:_SHOWN]!a}, which is not installed and not recorded"
                )
                continue
            offers = [publisher for publisher in publishers if publisher.topic_type == kind]
            subscription = RawSubscription(
                self,
                topic,
                message,
                offers,
                callback=lambda raw: self._take(topic, raw),
                on_lost=lambda count: self._lost_in_transport.update({topic: count}),
            )
            self._inputs[topic] = kind, subscription
            self._writer.announce(topic, kind, [recorded_profile(offer.qos_profile) for offer in offers])
            return

    def _warn_once(self, topic: str, text: str) -> None:
        """Logs the first problem of a topic."""
        if topic not in self._warned:
            self._warned.add(topic)
            self.get_logger().warning(f"{topic} {text}")

    def _take(self, topic: str, raw: bytes) -> None:
        if not self._writer.write(topic, self.get_clock().now().nanoseconds, raw) and not self._writer.fault:
            lost = self._writer.refused[topic]
            text = f"{topic}: {lost} messages lost, the disk is too slow or queue_mib too small"
            self.get_logger().warning(text, throttle_duration_sec=_THROTTLE_S)

    def _summary(self) -> str:
        writer, counts = self._writer, self._writer.counts
        lost = +(writer.refused + writer.unwritten + self._lost_in_transport)
        topics = ", ".join(f"{topic} {counts[topic]}" for topic in self._topics)
        losses = ", ".join(f"{topic} {count}" for topic, count in lost.items())
        return f"{self.config.bag}: {counts.total()} messages: {topics}; lost: {losses or 'none'}"


def main() -> int:
    """Runs the node; returns the exit code."""
    NodeArgumentParser("bag_recorder", __doc__, ["bag_recorder"]).parse_command_line()
    return run_one_shot_node(BagRecorder, grace_period_s=GRACE_PERIOD_S + _LAST_S + _CLOSE_S)
