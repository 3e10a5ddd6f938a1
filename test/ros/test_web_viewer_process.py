# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""web_viewer_node as a process: its port, its token, its end, and what other participants send to it."""

import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from node_processes import END_S, ROOT, run
from web_page import Viewer

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("nicegui") is None, reason="the extra web is not installed: scripts/setup.sh web"
)
LAUNCH_S = 90.0


@pytest.fixture
def viewer():
    """A function that starts the node; all are ended."""
    running = []

    def start(*parameters):
        running.append(Viewer(*parameters))
        return running[-1]

    yield start
    for process in running:
        process.end()


def status(url, **headers):
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        e.close()
        return e.code


@pytest.mark.guarantee("A port that is taken is said, and the page has the next free one.", section="Web page")
def test_two_pages_on_one_machine(viewer):
    first, second = viewer(), viewer()
    assert first.url != second.url
    assert status(first.url) == status(second.url) == 200
    port = first.url.rpartition(":")[2]
    second.line(rf"port (18090|{port}) is taken, so the page has port {second.url.rpartition(':')[2]}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_within_two_seconds_while_a_page_waits_for_an_image(viewer, number):
    page = viewer()
    host, port = page.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as waiting:
        waiting.sendall(b"GET /camera/0/image.jpg?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.3)
        begun_s = time.monotonic()
        page.process.send_signal(number)
        assert page.process.wait(10) == 0
        assert time.monotonic() - begun_s < END_S + 1.0
    assert "Traceback" not in "\n".join(page.lines)


@pytest.mark.guarantee(
    "The server is bound to 127.0.0.1 by default. Beyond, a token is generated at each start, printed once and not "
    "logged.",
    section="Web page",
)
def test_the_token_is_printed_once_and_not_logged(viewer, monkeypatch, tmp_path, graph):
    from rcl_interfaces.msg import Log

    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
    logged = graph.listen(Log, "/rosout")
    beyond, local = viewer("host:=0.0.0.0"), viewer()
    token, code = beyond.line("token, for others: (.+)")[1], beyond.line("link=(.+)")[1]
    graph.let_run(0.5)
    assert sum(token in line for line in beyond.lines) == sum(code in line for line in beyond.lines) == 1
    assert not any("token" in line for line in local.lines)
    texts = [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(secret in text for text in [*texts, *(line.msg for line in logged)] for secret in (token, code))
    url = f"http://127.0.0.1:{beyond.url.rpartition(':')[2]}"
    assert status(url) == 401
    assert status(url, Authorization=f"Bearer {token}") == 200
    assert bound_addresses(local.process.pid) == {"127.0.0.1"}


@pytest.mark.guarantee(
    "Behind a proxy, whose name is in `allowed_hosts`, the page needs the token too, and is read-only.",
    section="Web page",
)
def test_a_proxy_does_not_open_the_page_for_everybody(viewer):
    page = viewer("allowed_hosts:=['robot.example']")
    token = page.line("token, for others: (.+)")[1]
    assert bound_addresses(page.process.pid) == {"127.0.0.1"}
    url = page.line(r"look at (\S+)")[1]
    assert status(url, Host="robot.example") == status(url) == 401
    headers = {"Host": "robot.example", "Authorization": f"Bearer {token}"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
        assert b"read-only" in answer.read()


@pytest.mark.guarantee(
    "An address has at most half of the connections, so that other addresses reach the page.", section="Web page"
)
def test_one_address_cannot_use_all_connections_up(viewer):
    page = viewer()
    host, port = page.url.removeprefix("http://").split(":")
    with contextlib.ExitStack() as stack:
        for _ in range(400):
            slow = stack.enter_context(socket.create_connection((host, int(port)), timeout=20))
            with contextlib.suppress(OSError):  # it may be closed
                slow.sendall(b"GET / HT")
        other = stack.enter_context(socket.create_connection((host, int(port)), 20, source_address=("127.0.0.2", 0)))
        other.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert other.recv(12) == b"HTTP/1.1 200"
        assert len(os.listdir(f"/proc/{page.process.pid}/fd")) < 250
    assert "Traceback" not in "\n".join(page.lines)


@pytest.mark.guarantee(
    "What a browser sends writes at most five lines into the log, and one more every 2 s, each without control "
    "characters and clipped.",
    section="Web page",
)
def test_a_browser_cannot_fill_or_forge_the_log(viewer):
    from websockets.sync.client import connect

    viewer_node = viewer()
    with urllib.request.urlopen(viewer_node.url, timeout=20) as answer:
        client = re.search(r"client_id\W{1,20}([0-9a-f-]{36})", answer.read().decode())[1]
    query = f"client_id={client}&tab_id=a&document_id=b&next_message_id=0&implicit_handshake=true"
    address = viewer_node.url.replace("http", "ws")
    with connect(f"{address}/_nicegui_ws/socket.io/?EIO=4&transport=websocket&{query}") as page:
        page.send("40")
        for number in range(30):
            text = f"{number}\x1b[31m\n[ERROR] forged" + "x" * 10_000
            page.send("42" + json.dumps(["log", {"client_id": client, "level": "error", "message": text}]))
        for junk in (
            '42["log",{"x":1}]',
            '42["handshake",{"client_id":[]}]',
            '42["event",{"a":1e999}]',
            "42" + "[" * 3000,
        ):
            with contextlib.suppress(Exception):  # it may be closed
                page.send(junk)
        viewer_node.line(r"the page reports: 4\\x1b\[31m\\n\[ERROR\] forged")
    assert status(viewer_node.url) == 200
    viewer_node.end()
    assert sum("the page reports" in line for line in viewer_node.lines) < 20
    assert all(len(line) < 500 and line.isprintable() for line in viewer_node.lines)
    assert "Traceback" not in "\n".join(viewer_node.lines)


def bound_addresses(pid):
    """Returns the IPv4 addresses at which a process listens."""
    inodes = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        target = os.readlink(entry.path)
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = set()
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as table:
        for line in list(table)[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(socket.inet_ntoa(bytes.fromhex(fields[1].partition(":")[0])[::-1]))
    return found


@pytest.mark.parametrize(
    ("parameter", "complaint"),
    [
        ("host:=192.0.2.1", "host 192.0.2.1"),
        ("anonymize:=maybe", "anonymize 'maybe' is none of"),
        ("image_topics:=['bad topic']", "image_topics: 'bad topic' is not a topic name"),
        ("max_rate_hz:=0.0", "max_rate_hz"),
    ],
)
def test_a_wrong_parameter_is_one_line(parameter, complaint):
    done = run("web_viewer_node", parameter)
    assert done.returncode == 78, done.stdout + done.stderr
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_malformed_messages_of_others_do_not_end_it(viewer, graph, make):
    from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
    from malformed import Malformed
    from rcl_interfaces.msg import Log

    from emotion_perception.ros.conversions import EmotionArray

    page = viewer()
    malformed = Malformed(1, make.header)
    emotions = graph.speak(EmotionArray, "emotions")
    diagnostics = graph.speak(DiagnosticArray, "/diagnostics", listeners=1)
    log = graph.probe.create_publisher(Log, "/rosout", 10)
    for number in range(50):
        emotions.publish(malformed.emotions(number))
        diagnostics.publish(DiagnosticArray(status=[DiagnosticStatus(level=b"\xff", name="\n" * 500)]))
        log.publish(Log(level=255, name="x" * 1000, msg="y" * 100_000))
        graph.let_run(0.02)
    assert status(page.url) == 200
    assert page.process.poll() is None


def launched(tmp_path, *, missing):
    """Runs `ros2 launch` with web:=true until the page is announced or its extra is missed; returns the output."""
    ros2 = shutil.which("ros2")
    if ros2 is None:
        pytest.skip("ros2 launch is not installed: it comes with a ROS from apt, not from PyPI")
    environment = dict(os.environ)
    if missing:
        (tmp_path / "nicegui.py").write_text("raise ModuleNotFoundError(\"No module named 'nicegui'\", name='nicegui')")
        environment["PYTHONPATH"] = f"{tmp_path}:{environment.get('PYTHONPATH', '')}"
    command = [ros2, "launch", str(ROOT / "launch/emotion_perception.launch.py"), "web:=true", "use_camera:=false"]
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment, cwd="/")
    try:
        deadline_s = time.monotonic() + LAUNCH_S
        ends = ("look at http", "needs the Python package")
        while time.monotonic() < deadline_s and not any(end in log.read_text() for end in ends):
            time.sleep(0.2)
        assert process.poll() is None, log.read_text()
        return log.read_text()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def test_the_launch_file_starts_the_page(tmp_path):
    assert "look at http://localhost:" in launched(tmp_path, missing=False)


def test_without_the_extra_the_launch_file_says_what_to_install_and_the_nodes_run_on(tmp_path):
    output = launched(tmp_path, missing=True)
    assert "web_viewer_node needs the Python package nicegui: " in output
    assert "pip" in output
