# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""emotion_classifier_node: classifies the facial expression of detected faces.

Subscribes to `faces` (emotion_perception/FaceArray) and `image_raw` (sensor_msgs/Image), joined by equal stamps.
Publishes `emotions` (emotion_perception/EmotionArray), one for every FaceArray, under the image's header. With several
`image_topics` it does so for each camera, in the namespace of its images, and one network classifies all faces.
With the parameters of `InteropOptions` it publishes the same faces in messages of hri_msgs, vision_msgs and tf2_msgs.
Service `~/calibrate_neutral` (emotion_perception/CalibrateNeutral): takes what faces show as their resting expression.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

from emotion_perception.core.classification import ClassifierOptions, EmotionClassifier, create_classifier
from emotion_perception.core.classification.resting_expression import HISTORY_S
from emotion_perception.core.errors import ConfigurationError
from emotion_perception.ros.command_line import NodeArgumentParser
from emotion_perception.ros.config import ClassifierNodeConfig
from emotion_perception.ros.conversions import CalibrateNeutral, calibrations_to_response
from emotion_perception.ros.lifecycle_node import Behavior, PerceptionNode
from emotion_perception.ros.node_options import PerceptionNodeOptions
from emotion_perception.ros.node_runner import run_node
from emotion_perception.ros.nodes.classifier_stream import ClassifierStream
from emotion_perception.ros.nodes.interop_publisher import InteropPublisherFactory

if TYPE_CHECKING:
    from typing_extensions import Unpack


_CALIBRATION_S = 3.0  # where a request names no time


class ClassifierFactory(Protocol):
    """Loads a classifier, as `create_classifier` does."""

    def __call__(self, options: ClassifierOptions, *, shared: bool) -> EmotionClassifier:
        """Returns the classifier; `shared` if several threads use it."""


class EmotionClassifierNode(PerceptionNode[ClassifierNodeConfig]):
    """Classifies the faces that detection nodes have found.

    Args:
        classifier_factory: loads the classifier.
        options: see `PerceptionNodeOptions`.
    """

    component = "emotions"

    def __init__(
        self,
        *,
        classifier_factory: ClassifierFactory = create_classifier,
        **options: "Unpack[PerceptionNodeOptions]",
    ) -> None:
        super().__init__("emotion_classifier_node", ClassifierNodeConfig, **options)
        self._make_classifier = classifier_factory

    def configure(self, resources: ExitStack) -> Behavior:
        """Loads the model and warms it up."""
        config, interop = self.config, InteropPublisherFactory(self, resources)
        classifier = self._make_classifier(config.classifier, shared=len(config.image_topics) > 1)
        classifier.warm_up(require_gpu=config.classifier.require_gpu)
        streams = [ClassifierStream(self, topic, classifier, interop, resources) for topic in config.image_topics]
        if len({stream.emotions_topic for stream in streams}) < len(streams):
            topics = ", ".join(config.image_topics)
            raise ConfigurationError(f"image_topics: of {topics} two have the same namespace, so the same faces")
        return EmotionClassification(self, classifier, streams)


class EmotionClassification(Behavior):
    """Classifies the faces of all cameras.

    Args:
        node: the classifier node.
        classifier: shared by the streams.
        streams: one for each camera, at least one.
    """

    def __init__(
        self,
        node: PerceptionNode[ClassifierNodeConfig],
        classifier: EmotionClassifier,
        streams: Sequence[ClassifierStream],
    ) -> None:
        self._node, self._classifier, self._streams = node, classifier, streams

    def activate(self, resources: ExitStack) -> None:
        """Subscribes to the images and faces of every camera, and offers the service `~/calibrate_neutral`."""
        for stream in self._streams:
            stream.activate(resources)
        service = self._node.create_service(CalibrateNeutral, "~/calibrate_neutral", self._calibrate)
        service.callback = self._node.always_answered(service)
        resources.callback(self._node.destroy_service, service)

    def _calibrate(self, request: CalibrateNeutral.Request, response: CalibrateNeutral.Response) -> Any:
        seconds = request.seconds or _CALIBRATION_S
        if not 0 < seconds <= HISTORY_S:
            response.message = f"seconds {request.seconds:g} is not above 0 and at most {HISTORY_S:g}"
            return response
        try:
            found = [each for stream in self._streams for each in stream.calibrate(request.track_id, seconds)]
        except ConfigurationError as e:
            response.message = str(e)
            return response
        known = [each for each in found if each.frames]  # a track id is usually one of a single camera
        return calibrations_to_response(known or found[:1], response)

    def status(self) -> dict[str, object]:
        """Returns the model, the device and the counts of the FaceArrays: their sums and, if several, each camera's.

        `precision` is the form of the network that runs; `precision measured` what the choice was made from.
        """
        statuses = {stream.image_topic: stream.status() for stream in self._streams}
        names = self._streams[0].status()
        sums: dict[str, object] = {name: sum(status[name] for status in statuses.values()) for name in names}
        if len(statuses) > 1:
            sums |= {f"{topic} {name}": status[name] for topic, status in statuses.items() for name in names}
        precision = self._classifier.precision
        measured = ", ".join(f"{name} {ms:.2f} ms a face" for name, ms in precision.ms_per_face.items())
        return {
            **sums,
            **vars(self._classifier.info),
            "precision": precision.name,
            "precision measured": measured or "nothing was compared",
        }


def main() -> int:
    """Runs the node; returns the exit code."""
    NodeArgumentParser("emotion_classifier_node", __doc__, ["emotion_classifier_node"]).parse_command_line()
    return run_node(EmotionClassifierNode)
