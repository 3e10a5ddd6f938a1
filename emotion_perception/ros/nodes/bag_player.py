# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""bag_player: plays the images of a recording and its clock, for machines without rosbag2.

Publishes `image_raw` (sensor_msgs/Image) or `image_raw/compressed` (sensor_msgs/CompressedImage), whichever was
recorded, and `camera_info` if the recording has the one in the namespace of the images. Each message is published byte
for byte, with its recorded stamp, at the time at which it was received. `/clock` carries the time of the recording. The
player ends after the last message.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rclpy.duration import Duration
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from emotion_perception.bags.io.images import camera_info_topic, image_topic
from emotion_perception.bags.io.messages import COMPRESSED
from emotion_perception.bags.io.recorded_topic import Entry, Topic
from emotion_perception.bags.io.recording import Recording
from emotion_perception.core.errors import ConfigurationError, RecordingError
from emotion_perception.core.paths import local_path
from emotion_perception.core.sync import PlaybackClock
from emotion_perception.ros import qos
from emotion_perception.ros.command_line import NodeArgumentParser
from emotion_perception.ros.config import PlayerConfig
from emotion_perception.ros.node_options import NodeOptions
from emotion_perception.ros.one_shot_node import OneShotNode, run_one_shot_node
from emotion_perception.ros.process import EXIT_OK

if TYPE_CHECKING:
    from typing_extensions import Unpack

_LATE_S = 0.02
_SHORTEST_ROUND_S = 0.1  # a loop over a single moment would publish as fast as it can
_PAUSE_S = 60.0  # a longer one is logged when it begins
_CLOCK_END_NS = (1 << 31) * 1_000_000_000  # of what builtin_interfaces/Time can hold
_SUBSCRIBERS_PERIOD_S = 0.05
_ACKNOWLEDGED_S, _ACKNOWLEDGED_STEP_S = 5.0, 0.1
_IMAGES_DEPTH = 10
_CLOCK = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)


class BagPlayer(OneShotNode[PlayerConfig]):
    """Plays a recording.

    Args:
        options: see `NodeOptions`.

    Raises:
        ConfigurationError: a parameter has an invalid value.
        RecordingError: the recording cannot be read, or has no such images.

    Attributes:
        published: number of messages by recorded topic.
        late: how many of the images were published more than 20 ms after they were due.
    """

    def __init__(self, **options: "Unpack[NodeOptions]") -> None:
        super().__init__("bag_player", PlayerConfig, **options)
        if not self.config.bag:
            raise ConfigurationError("bag is empty: it names the recording to play")
        self._recording = Recording(local_path(self.config.bag))
        self._topic = self._choose()
        self._outputs = self._advertise()
        self._clock_publisher = self.create_publisher(Clock, "/clock", _CLOCK)
        self._clock_ns, self._next_tick_s = 0, 0.0
        self._rounds, self.late, self.published = 0, 0, Counter[str]()
        self._untimed = 0

    def run(self, stop: threading.Event) -> int:
        """Plays the recording, once or with `loop` until it is stopped."""
        self._wait_for_subscribers(stop)
        while not stop.is_set() and (self.config.loop or not self._rounds):
            next_round_s = time.monotonic() + _SHORTEST_ROUND_S
            self._play_once(stop)
            self._rounds += 1
            while self.config.loop and time.monotonic() < next_round_s and not stop.is_set():
                self.spin_once(next_round_s - time.monotonic())
        self._wait_for_acknowledgement(stop)
        for problem in self._recording.problems:
            self.get_logger().warning(f"{self.config.bag}: {problem}")
        self.get_logger().info(self._summary())
        return EXIT_OK

    def close(self) -> None:
        """Closes the recording and destroys the node."""
        self._recording.close()
        super().close()

    def _choose(self) -> Topic:
        try:
            return image_topic(self._recording, self.config.topic or None, option="topic:=TOPIC")
        except RecordingError:
            self._recording.close()
            raise

    def _advertise(self) -> dict[str, Publisher]:
        """Returns a publisher for each topic that is played, by recorded topic."""
        images, compressed = self.resolve_topic_name("image_raw"), self._topic.type == COMPRESSED
        played = (CompressedImage, f"{images}/compressed") if compressed else (Image, images)
        publishers = {self._topic.name: self.create_publisher(*played, qos.image_publisher(_IMAGES_DEPTH))}
        if infos := camera_info_topic(self._recording, self._topic):
            publishers[infos] = self.create_publisher(CameraInfo, "camera_info", qos.image_publisher(_IMAGES_DEPTH))
        return publishers

    def _wait_for_subscribers(self, stop: threading.Event) -> None:
        """Waits for subscribers of the images, with the clock stopped at the start of the recording."""
        first = next(self._messages(), None)
        if first is None:
            untimed = f" ({self._untimed} are left out: received before 1970 or after 2038)" if self._untimed else ""
            raise RecordingError(f"{self.config.bag}: no message of {self._topic.name} can be played{untimed}")
        images, stopped_clock = self._outputs[self._topic.name], PlaybackClock(first.received_ns, 0.0, 0.0)
        deadline_s = time.monotonic() + self.config.wait_for_subscribers_s
        while images.get_subscription_count() < self.config.subscribers and not stop.is_set():
            if time.monotonic() > deadline_s:
                count, wanted = images.get_subscription_count(), self.config.subscribers
                self.get_logger().warning(f"{images.topic_name} has {count} of {wanted} subscribers, starting anyway")
                return
            self._wait_until(time.monotonic() + _SUBSCRIBERS_PERIOD_S, stopped_clock, stop)

    def _messages(self) -> Iterator[Entry]:
        """Yields the messages to play; counts those that were received at a time that `/clock` cannot express."""
        self._untimed = 0
        for entry in self._recording.messages(self._outputs):
            if 0 <= entry.received_ns < _CLOCK_END_NS:
                yield entry
            else:
                self._untimed += 1

    def _play_once(self, stop: threading.Event) -> None:
        clock, self._clock_ns = None, 0
        for entry in self._messages():
            clock = clock or PlaybackClock(entry.received_ns, self.config.rate, time.monotonic())
            due_s = clock.due_s(entry.received_ns)
            if (pause_s := due_s - time.monotonic()) > _PAUSE_S:
                self.get_logger().warning(f"{self.config.bag}: the next message is {pause_s:.0f} s later")
            self._wait_until(due_s, clock, stop)
            if stop.is_set():
                return
            self._publish(entry, clock)
            self.late += entry.topic == self._topic.name and time.monotonic() > due_s + _LATE_S

    def _publish(self, entry: Entry, clock: PlaybackClock) -> None:
        self._tick(max(clock.now_ns(time.monotonic()), entry.received_ns))
        self._outputs[entry.topic].publish(entry.raw)
        self.published[entry.topic] += 1

    def _wait_until(self, due_s: float, clock: PlaybackClock, stop: threading.Event) -> None:
        """Publishes the clock until a time on the steady clock, or until stopped."""
        while (now_s := time.monotonic()) < due_s and not stop.is_set():
            if now_s >= self._next_tick_s:
                self._tick(clock.now_ns(now_s))
                self._next_tick_s = now_s + 1 / self.config.clock_hz
            self.spin_once(min(due_s, self._next_tick_s, now_s + _SUBSCRIBERS_PERIOD_S) - now_s)

    def _tick(self, now_ns: int) -> None:
        """Publishes the time, which goes back only when the recording starts again."""
        self._clock_ns = max(self._clock_ns, min(now_ns, _CLOCK_END_NS - 1))
        self._clock_publisher.publish(Clock(clock=Time(nanoseconds=self._clock_ns).to_msg()))

    def _wait_for_acknowledgement(self, stop: threading.Event) -> None:
        """Waits until reliable subscribers have acknowledged all messages, as the publishers end with the process."""
        deadline_s, step = time.monotonic() + _ACKNOWLEDGED_S, Duration(seconds=_ACKNOWLEDGED_STEP_S)
        waiting = list(self._outputs.values())
        while waiting and time.monotonic() < deadline_s and not stop.is_set():
            waiting = [publisher for publisher in waiting if not publisher.wait_for_all_acked(step)]

    def _summary(self) -> str:
        counts = {topic.name: topic.count for topic in self._recording.topics}
        parts = [f"{name}: {counts[name]} in the bag, {self.published[name]} published" for name in self._outputs]
        rounds = f", in {self._rounds} rounds" if self.config.loop else ""
        untimed = (
            f"; {self._untimed} not published: received before 1970 or after 2038, which /clock cannot express"
            if self._untimed
            else ""
        )
        return f"{'; '.join(parts)}; {self.late} images late{rounds}{untimed}"


def main() -> int:
    """Runs the node; returns the exit code."""
    NodeArgumentParser("bag_player", __doc__, ["bag_player"]).parse_command_line()
    return run_one_shot_node(BagPlayer)
