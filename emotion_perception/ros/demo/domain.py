# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The ROS domain of a demonstration, benchmark or soak test: used by one of them at a time.

Two runs in one domain would receive each other's images and count each other's frames.
"""

import os
import random
import re
import socket
import struct
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import rclpy
from domain_coordinator import domain_id
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.ros.process import check_transport_profiles
from emotion_perception.ros.qos import publishers_of

_LAST_DOMAIN, _DIGITS = 231, 3  # above it there are no ports for all participants that the profile looks for
_PORT_BASE, _PORTS_PER_DOMAIN = 7400, 250
_DISCOVERY_S, _STEP_S = 2.0, 0.05
_FAST_DDS = b"\x01\x0f"  # vendor in an endpoint id, where two bytes of the machine and two of the process id follow
_SHOWN = 200  # characters of a command line


class DomainError(EmotionPerceptionError):
    """The ROS domain cannot be used."""


@contextmanager
def ros_in_reserved_domain(nodes: Sequence[str], *, lan: bool = False) -> Iterator[int]:
    """Initializes rclpy in a ROS domain that no other run uses, and shuts it down; yields the domain.

    It is the domain of ROS_DOMAIN_ID where that is set, else one of `own_domain`. Started processes inherit it.

    Args:
        nodes: names of the nodes that the run starts; none of them may be there already.
        lan: take domain 0 where ROS_DOMAIN_ID is not set, because other machines expect it.

    Raises:
        ConfigurationError: a transport profile is no file.
        DomainError: ROS_DOMAIN_ID is no domain, or another run or one of the nodes uses the domain.
    """
    with ExitStack() as stack:
        given = os.environ.get("ROS_DOMAIN_ID", "").strip() or ("0" if lan else "")
        domain = _domain_of(given) if given else stack.enter_context(own_domain())
        stack.enter_context(_lock(domain))
        os.environ["ROS_DOMAIN_ID"] = str(domain)
        check_transport_profiles()
        has_others = lan or has_participants(domain)
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        stack.callback(rclpy.shutdown)
        if has_others:
            _refuse_nodes(nodes, domain)
        yield domain


@contextmanager
def own_domain() -> Iterator[int]:
    """Reserves a ROS domain that no test, run or participant on this machine uses.

    It is below the ephemeral ports, and random: participants of a killed run stay discovered in their domain for 20 s.
    """
    reservation = domain_id(lambda: random.choice([d for d in range(1, 101) if not has_participants(d)] or [1]))
    domain = reservation.__enter__()  # not `with`: it takes an OSError of the block for one of its own
    try:
        yield domain
    finally:
        reservation.__exit__(None, None, None)


def foreign_topic(node: Node, topics: Sequence[str], pids: Collection[int]) -> str:
    """Returns a topic that a process publishes which is none of the run's, an empty string if there is none.

    The process is known with Fast DDS only, whose endpoint ids have it.

    Args:
        node: queries the graph.
        topics: relative names.
        pids: ids of the run's processes.
    """
    own = {pid & 0xFFFF for pid in pids}
    for topic in map(node.resolve_topic_name, topics):
        ids = [bytes(publisher.endpoint_gid) for publisher in publishers_of(node, topic) or ()]
        if any(gid[:2] == _FAST_DDS and int.from_bytes(gid[4:6], "little") not in own for gid in ids):
            return topic
    return ""


def _domain_of(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) <= _LAST_DOMAIN):
        raise DomainError(f"ROS_DOMAIN_ID '{text}' is not a number from 0 to {_LAST_DOMAIN}")
    return int(text)


def _refuse_nodes(names: Sequence[str], domain: int) -> None:
    """Waits for the discovery of other participants; raises DomainError if one has a node of these names."""
    node = rclpy.create_node("demo_discovery")
    deadline_s = time.monotonic() + _DISCOVERY_S
    try:
        while time.monotonic() < deadline_s:
            if found := sorted(_root_nodes(node) & set(names)):
                raise DomainError(
                    f"ROS domain {domain} has {', '.join(found)} already, whose results would be mixed with those of "
                    "this run: end them, or use another ROS_DOMAIN_ID"
                )
            time.sleep(_STEP_S)
    finally:
        node.destroy_node()


def _root_nodes(node: Node) -> set[str]:
    """Returns the names of the nodes that have been discovered and have no namespace."""
    try:
        return {name for name, namespace in node.get_node_names_and_namespaces() if namespace == "/"}
    except UnicodeDecodeError:  # the name of a participant's node is not UTF-8
        return set()


def has_participants(domain: int) -> bool:
    """Returns whether a participant on this machine has opened a port of a ROS domain."""
    first = _PORT_BASE + _PORTS_PER_DOMAIN * domain
    return any(first <= port < first + _PORTS_PER_DOMAIN for port in _udp_ports())


@contextmanager
def _lock(domain: int) -> Iterator[None]:
    """Holds the domain against other runs; the kernel releases it when the process ends, however that happens."""
    name = f"\0emotion_perception/ros_domain/{domain}"
    with socket.socket(socket.AF_UNIX) as lock:
        try:
            lock.bind(name)
        except OSError:
            raise DomainError(f"ROS domain {domain} is used already by {_holder(name)}") from None
        lock.listen()
        yield


def _holder(name: str) -> str:
    """Returns process id, command line and folder of the process that holds a lock."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(name)
            pid, _, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        command = ascii(b" ".join(word for word in words if word).decode(errors="replace")[:_SHOWN])
        return f"process {pid}: {command} in {os.readlink(f'/proc/{pid}/cwd')}"
    except OSError:
        return "another run"


def _udp_ports() -> Iterator[int]:
    """Yields the local UDP ports that are open on this machine."""
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        try:
            text = Path(table).read_text("ascii")
        except OSError:
            continue
        yield from (int(port, 16) for port in re.findall(r"^ *\d+: [0-9A-F]+:([0-9A-F]{4}) ", text, re.MULTILINE))
