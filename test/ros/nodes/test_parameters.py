# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0

import pytest
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters, SetParametersAtomically
from rclpy.parameter import Parameter

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.options import limits_of, option_fields
from emotion_perception.ros.config import CameraNodeConfig, ClassifierNodeConfig, DetectionNodeConfig, OverlayNodeConfig
from emotion_perception.ros.nodes.camera import CameraNode
from emotion_perception.ros.nodes.emotion_classifier import EmotionClassifierNode
from emotion_perception.ros.nodes.face_detection import FaceDetectionNode
from emotion_perception.ros.nodes.overlay import OverlayNode

NODES = [
    (CameraNode, CameraNodeConfig),
    (FaceDetectionNode, DetectionNodeConfig),
    (EmotionClassifierNode, ClassifierNodeConfig),
    (OverlayNode, OverlayNodeConfig),
]


@pytest.mark.guarantee(
    "Every parameter has a description, every number a range; structural parameters are read-only.",
    section="Every node",
)
@pytest.mark.parametrize(("node_type", "config"), NODES)
def test_every_field_is_a_described_parameter_with_its_default_range_and_liveness(graph, node_type, config):
    node = graph.node(node_type, activate=False)
    for field in option_fields(config):
        limits, descriptor = limits_of(field), node.describe_parameter(field.name)
        assert node.get_parameter(field.name).value == field.default
        assert descriptor.description == limits.description
        assert descriptor.read_only is not limits.live
        ranges = [*descriptor.floating_point_range, *descriptor.integer_range]
        assert [(r.from_value, r.to_value) for r in ranges] == (
            [(limits.minimum, limits.maximum)] if limits.maximum is not None else []
        )
    assert node.get_parameter("autostart").value is True


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("score_threshold", 1.5, "score_threshold"),
        ("score_threshold", "high", "score_threshold is a float"),
        ("detector", "dog", "'dog' is none of yunet"),
    ],
)
def test_a_bad_value_at_start_is_one_clear_line(graph, name, value, line):
    with pytest.raises(ConfigurationError, match=line) as caught:
        graph.node(FaceDetectionNode, parameters={name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("node_type", "config"), NODES)
def test_a_parameter_without_a_name_is_refused(graph, node_type, config):
    node = graph.node(node_type, activate=False)
    (result,) = node.set_parameters([Parameter("", value=1)])
    assert (result.successful, result.reason) == (False, "a parameter has an empty name")
    assert not node.has_parameter("")


def test_the_refusal_of_a_parameter_that_is_not_there_names_it_and_a_similar_one(graph):
    result = graph.node(OverlayNode, activate=False).set_parameters_atomically([Parameter("draw_bar", value=True)])
    assert (result.successful, result.reason) == (
        False,
        "overlay_node has no parameter draw_bar, did you mean draw_bars?",
    )


def test_the_reason_of_a_refusal_is_no_longer_than_a_line(graph):
    (result,) = graph.node(OverlayNode, activate=False).set_parameters([Parameter("anonymize", value="x" * 200_000)])
    assert not result.successful
    assert len(result.reason) <= 300


def test_a_live_parameter_changes_the_whole_configuration_at_once(graph):
    node = graph.node(FaceDetectionNode, activate=False)
    before = node.config
    results = node.set_parameters([Parameter("max_faces", value=3), Parameter("min_face_px", value=40)])
    assert all(result.successful for result in results)
    assert (node.config.detector.max_faces, node.config.detector.min_face_px) == (3, 40)
    assert (before.detector.max_faces, before.detector.min_face_px) == (32, 20)


@pytest.mark.guarantee(
    "An invalid parameter value is rejected with the reason and changes nothing.", section="Every node"
)
def test_a_refused_change_leaves_the_configuration_alone(graph):
    node = graph.node(EmotionClassifierNode, activate=False)
    assert not node.set_parameters([Parameter("smoothing_s", Parameter.Type.DOUBLE, -1.0)])[0].successful
    assert node.config == ClassifierNodeConfig()
    assert node.describe_parameter("smoothing_s").type == ParameterType.PARAMETER_DOUBLE


@pytest.mark.guarantee(
    "A request for more than 1,000 parameters is refused with the reason, and costs no time.", section="Every node"
)
def test_a_request_for_more_parameters_than_a_node_can_have_is_refused(graph):
    node = graph.node(OverlayNode, activate=False)
    callbacks = {each.srv_type: each.callback for each in node.services}
    many = [ParameterMessage(name="draw_bars", value=ParameterValue(type=ParameterType.PARAMETER_BOOL))] * 1001
    response = callbacks[SetParameters](SetParameters.Request(parameters=many), SetParameters.Response())
    assert [result.successful for result in response.results] == [False] * 1001
    assert response.results[0].reason == "1,001 parameters in one request, at most 1,000 are allowed"
    assert node.get_parameter("draw_bars").value is True
    names = ["draw_bars"] * 1001
    assert not callbacks[GetParameters](GetParameters.Request(names=names), GetParameters.Response()).values
    assert callbacks[GetParameters](GetParameters.Request(names=names[:1000]), GetParameters.Response()).values


@pytest.mark.guarantee(
    "Every request to set parameters is answered with a result for each, also one with a type that there is not.",
    section="Every node",
)
@pytest.mark.parametrize("service", [SetParameters, SetParametersAtomically])
def test_a_parameter_of_a_type_that_there_is_not_is_answered_with_the_reason(graph, service):
    node = graph.node(OverlayNode, activate=False)
    (callback,) = [each.callback for each in node.services if each.srv_type is service]
    good = ParameterMessage(name="jpeg_quality", value=Parameter("jpeg_quality", value=50).get_parameter_value())
    bad = ParameterMessage(name="draw_bars", value=ParameterValue(type=77))
    response = callback(service.Request(parameters=[good, bad, good]), service.Response())
    results = response.results if service is SetParameters else [response.result]
    expected = [True, False, False] if service is SetParameters else [False]
    assert [result.successful for result in results] == expected
    assert "77 is not a valid" in results[-1].reason
