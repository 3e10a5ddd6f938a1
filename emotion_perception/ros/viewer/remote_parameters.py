# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads and sets parameters of other nodes, and calls their services, for other threads."""

import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.client import Client
from rclpy.node import Node
from rclpy.parameter import Parameter

from emotion_perception.ros.conversions import CalibrateNeutral
from emotion_perception.web.state import Control, Value

_READ_PERIOD_S, _FORGET_S = 1.0, 5.0


class RemoteParameters:
    """The nodes whose parameters a page reads and sets.

    Only the thread of the executor calls rclpy: the other methods queue what it does in `work`.

    Args:
        node: the client.
        controls: the parameters that are read.
    """

    def __init__(self, node: Node, controls: Sequence[Control]) -> None:
        self._node, self._controls = node, controls
        self._clients: dict[str, Client] = {}
        self._commands: queue.SimpleQueue[tuple[Future[Any], Callable[[], None]]] = queue.SimpleQueue()
        self._values: dict[tuple[str, str], Value] = {}
        self._read_s = float("-inf")
        self._pending: list[tuple[float, Client, Any]] = []

    def value(self, control: Control) -> Value | None:
        """Returns the last value that was read, None if there is none yet."""
        return self._values.get((control.node, control.parameter))

    def set(self, control: Control, value: Value) -> "Future[str]":
        """Sets a parameter; the result is empty, or why it was refused."""
        result: Future[str] = Future()
        self._commands.put((result, lambda: self._set(control, value, result)))
        return result

    def calibrate(self, classifier: str) -> "Future[tuple[bool, str]]":
        """Calls calibrate_neutral; the result is whether it succeeded, and its message."""
        result: Future[tuple[bool, str]] = Future()
        self._commands.put((result, lambda: self._calibrate(classifier, result)))
        return result

    def work(self, *, read: bool) -> None:
        """Sends what other threads have queued and not cancelled; a value that cannot be sent is their exception.

        Args:
            read: also read all parameters once a second.
        """
        while not self._commands.empty():
            result, send = self._commands.get()
            if result.set_running_or_notify_cancel():  # from here on it cannot be cancelled
                try:
                    send()
                except Exception as e:  # noqa: BLE001 - what a page has sent must not end the node
                    result.set_exception(e)
        now_s = time.monotonic()
        for since_s, client, future in [entry for entry in self._pending if now_s - entry[0] > _FORGET_S]:
            client.remove_pending_request(future)
            self._pending.remove((since_s, client, future))
        if read and now_s - self._read_s > _READ_PERIOD_S:
            self._read_s = now_s
            for node in dict.fromkeys(control.node for control in self._controls):
                self._read(node)

    def _set(self, control: Control, value: Value, result: "Future[str]") -> None:
        if isinstance(value, int) and not -(2**63) <= value < 2**63:  # rclpy's exception would explain nothing
            result.set_result(f"{control.parameter} must be a number of 64 bits, but is {value}")
            return
        request = SetParameters.Request(parameters=[Parameter(control.parameter, value=value).to_parameter_msg()])

        def answered(response: Any) -> None:
            refused = [entry.reason or "refused" for entry in response.results if not entry.successful]
            if not refused:
                self._values[control.node, control.parameter] = value
            result.set_result(refused[0] if refused else "")

        if not self._call(SetParameters, f"{control.node}/set_parameters", request, answered):
            result.set_result(f"{control.node} is not there")

    def _calibrate(self, classifier: str, result: "Future[tuple[bool, str]]") -> None:
        def answered(response: Any) -> None:
            result.set_result((bool(response.success), str(response.message)))

        if not self._call(CalibrateNeutral, f"{classifier}/calibrate_neutral", CalibrateNeutral.Request(), answered):
            result.set_result((False, f"{classifier} is not there, or not active"))

    def _read(self, node: str) -> None:
        names = [control.parameter for control in self._controls if control.node == node]

        def answered(response: Any) -> None:
            for name, value in zip(names, response.values, strict=False):
                if (read := _from_msg(value)) is not None:
                    self._values[node, name] = read

        self._call(GetParameters, f"{node}/get_parameters", GetParameters.Request(names=names), answered)

    def _call(self, kind: type, service: str, request: Any, answered: Callable[[Any], None]) -> bool:
        """Calls a service; returns whether it is there."""
        client = self._clients.get(service)
        if client is None:
            client = self._clients[service] = self._node.create_client(kind, service)
        if not client.service_is_ready():
            return False
        future = client.call_async(request)
        entry = time.monotonic(), client, future
        self._pending.append(entry)

        def done(future: Any) -> None:
            if entry in self._pending:
                self._pending.remove(entry)
            if not future.cancelled() and future.exception() is None and future.result() is not None:
                answered(future.result())

        future.add_done_callback(done)
        return True


def _from_msg(value: ParameterValue) -> Value | None:
    """Returns a value that a page can show, None for an array or a type that does not exist."""
    fields = {
        ParameterType.PARAMETER_BOOL: "bool_value",
        ParameterType.PARAMETER_INTEGER: "integer_value",
        ParameterType.PARAMETER_DOUBLE: "double_value",
        ParameterType.PARAMETER_STRING: "string_value",
    }
    return getattr(value, fields[value.type]) if value.type in fields else None
