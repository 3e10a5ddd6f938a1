# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""emotion_classifier_node: what the faces show.

Subscribes `faces` (emotion_perception/FaceArray) and `image_raw` (sensor_msgs/Image), joined by equal stamps. Publishes
`emotions` (emotion_perception/EmotionArray), one for every FaceArray, under the source image's header. With several
`image_topics` it does so for each camera, in the namespace of its images, and one network looks at the faces of all.
"""

from emotion_perception.core.classification.classifier import create_classifier
from emotion_perception.core.config import ClassifierConfig
from emotion_perception.ros.conversions import ModelInfo
from emotion_perception.ros.lifecycle_node import PerceptionNode, run_node
from emotion_perception.ros.nodes.emotion_stream import EmotionStream


class EmotionClassifierNode(PerceptionNode[ClassifierConfig]):
    """Classifies the faces that detection nodes found."""

    def __init__(self, *, classifier_factory=create_classifier, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__("emotion_classifier_node", ClassifierConfig, **options)
        self._make_classifier, self._classifier = classifier_factory, None
        self._streams: list[EmotionStream] = []

    def setup(self) -> None:
        """Loads the model and runs it once."""
        self._classifier = self._make_classifier(self.config)
        self._classifier.warm_up(require_gpu=self.config.require_gpu)
        for topic in self.config.image_topics:
            self._streams.append(EmotionStream(self, topic, self._classifier))

    def start(self) -> None:
        """Begins to take images and faces."""
        for stream in self._streams:
            stream.start()

    def stop(self) -> None:
        """Takes no more, and answers what still waits."""
        for stream in self._streams:
            stream.stop()

    def teardown(self) -> None:
        """Lets the model go."""
        for stream in self._streams:
            stream.close()
        self._streams.clear()
        self._classifier = None

    def status(self) -> dict[str, object]:
        """Tells the model, the device, and what became of the FaceArrays, of several cameras together and each."""
        statuses = {stream.image_topic: stream.status() for stream in self._streams}
        if not statuses:
            return {}
        names = next(iter(statuses.values()))
        sums: dict[str, object] = {name: sum(status[name] for status in statuses.values()) for name in names}
        if len(statuses) > 1:
            sums |= {f"{topic} {name}": status[name] for topic, status in statuses.items() for name in names}
        return {**sums, **vars(ModelInfo.of(self._classifier))}


def main() -> int:
    """Runs the node; returns the exit code."""
    return run_node(EmotionClassifierNode)
