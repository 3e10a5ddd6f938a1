# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Services that answer every request, also one that rclpy refuses with an exception."""

from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.node import Node
from rclpy.service import Service

from emotion_perception.core.errors import clipped, one_line

_THROTTLE_S = 5.0
_MAX_NAMES = 1000  # parameters in one request: many more than a node has


def always_answered(node: Node, service: Service, where: Callable[[], str] = str) -> Callable[[Any, Any], Any]:
    """Returns the service's callback, wrapped so that a request that makes it raise gets a response too.

    rclpy raises for a transition that does not exist or is not allowed, and for a parameter whose type is none, and
    sends no response then, so the client would wait forever. The default response means `success=False`; where
    parameters are set, it has the reason. Requests for more than 1,000 parameters are refused without a look at them:
    each costs time in which a node processes no images.

    Args:
        node: whose service it is; logs what is refused, at most once in five seconds.
        service: the service.
        where: returns what the log line says about the state of the node, e.g. " in state active".
    """
    callback, name = service.callback, service.srv_type.__name__

    def answer(request: Any, response: Any) -> Any:
        try:
            _check_size(request)
            return callback(request, response)
        except Exception as e:  # noqa: BLE001 - whatever a request causes, its client gets a response
            reason = clipped(one_line(e))
            text = f"{name} request refused{where()}: {reason}"
            node.get_logger().warning(text, throttle_duration_sec=_THROTTLE_S)
            _refuse(request, response, SetParametersResult(successful=False, reason=reason))
            return response

    return answer


def _check_size(request: Any) -> None:
    """Raises ValueError if a request of a parameter service has more names than anybody needs."""
    count = max(len(getattr(request, field, ())) for field in ("parameters", "names", "prefixes"))
    if count > _MAX_NAMES:
        raise ValueError(f"{count:,} parameters in one request, at most {_MAX_NAMES:,} are allowed")


def _refuse(request: Any, response: Any, result: SetParametersResult) -> None:
    """Fills in what rclpy left out of the response; those before the parameter that it refused have been set."""
    if isinstance(response, SetParameters.Response):
        response.results += [result] * (len(request.parameters) - len(response.results))
    elif isinstance(response, SetParametersAtomically.Response):
        response.result = result
