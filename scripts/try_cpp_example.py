#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Builds and tests the C++ example, and runs it beside the demonstration, as a program and as a component.

    scripts/try_cpp_example.py [--out FOLDER]

It succeeds when both have published a smile. It needs colcon, rclcpp and rclcpp_components: a ROS from apt that is
sourced, with this package (`source scripts/env.sh`). The wheels have no rclcpp.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import rclpy
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from rclpy.node import Node
from std_msgs.msg import String

from emotion_perception.ros.executor import FaultTolerantExecutor

PACKAGE = "smile_reaction_cpp"
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / PACKAGE
NEEDED = ("rclcpp", "rclcpp_components", "composition_interfaces")
LOAD_S, SMILE_S, END_S = 20.0, 60.0, 30.0


def missing_packages() -> list[str]:
    """Returns what the example needs and this ROS lacks."""
    missing = []
    for name in NEEDED:
        try:
            get_package_prefix(name)
        except PackageNotFoundError:
            missing.append(name)
    return missing


def build(out: Path) -> Path:
    """Builds the package and runs its test; returns the folder that it is installed into."""
    colcon = ["colcon", "--log-base", out / "log"]
    folders = ["--build-base", out / "build", "--test-result-base", out / "build"]
    paths = ["--base-paths", EXAMPLE, *folders[:2], "--install-base", out / "install", "--merge-install"]
    cmake = ["--cmake-args", "-DBUILD_TESTING=ON", f"-DPython3_EXECUTABLE={sys.executable}"]
    subprocess.run([*colcon, "build", *paths, *cmake], check=True)
    subprocess.run([*colcon, "test", *paths, "--return-code-on-test-failure"], check=True)
    return out / "install"


@contextlib.contextmanager
def running(*command: object) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a program meanwhile, and ends it as Ctrl-C would."""
    process = subprocess.Popen([str(word) for word in command])
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def load(node: Node, executor: FaultTolerantExecutor) -> str:
    """Loads the component into the container; returns what is wrong, or an empty text."""
    from composition_interfaces.srv import LoadNode

    client = node.create_client(LoadNode, "ComponentManager/_container/load_node")
    if not client.wait_for_service(LOAD_S):
        return "there is no component container"
    request = LoadNode.Request(
        package_name=PACKAGE, plugin_name=f"{PACKAGE}::SmileReaction", remap_rules=["smiles:=component/smiles"]
    )
    answer, deadline_s = client.call_async(request), time.monotonic() + LOAD_S
    while not answer.done():
        if time.monotonic() > deadline_s:
            return "the container does not answer"
        executor.spin_once(timeout_sec=0.1)
    return "" if answer.result().success else answer.result().error_message


def smiles(node: Node, executor: FaultTolerantExecutor, processes: list[subprocess.Popen[bytes]]) -> str:
    """Waits for a smile of the program and one of the component; returns what is wrong, or an empty text."""
    found: dict[str, str] = {}
    for name in ("program", "component"):
        node.create_subscription(String, f"{name}/smiles", lambda text, n=name: found.setdefault(n, text.data), 10)
    deadline_s = time.monotonic() + SMILE_S
    while len(found) < 2:
        if time.monotonic() > deadline_s:
            return f"no smile within {SMILE_S:.0f} s; published: {found}"
        if any(process.poll() is not None for process in processes):
            return "a process has ended"
        executor.spin_once(timeout_sec=0.1)
    print(found)
    return ""


def run(install: Path, out: Path) -> str:
    """Runs the example beside the demonstration; returns what is wrong, or an empty text."""
    os.environ.setdefault("ROS_DOMAIN_ID", "77")
    for name, folder in (("AMENT_PREFIX_PATH", install), ("LD_LIBRARY_PATH", install / "lib")):
        os.environ[name] = os.pathsep.join([str(folder), *filter(None, [os.environ.get(name)])])
    container = Path(get_package_prefix("rclcpp_components"), "lib/rclcpp_components/component_container")
    program = install / "lib" / PACKAGE / "smile_reaction"
    demo = (sys.executable, "-m", "emotion_perception.ros.demo", "--source", "synthetic", "--out", out / "demo")
    with (
        running(*demo) as first,
        running(program, "--ros-args", "-r", "smiles:=program/smiles") as second,
        running(container) as third,
    ):
        rclpy.init()
        node = rclpy.create_node("try_cpp_example")
        executor = FaultTolerantExecutor(node)
        problem = load(node, executor) or smiles(node, executor, [first, second, third])
        executor.shutdown()
        node.destroy_node()
        rclpy.shutdown()
    ends = {name: process.returncode for name, process in (("demonstration", first), ("program", second))}
    return problem or "".join(f"the {name} ended with {code}; " for name, code in ends.items() if code)


def main() -> int:
    """Returns 0 if the example works."""
    parser = argparse.ArgumentParser(description="Builds the C++ example and runs it beside the demonstration.")
    parser.add_argument("--out", type=Path, default=Path("out/cpp_example"), help="folder of the build")
    out = parser.parse_args().out.resolve()
    if missing := missing_packages():
        print(f"try_cpp_example: this ROS lacks {', '.join(missing)}", file=sys.stderr)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    try:
        problem = run(build(out), out)
    except subprocess.CalledProcessError as e:
        problem = f"{e.cmd[0]} {e.cmd[3]} failed"
    print(f"try_cpp_example: {problem}" if problem else "try_cpp_example: both have published a smile", file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
