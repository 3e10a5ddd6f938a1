# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The nodes, web_viewer_node and Debian's Chromium, for the tests of the page."""

import contextlib
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NODES = ("face_detection_node", "emotion_classifier_node", "overlay_node", "camera_node")
START_S = 60.0
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def installed_browser():
    """Returns the path of a browser, None if there is none."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


class Process:
    """A process of this package whose lines are read while it runs.

    Attributes:
        lines: what it has printed.
    """

    def __init__(self, program, *parameters, namespace=""):
        words = [word for parameter in parameters for word in ("-p", parameter)]
        where = ["-r", f"__ns:={namespace}"] if namespace else []
        command = [sys.executable, ROOT / "scripts" / program, "--ros-args", *where, *words]
        environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        self.lines, self._new = [], queue.SimpleQueue()
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", env=environment
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            self._new.put(line)

    def line(self, pattern):
        """Waits for a line, and returns the match."""
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s:
            for line in self.lines:
                if match := re.search(pattern, line):
                    return match
            with contextlib.suppress(queue.Empty):
                self._new.get(timeout=0.2)
            if self.process.poll() is not None and not any(re.search(pattern, line) for line in self.lines):
                break
        pytest.fail("\n".join([f"no line {pattern}", *self.lines]))

    def kill(self):
        """Kills it, as `kill -9` does."""
        self.process.kill()
        self._wait()

    def end(self):
        """Ends it as a supervisor does; returns the exit code."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        return self._wait()

    def _wait(self):
        self._reader.join()
        self.process.stdout.close()
        return self.process.wait()


class Viewer(Process):
    """A web_viewer_node.

    Attributes:
        url: of its page.
    """

    def __init__(self, *parameters):
        super().__init__("web_viewer_node", "port:=18090", *parameters)
        self.url = self.line(r"look at (http://\S+)")[1]


class Ros:
    """A node of the test in the domain of the processes."""

    def __init__(self):
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=int(os.environ["ROS_DOMAIN_ID"]))
        self.node = rclpy.create_node("test_of_the_page", context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)

    def spin_until(self, condition, complaint):
        deadline_s = time.monotonic() + START_S
        while not condition():
            assert time.monotonic() < deadline_s, complaint
            self._executor.spin_once(timeout_sec=0.05)

    def parameter(self, node, name):
        """Returns the value of a parameter of a running node."""
        from rcl_interfaces.srv import GetParameters

        client = self.node.create_client(GetParameters, f"{node}/get_parameters")
        self.spin_until(client.service_is_ready, f"{node} does not answer")
        future = client.call_async(GetParameters.Request(names=[name]))
        self.spin_until(future.done, f"{node} does not answer")
        (value,) = future.result().values
        self.node.destroy_client(client)
        return {1: value.bool_value, 2: value.integer_value, 3: value.double_value, 4: value.string_value}[value.type]

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()


@pytest.fixture(scope="module")
def chromium():
    """A browser; not for the whole session, because Playwright's event loop would be that of all tests."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make test-web installs it")
    path = installed_browser()
    if path is None:
        pytest.skip("no Chromium is installed: apt install chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def domain(tmp_path_factory):
    """A ROS domain of its own."""
    coordinator = pytest.importorskip("domain_coordinator")
    with coordinator.domain_id() as number, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_DOMAIN_ID", str(number))
        patch.setenv("ROS_HOME", str(tmp_path_factory.mktemp("ros_home")))
        patch.setenv("ROS_PYTHON_CHECK_FIELDS", "1")
        yield number


def source():
    """Returns the images of the demonstration: the clip, or the photograph where that cannot be fetched."""
    from emotion_perception.core.assets import resolve_model_file
    from emotion_perception.core.errors import ModelFileError

    for name in ("demo_clip", "astronaut"):
        with contextlib.suppress(ModelFileError):
            return str(resolve_model_file(name))
    pytest.skip("neither the clip nor the photograph of the demonstration is here: make test-web fetches them")


@pytest.fixture(scope="session")
def nodes(domain):
    """The four nodes, each a process: name -> process. A test may replace one."""
    own = {"camera_node": [f"video_device:={json.dumps(source())}", "image_width:=640", "image_height:=480"]}
    running = {name: Process(name, *own.get(name, [])) for name in NODES}
    yield running
    for process in running.values():
        process.end()


@pytest.fixture(scope="session")
def viewer(nodes):
    """The page as `make demo-web` starts it."""
    viewer = Viewer("allow_download:=true")
    yield viewer
    viewer.end()


@pytest.fixture
def ros(domain):
    ros = Ros()
    yield ros
    ros.close()


@pytest.fixture
def open_page(chromium):
    """A function that opens a page in a browser window of its own, and waits for the first image."""
    contexts = []

    def opened(url, *, images=1, **options):
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.errors, page.hosts = [], set()
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("request", lambda request: page.hosts.add(request.url.split("/")[2]))
        page.goto(url)
        if images:
            page.locator("#ep-image").wait_for(state="attached")  # the page of a link is followed by the page itself
            wait_for_images(page, images)
        return page

    yield opened
    for context in contexts:
        context.close()


def wait_for_images(page, count):
    """Waits until a page has shown so many more images."""
    shown = page.evaluate("window.epImages || 0")
    page.wait_for_function(f"window.epImages >= {shown + count}", timeout=START_S * 1000)
