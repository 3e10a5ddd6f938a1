# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""web_viewer_node: a page for the browser with the live overlay, the faces, the graph and the parameters.

Serves it at http://localhost:8090 (parameter `port`). Subscribes to `emotions`, `/diagnostics` and `/rosout`, and while
a page is open to `image_overlay` (sensor_msgs/Image), or where `anonymize` hides faces to `image_raw`. Publishes
nothing. Sets parameters of the other nodes and calls `calibrate_neutral` if viewers may; see docs/web_viewer.md.
"""

import platform
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.core.options import limits_of, option_fields
from emotion_perception.ros.command_line import NodeArgumentParser
from emotion_perception.ros.config import NODE_CONFIGS, WebViewerConfig
from emotion_perception.ros.node_options import NodeOptions
from emotion_perception.ros.one_shot_node import OneShotNode, run_one_shot_node
from emotion_perception.ros.process import EXIT_FAULT, EXIT_OK
from emotion_perception.ros.topic_names import resolved_topic
from emotion_perception.ros.viewer.camera_inputs import CameraInputs
from emotion_perception.ros.viewer.graph_watch import CameraTopics, GraphWatch
from emotion_perception.ros.viewer.last_seconds import KEEP_IMAGE_BYTES, KEEP_S, LastSeconds
from emotion_perception.ros.viewer.remote_parameters import RemoteParameters
from emotion_perception.web.access import TokenAccess, is_loopback
from emotion_perception.web.graph import GraphState
from emotion_perception.web.newest_image import NewestImage
from emotion_perception.web.ports import bound_socket
from emotion_perception.web.server import ViewerServer
from emotion_perception.web.state import CameraState, Control, ViewerSettings, ViewerState

if TYPE_CHECKING:
    from typing_extensions import Unpack

_SPIN_S = 0.05
_PARAMETERS: Mapping[
    str, Sequence[tuple[str, str, float]]
] = {  # by node, in the order of the page: parameter, what the page calls it, and the end of its slider
    "emotion_classifier_node": [
        ("smoothing_s", "Smoothing (s)", 3.0),
        ("min_confidence", "Confidence threshold", 1.0),
    ],
    "face_detection_node": [("detection_interval", "Detection interval (frames, 0 adapts)", 30)],
    "overlay_node": [("anonymize", "Hide faces", 0), ("draw_bars", "Bars", 0), ("draw_landmarks", "Landmarks", 0)],
}
_EMOTIONS, _DIAGNOSTICS = "emotion_perception/msg/EmotionArray", "diagnostic_msgs/msg/DiagnosticArray"


class WebViewerNode(OneShotNode[WebViewerConfig]):
    """Serves the page until it is stopped.

    Args:
        options: see `NodeOptions`.

    Raises:
        ConfigurationError: a parameter has an invalid value, or there is no free port.
    """

    def __init__(self, **options: "Unpack[NodeOptions]") -> None:
        super().__init__("web_viewer_node", WebViewerConfig, **options)
        self._executor_of_images = ThreadPoolExecutor(2, "image")
        self._graph = GraphState()
        topics = [self._topics(topic) for topic in self.config.image_topics]
        self._cameras = [self._camera(each, several=len(topics) > 1) for each in topics]
        images = [(each.overlay, camera.image) for each, camera in zip(topics, self._cameras, strict=True)]
        self._recordings = LastSeconds(images, enabled=self.config.allow_download)
        self._inputs = [self._input(each, camera) for each, camera in zip(topics, self._cameras, strict=True)]
        record = partial(self._recordings.add, "/diagnostics", _DIAGNOSTICS)
        self._watch = GraphWatch(self, self._graph, list(zip(topics, self._inputs, strict=True)), record)
        self._remote = RemoteParameters(self, [control for camera in self._cameras for control in camera.controls])

    def run(self, stop: threading.Event) -> int:
        """Serves the page until it is stopped, or the server has failed."""
        config = self.config
        listening = bound_socket(config.host, config.port)
        address, port = listening.getsockname()[:2]
        # a proxy on this machine would pass on everybody
        is_local = all(is_loopback(name) for name in (address, *config.allowed_hosts) if name)
        access = None if is_local else TokenAccess()
        settings = ViewerSettings(
            can_control=is_local or config.allow_control,
            can_download=config.allow_download,
            anonymize=config.anonymize,
            max_viewers=config.max_viewers,
            max_rate_hz=config.max_rate_hz,
        )
        state = ViewerState(self._cameras, self._graph, self._remote, self._recordings)
        server = ViewerServer(
            listening,
            state,
            settings,
            self._executor_of_images,
            names=[config.host, *config.allowed_hosts],
            access=access,
        )
        try:
            server.start()
        except EmotionPerceptionError as e:
            self.get_logger().error(str(e))
            return EXIT_FAULT
        self._announce(address, port, access)
        while not stop.is_set() and server.is_alive:
            self.spin_once(_SPIN_S)
            self._work()
        code = EXIT_OK if stop.is_set() else EXIT_FAULT
        server.stop()
        self._executor_of_images.shutdown(wait=False, cancel_futures=True)
        return code

    def _work(self) -> None:
        for inputs in self._inputs:
            inputs.check()
        is_watched = any(camera.image.is_wanted for camera in self._cameras)
        if is_watched:
            self._watch.check()
        self._remote.work(read=is_watched)

    def _announce(self, address: str, port: int, access: TokenAccess | None) -> None:
        """Says where the page is. The token is printed and not logged: the log is a topic and a file."""
        host = "localhost" if access is None else platform.node() if address in ("0.0.0.0", "::") else self.config.host
        host = f"[{host}]" if ":" in host else host
        if port != self.config.port and self.config.port:
            self.get_logger().warning(f"port {self.config.port} is taken, so the page has port {port}")
        print(f"look at http://{host}:{port}", flush=True)
        if access is not None:
            print(f"  once, for one browser: http://{host}:{port}/?link={access.link_code}", flush=True)
            print(f"  token, for others: {access.token}", flush=True)

    def _topics(self, image_topic: str) -> CameraTopics:
        folder, slash, _ = image_topic.rpartition("/")
        images = resolved_topic(self, image_topic, "image_topics")
        overlay, emotions, faces = (
            resolved_topic(self, f"{folder}{slash}{name}", "image_topics")
            for name in ("image_overlay", "emotions", "faces")
        )
        namespace, own = emotions.rpartition("/")[0], self.get_namespace().rstrip("/")
        return CameraTopics(
            images=images,
            faces=faces,
            emotions=emotions,
            overlay=overlay,
            camera=f"{namespace}/camera_node",
            detection=f"{namespace}/face_detection_node",
            classifier=f"{own}/emotion_classifier_node",
            drawing=f"{namespace}/overlay_node",
        )

    def _camera(self, topics: CameraTopics, *, several: bool) -> CameraState:
        kept = {"keep_s": KEEP_S, "keep_bytes": KEEP_IMAGE_BYTES} if self.config.allow_download else {}
        image = NewestImage(self.config.max_rate_hz, self._executor_of_images, **kept)  # type: ignore[arg-type]
        name = topics.emotions.rpartition("/")[0] if several else "camera"
        return CameraState(name, image, self._controls(topics), topics.classifier)

    def _controls(self, topics: CameraTopics) -> Sequence[Control]:
        nodes = {
            "emotion_classifier_node": topics.classifier,
            "face_detection_node": topics.detection,
            "overlay_node": topics.drawing,
        }
        if self.config.anonymize != "none":
            del nodes["overlay_node"]  # the page shows none of its images
        controls = []
        for kind, node in nodes.items():
            fields = {field.name: field for field in option_fields(NODE_CONFIGS[kind])}
            for parameter, title, end in _PARAMETERS[kind]:
                limits = limits_of(fields[parameter])
                default: Any = fields[parameter].default
                controls.append(Control(node, parameter, title, default, limits.minimum or 0, end, limits.choices))
        return controls

    def _input(self, topics: CameraTopics, camera: CameraState) -> CameraInputs:
        config = self.config
        return CameraInputs(
            self,
            camera,
            topics.overlay if config.anonymize == "none" else topics.images,
            topics.emotions,
            transport=config.image_transport,
            quality=config.jpeg_quality,
            anonymize=config.anonymize,
            record=partial(self._recordings.add, topics.emotions, _EMOTIONS),
        )


def main() -> int:
    """Runs the node; returns the exit code."""
    NodeArgumentParser("web_viewer_node", __doc__, ["web_viewer_node"]).parse_command_line()
    return run_one_shot_node(WebViewerNode)
