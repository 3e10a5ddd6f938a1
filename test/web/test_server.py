# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The server with NiceGUI behind it: downloads, pages beyond the limit, and paths that do not exist."""

import contextlib
import http.client
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("nicegui", reason="the extra web is not installed: scripts/setup.sh web")

from nicegui import Client
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from emotion_perception.web import connections, ports
from emotion_perception.web.graph import GraphState
from emotion_perception.web.newest_image import NewestImage
from emotion_perception.web.server import ViewerServer, max_connections, requests_hz
from emotion_perception.web.state import CameraState, ViewerSettings, ViewerState

pytestmark = pytest.mark.browser  # NiceGUI does not start in the process that has run the whole suite

WAIT_S = 20.0
ARCHIVE_BYTES = 32 * 2**20  # more than the buffers of a connection hold


class Recordings:
    """Makes large recordings, and knows which of them are still open."""

    def __init__(self):
        self.files = []

    def last_seconds(self, camera):
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
        file.truncate(ARCHIVE_BYTES)
        self.files.append(file)
        return file

    @property
    def open_count(self):
        return sum(not file.closed for file in self.files)


@pytest.fixture(scope="module")
def recordings():
    return Recordings()


@pytest.fixture(scope="module")
def address(recordings):
    """Host and port of the one server of this process."""
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as executor:
        patch.setattr(ports, "_UNSENT_MS", 1000)
        cameras = [CameraState("camera", NewestImage(15.0, executor), [], "/classifier")]
        listening = ports.bound_socket("127.0.0.1", 0)
        settings = ViewerSettings(can_control=False, can_download=True, max_viewers=1)
        server = ViewerServer(listening, ViewerState(cameras, GraphState(), None, recordings), settings, executor)
        server.start()
        yield listening.getsockname()
        server.stop()


def get(address, path):
    """Returns status and body."""
    with contextlib.closing(http.client.HTTPConnection(*address, timeout=WAIT_S)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def wait(condition, complaint):
    deadline_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline_s, complaint
        time.sleep(0.02)


@pytest.mark.parametrize("path", ["/camera/x", "/camera/0/raw.jpg", "/_nicegui/x", "/viewer/x", "/no/such/page"])
def test_a_path_that_does_not_exist_takes_no_memory(address, path):
    before = set(Client.instances)
    assert get(address, path)[0] == 404
    assert set(Client.instances) == before


def test_one_recording_is_downloaded_at_a_time_from_a_file(address, recordings):
    with socket.create_connection(address) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(b"GET /camera/0/last30s.zip HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert slow.recv(12) == b"HTTP/1.1 200"
        assert get(address, "/camera/0/last30s.zip")[0] == 503
        assert recordings.open_count == 1
    wait(lambda: recordings.open_count == 0, "the file of a download that was broken off is open")
    status, body = get(address, "/camera/0/last30s.zip")
    assert (status, len(body)) == (200, ARCHIVE_BYTES)
    wait(lambda: recordings.open_count == 0, "the file of a download is open")


@pytest.mark.guarantee("A connection that takes nothing of an answer for 20 s is closed.", section="Web page")
def test_a_client_that_takes_nothing_is_closed(address, recordings):
    with socket.create_connection(address) as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.sendall(b"GET /camera/0/last30s.zip HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait(lambda: recordings.open_count == 1, "the download does not begin")
        wait(lambda: recordings.open_count == 0, "the download does not end")
    assert get(address, "/camera/0/last30s.zip")[0] == 200


@contextlib.contextmanager
def connected(address, client_id):
    """A page as its browser connects it: yields the WebSocket; at the end the server knows that it is closed."""
    query = f"client_id={client_id}&tab_id={client_id}&document_id={client_id}&next_message_id=0"
    path = f"_nicegui_ws/socket.io/?EIO=4&transport=websocket&implicit_handshake=true&{query}"
    with connect(f"ws://{address[0]}:{address[1]}/{path}") as web_socket:
        assert web_socket.recv(WAIT_S).startswith("0")
        web_socket.send("40")
        assert web_socket.recv(WAIT_S).startswith("40")
        yield web_socket
    page = Client.instances.get(client_id)
    wait(lambda: page is None or not page.has_socket_connection, "the server has not noticed that a page is closed")


def fetched_page(address):
    """Returns the id of a page that is fetched and not yet connected."""
    before = set(Client.instances)
    assert get(address, "/")[0] == 200
    (client_id,) = set(Client.instances) - before
    return client_id


def send_pings(connection, *, reads):
    """Sends pings on a WebSocket as fast as it can."""
    ping = bytes([0x89, 0x80 | 125, 0, 0, 0, 0]) + b"x" * 125  # final frame, masked with zeros
    deadline_s = time.monotonic() + WAIT_S
    while time.monotonic() < deadline_s:
        connection.sendall(ping * 100)
        if reads:
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                connection.recv(2**20)
            connection.settimeout(WAIT_S)


@pytest.mark.guarantee(
    "A WebSocket that sends pings without end, or does not read their answers, is closed, and the others go on.",
    section="Web page",
)
@pytest.mark.parametrize("reads", [True, False])
def test_a_websocket_that_sends_pings_without_end_is_closed(address, reads):
    with contextlib.closing(socket.create_connection(address, WAIT_S)) as connection:
        connection.sendall(
            b"GET /_nicegui_ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
            + f"Host: {address[0]}:{address[1]}\r\n".encode()
            + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert b" 101 " in connection.recv(4096)
        connection.settimeout(WAIT_S)
        with pytest.raises(ConnectionError):
            send_pings(connection, reads=reads)
    begun_s = time.monotonic()
    assert get(address, "/")[0] == 200
    assert time.monotonic() - begun_s < WAIT_S / 2


@pytest.mark.guarantee("No more pages than `max_viewers` are open, however they were fetched.", section="Web page")
def test_pages_that_were_fetched_before_the_limit_was_reached_do_not_exceed_it(address):
    first, second = fetched_page(address), fetched_page(address)
    with connected(address, first):
        with connected(address, second) as refused:
            messages = list(iter(lambda: refused.recv(WAIT_S), "1"))  # until the server closes it
        assert any("location.reload" in message for message in messages)
        assert second not in Client.instances
        assert first in Client.instances
        status, body = get(address, "/")
        assert (status, body) == (503, b"no more pages may be open than 1 (max_viewers)\n")


@pytest.mark.parametrize(
    ("max_rate_hz", "max_viewers", "expected"), [(15.0, 8, 150.0), (0.5, 1, 150.0), (60.0, 8, 600.0)]
)
def test_one_address_may_have_all_pages_at_their_full_rate(max_rate_hz, max_viewers, expected):
    settings = ViewerSettings(can_control=False, can_download=False, max_viewers=max_viewers, max_rate_hz=max_rate_hz)
    assert requests_hz(settings) == expected


@pytest.mark.parametrize(("max_viewers", "expected"), [(1, 200), (14, 200), (15, 210), (100, 1400)])
def test_there_are_connections_for_all_pages(max_viewers, expected):
    assert max_connections(ViewerSettings(can_control=False, can_download=False, max_viewers=max_viewers)) == expected


BEGUN = {
    "nothing": b"",
    "half a line": b"GET / HT",
    "half a head": b"GET / HTTP/1.1\r\nHost: localhost\r\n",
    "half a body": b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\nhalf",
    "half a second one": b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HT",
}


@pytest.mark.guarantee(
    "A connection whose request is not complete after 20 s is closed, also while it sends more of it.",
    section="Web page",
)
@pytest.mark.parametrize("begun", BEGUN.values(), ids=BEGUN)
def test_a_request_that_does_not_end_is_closed(address, monkeypatch, begun):
    monkeypatch.setattr(connections, "_REQUEST_S", 0.5)
    with socket.create_connection(address, timeout=0.1) as slow:
        slow.sendall(begun)

        def is_closed():
            try:
                if begun:
                    slow.sendall(b"x")
                return slow.recv(4096) == b""
            except TimeoutError:
                return False
            except OSError:
                return True

        wait(is_closed, "the connection stays")
    assert get(address, "/nothing")[0] == 404


def test_a_connection_whose_requests_are_complete_stays(address, monkeypatch):
    monkeypatch.setattr(connections, "_REQUEST_S", 0.2)
    request = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"

    def stays():
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=WAIT_S) as kept:
            for _ in range(3):
                kept.sendall(request)
                if not kept.recv(4096):  # closed: this machine has stalled
                    return False
                time.sleep(0.5)
            return True
        return False

    wait(stays, "connections are closed although their requests are complete")


def test_a_web_socket_stays(address, monkeypatch):
    monkeypatch.setattr(connections, "_REQUEST_S", 0.2)

    def stays():
        try:
            with connected(address, fetched_page(address)) as web_socket:
                time.sleep(0.5)
                return web_socket.ping().wait(1.0)
        except (OSError, WebSocketException, TimeoutError):  # this machine has stalled
            return False

    wait(stays, "WebSockets are closed")


@pytest.mark.guarantee("A request whose head is longer than 64 KiB is refused.", section="Web page")
def test_a_head_of_more_than_64_kib_is_refused_also_where_it_comes_at_once(address):
    for length, status in ((60_000, b"404"), (70_000, b"431")):
        with socket.create_connection(address, timeout=WAIT_S) as connection:
            line = b"X-Long: " + b"a" * length
            connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n" + line + b"\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 " + status)


@pytest.mark.guarantee("A request whose head is longer than 64 KiB is refused.", section="Web page")
@pytest.mark.parametrize("part", [b"a: b\r\n" * 40_000, b"X: " + b"a" * 2**18], ids=["many lines", "a long line"])
def test_the_head_of_a_request_is_limited(address, part):
    with socket.create_connection(address, timeout=WAIT_S) as endless:
        with contextlib.suppress(OSError):  # the server closes while it is sent
            endless.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + part)
        with contextlib.suppress(ConnectionResetError):
            assert endless.recv(4096).startswith(b"HTTP/1.1 4")
            while endless.recv(4096):
                pass
    assert get(address, "/nothing")[0] == 404, "the server answers others"


def test_junk_on_the_web_socket_writes_nothing(address, capfd):
    with connected(address, fetched_page(address)) as web_socket:
        for junk in ('42["log",{"x":1}]', '42["ack",{}]', '42["handshake",{"a":1e999}]', "42" + "[" * 3000):
            with contextlib.suppress(Exception):  # it may be closed
                web_socket.send(junk)
    assert get(address, "/nothing")[0] == 404
    assert "Traceback" not in capfd.readouterr().err


def test_socket_io_needs_a_web_socket(address):
    assert get(address, "/_nicegui_ws/socket.io/?EIO=4&transport=polling")[0] == 404
    assert b'["websocket"]' in get(address, "/")[1].replace(b"&#34;", b'"').replace(b"'", b'"')
