# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The guard of the server, at the level of ASGI: it sees requests, polling and handshakes before anything else does."""

import asyncio

import pytest

from emotion_perception.web.access import AllowedHosts, RateLimiter, TokenAccess
from emotion_perception.web.guard import Guard

POLLING = "/_nicegui_ws/socket.io/"
ALLOWED = {"page": 200, "polling": 404, "handshake": 101}  # polling is not offered
KINDS = {"page": ("http", "/"), "polling": ("http", POLLING), "handshake": ("websocket", POLLING)}


class App:
    """Answers everything, and counts what reaches it."""

    def __init__(self):
        self.scopes, self.messages = [], []

    async def __call__(self, scope, receive, send):
        self.scopes.append(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (message := await receive())["type"] == "websocket.receive":
                self.messages.append(message)
            return
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"ALLOWALL")]})
        await send({"type": "http.response.body", "body": b"here"})


class Client:
    """Sends requests to a guard; returns status, headers and body, of a handshake 101 or 403."""

    def __init__(self, guard, host="localhost:8090", address="127.0.0.1"):
        self._guard, self._host, self._address = guard, host, address

    def ask(self, kind="page", path=None, *, method="GET", query="", body=b"", messages=(), **headers):
        scope_type, default_path = KINDS[kind]
        headers = {"host": self._host} | {name.replace("_", "-"): value for name, value in headers.items()}
        scope = {
            "type": scope_type,
            "path": path or default_path,
            "query_string": query.encode(),
            "headers": [(name.encode(), text.encode()) for name, text in headers.items() if text is not None],
            "client": (self._address, 1),
        }
        if scope_type == "http":
            scope["method"] = method
            pending = [{"type": "http.request", "body": body}]
        else:
            received = [
                {"type": "websocket.receive", "bytes" if isinstance(message, bytes) else "text": message}
                for message in messages
            ]
            pending = [{"type": "websocket.connect"}, *received, {"type": "websocket.disconnect", "code": 1000}]
        sent = []

        async def receive():
            return pending.pop(0) if pending else {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        asyncio.run(self._guard(scope, receive, send))
        if scope_type == "websocket":
            return 101 if sent[0]["type"] == "websocket.accept" else 403, {}, b""
        return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])

    def status(self, kind="page", **request):
        return self.ask(kind, **request)[0]


@pytest.fixture
def app():
    return App()


@pytest.fixture
def client(app):
    return Client(Guard(app, AllowedHosts("127.0.0.1")))


@pytest.fixture
def access():
    return TokenAccess()


@pytest.fixture
def remote(app, access):
    """A client of a server that other machines reach."""
    return Client(Guard(app, AllowedHosts("0.0.0.0"), access, cookie="viewer"), "192.168.1.5:8090", "192.168.1.9")


@pytest.mark.guarantee("A request whose head is longer than 64 KiB is refused.", section="Web page")
@pytest.mark.parametrize("part", [{"x_long": "a" * 65_536}, {"query": "a" * 65_536}, {"path": "/" + "a" * 65_536}])
def test_a_head_of_more_than_64_kib_is_refused(app, client, part):
    assert client.status(**part) == 431
    assert client.status("handshake", **part) == 403
    assert app.scopes == []


@pytest.mark.guarantee(
    "Page, Socket.IO polling and WebSocket handshake of web_viewer_node are refused under a foreign `Host` (DNS "
    "rebinding), and to pages of another `Origin`.",
    section="Web page",
)
@pytest.mark.parametrize("kind", list(KINDS))
def test_foreign_hosts_and_origins_are_refused(app, client, kind):
    assert client.status(kind) == ALLOWED[kind]
    assert client.status(kind, origin="http://localhost:8090") == ALLOWED[kind]
    reached = len(app.scopes)
    for headers in (
        {"host": "evil.example"},
        {"host": "evil.example", "origin": "http://evil.example"},
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:9999"},
        {"origin": "null"},
        {"host": None},
    ):
        assert client.status(kind, **headers) in (403, 421), headers
    assert len(app.scopes) == reached


def test_an_image_in_a_foreign_page_is_refused_and_a_link_from_one_opens_the_page(client):
    foreign = {"sec_fetch_site": "cross-site"}
    assert client.status(path="/camera/0/image.jpg", sec_fetch_mode="no-cors", **foreign) == 403
    assert client.status(path="/", sec_fetch_mode="navigate", **foreign) == 200


@pytest.mark.guarantee(
    "Beyond this machine the page needs a token: in the header, in the login form, or as a link that works once. The "
    "cookie is HttpOnly and SameSite=Strict.",
    section="Web page",
)
@pytest.mark.parametrize("kind", list(KINDS))
def test_without_the_token_nothing_is_answered(app, remote, access, kind):
    assert remote.status(kind) in (401, 403)
    assert remote.status(kind, authorization=f"Bearer {access.token}x") in (401, 403)
    assert remote.status(kind, cookie="viewer=made-up") in (401, 403)
    assert remote.status(kind, cookie="viewer=\u00e9") in (401, 403)
    assert app.scopes == []
    assert remote.status(kind, authorization=f"Bearer {access.token}") == ALLOWED[kind]


def test_a_preview_does_not_use_up_the_link(remote, access):
    query = f"link={access.link_code}"
    assert remote.status(path="/", query=query, method="HEAD") == 401
    assert remote.status(path="/", query=query) == 200


@pytest.mark.parametrize("way", ["link", "form"])
def test_link_and_form_open_a_session(remote, access, way):
    def enter():
        if way == "link":
            return remote.ask(path="/", query=f"link={access.link_code}")
        return remote.ask(path="/login", method="POST", body=f"token={access.token}".encode())

    status, headers, _ = enter()
    assert status == 200
    cookie, *attributes = headers[b"set-cookie"].decode().split("; ")
    assert {"HttpOnly", "SameSite=Strict"} <= set(attributes)
    for kind in KINDS:
        assert remote.status(kind, cookie=cookie) == ALLOWED[kind]
    assert enter()[0] == (401 if way == "link" else 200)


def test_a_wrong_token_in_the_form_is_said_and_not_repeated(remote):
    status, _, body = remote.ask(path="/login", method="POST", body=b"token=<b>wrong")
    assert status == 401
    assert b"wrong, or the link has been used" in body
    assert b"<b>" not in body


def test_tokens_cannot_be_guessed_one_after_the_other(remote, access):
    statuses = [remote.status(authorization=f"Bearer guess{number}") for number in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    assert remote.status(authorization=f"Bearer {access.token}") == 429


@pytest.mark.guarantee(
    "Requests of one address, and messages of one WebSocket, are limited in rate and size.", section="Web page"
)
def test_too_many_requests_and_messages_are_refused(app):
    guard = Guard(
        app, AllowedHosts("127.0.0.1"), requests=RateLimiter(0.001, 3), messages=lambda: RateLimiter(0.001, 2)
    )
    client = Client(guard)
    client.ask("handshake", messages=["1", "2", "3", "4"])
    assert [message["text"] for message in app.messages] == ["1", "2"]
    assert [client.status() for _ in range(3)] == [200, 200, 429]
    assert Client(guard, address="127.0.0.2").status() == 200


@pytest.mark.guarantee(
    "A WebSocket takes no binary message, of which Socket.IO would keep every attachment.", section="Web page"
)
@pytest.mark.parametrize("message", [b"\x04", "bAAAA", '451-["event",{"_placeholder":true,"num":0}]', "461-1[]"])
def test_binary_messages_end_a_web_socket(app, client, message):
    client.ask("handshake", messages=['42["event"]', message, "3"])
    assert [message["text"] for message in app.messages] == ['42["event"]']


def test_each_web_socket_has_a_limit_of_its_own(app):
    client = Client(Guard(app, AllowedHosts("127.0.0.1"), messages=lambda: RateLimiter(0.001, 2)))
    for _ in range(3):
        client.ask("handshake", messages=["1", "2", "3"])
    assert len(app.messages) == 6


def test_a_web_socket_ends_with_its_session():
    now_s = 100.0
    access = TokenAccess(lambda: now_s)
    reached = []

    async def app(scope, receive, send):
        nonlocal now_s
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            reached.append(message["text"])
            now_s += 7 * 3600

    client = Client(Guard(app, AllowedHosts("127.0.0.1"), access, cookie="viewer"))
    assert client.status("handshake", messages=["0 h", "7 h", "14 h"], cookie=f"viewer={access.open_session()}") == 101
    assert reached == ["0 h", "7 h"]


def test_a_token_that_does_not_come_is_not_waited_for(app, access):
    guard = Guard(app, AllowedHosts("127.0.0.1"), access, body_s=0.05)
    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-length", b"30")]
    scope = {"type": "http", "path": "/login", "method": "POST", "query_string": b"", "headers": headers}
    asyncio.run(guard(scope, asyncio.Event().wait, send))
    assert sent[0]["status"] == 408


def test_pages_are_limited_more_than_images(app):
    client = Client(Guard(app, AllowedHosts("127.0.0.1"), pages=RateLimiter(0.001, 2)))
    assert [client.status(path=path) for path in ("/", "/no/such/page", "/")] == [200, 200, 429]
    assert client.status(path="/camera/0/image.jpg") == 200
    assert client.status("handshake") == 101


def test_what_is_too_large_is_refused(app, client):
    client.ask("handshake", messages=["x" * 70_000])
    assert app.messages == []
    for length in ("70000", "many", "9" * 5000):
        assert client.status(path="/login", method="POST", content_length=length) == 413


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/../etc/passwd", "GET", 404),
        ("/viewer/../../etc/passwd", "GET", 404),
        ("/viewer/..\\etc", "GET", 404),
        ("/viewer/x\0", "GET", 404),
        ("/", "POST", 405),
        ("/", "DELETE", 405),
        (POLLING, "PUT", 405),
        (POLLING, "POST", 405),
        (POLLING, "GET", 404),
        (POLLING, "HEAD", 404),
        ("/login", "POST", 200),
    ],
)
def test_other_paths_and_methods_are_refused(client, path, method, status):
    assert client.status(path=path, method=method) == status


def test_every_answer_says_what_a_browser_may_do_with_it(client):
    _, headers, _ = client.ask()
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
    assert headers[b"x-frame-options"] == b"DENY"
    assert headers[b"cross-origin-resource-policy"] == b"same-origin"
    assert b"content-security-policy" in client.ask(host="evil.example")[1]


def test_headers_of_a_proxy_that_is_not_there_are_dropped(app, client):
    client.ask(x_forwarded_prefix="//evil.example", forwarded="host=evil.example", accept="x")
    names = {name for name, _ in app.scopes[0]["headers"]}
    assert names == {b"host", b"accept"}
