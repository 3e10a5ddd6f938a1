# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The outermost layer of the server: it sees HTTP requests, Socket.IO polling and WebSocket handshakes alike."""

import asyncio
import html
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from emotion_perception.web.access import AllowedHosts, RateLimiter, TokenAccess, is_own_page

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

SOCKET_PATH = "/_nicegui_ws/"
LOGIN_PATH = "/login"
MAX_HEAD_BYTES = 64 * 1024
"""Maximum size of the head of a request."""
_MAX_BODY, _DIGITS = 64 * 1024, 9
_FILES = ("/camera/", "/viewer/", "/_nicegui/", SOCKET_PATH)
_BINARY = ("b", "45", "46")  # base64 in Engine.IO; event and acknowledgement with attachments in Socket.IO
_BODY_S = 10.0  # in which the token of the form must come
_FORWARDED = (b"x-forwarded-", b"forwarded")  # who sends them is the client itself: there is no proxy that we trust
_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        b"img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        b"frame-ancestors 'none'",
    ),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"same-origin"),  # no-referrer would also take the origin from our own form
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>emotion_perception</title>
<body style="font-family:sans-serif;max-width:30em;margin:3em auto;padding:0 1em">{}</body></html>"""
_FORM = """<h1>emotion_perception</h1><p>{}</p><form method="post" action="/login">
<label>Token <input name="token" type="password" autocomplete="off" autofocus required></label>
<button>Open</button></form><p>web_viewer_node has printed the token when it started.</p>"""


class Guard:
    """Refuses what does not come from a page of this server, or without its token; limits rates and sizes.

    Args:
        app: the ASGI application.
        hosts: the names of this server.
        access: what a client needs beyond loopback; None asks for nothing.
        cookie: name of the cookie of a session.
        requests: limits the requests of each address.
        pages: limits the pages that each address opens, which take memory for a minute.
        failures: limits the wrong tokens of each address.
        messages: makes the limit of the messages of a WebSocket.
        body_s: in which the body of the form must come.
    """

    def __init__(
        self,
        app: App,
        hosts: AllowedHosts,
        access: TokenAccess | None = None,
        *,
        cookie: str = "emotion_perception_viewer",
        requests: RateLimiter | None = None,
        pages: RateLimiter | None = None,
        failures: RateLimiter | None = None,
        messages: Callable[[], RateLimiter] | None = None,
        body_s: float = _BODY_S,
    ) -> None:
        self._app, self._hosts, self._access, self._cookie = app, hosts, access, cookie
        self._requests = requests or RateLimiter(150, 600)
        self._pages = pages or RateLimiter(2, 30)
        self._failures = failures or RateLimiter(0.1, 5)
        self._messages = messages or (lambda: RateLimiter(50, 200))
        self._body_s = body_s

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers a request itself, or passes it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request = _Request(scope)
        if refusal := self._refusal(request):
            await _refuse(scope, receive, send, *refusal)
            return
        if self._access is not None and await self._answered(request, self._access, receive, send):
            return
        if request.is_polling:  # many messages in one request, which no limit of a WebSocket would count
            await _refuse(scope, receive, send, 404, "Socket.IO needs a WebSocket here")
            return
        scope["headers"] = [(name, value) for name, value in scope["headers"] if not name.startswith(_FORWARDED)]
        if scope["type"] == "websocket":
            await self._app(scope, self._limited_messages(request, receive), send)
        else:
            await self._app(scope, _limited_body(receive), _with_headers(send))

    def _refusal(self, request: "_Request") -> tuple[int, str] | None:
        """Returns status and reason if a request is not to be answered at all."""
        if request.head_bytes > MAX_HEAD_BYTES:  # h11 checks only heads that come in several pieces
            return 431, "the head of the request is too large"
        hosts = request.values(b"host")
        if len(hosts) != 1 or not self._hosts.allows(hosts[0]):
            return 421, "this server is not known by that name"
        origins = request.values(b"origin")
        if len(origins) > 1 or any(not is_own_page(origin, hosts[0]) for origin in origins):
            return 403, "requests of other pages are refused"
        if request.value(b"sec-fetch-site") in ("cross-site", "same-site") and not request.is_navigation:
            return 403, "requests of other pages are refused"
        if request.scope["type"] == "http":
            if request.method not in ("GET", "HEAD") and not request.is_login:
                return 405, "this method is not allowed"
            length = request.value(b"content-length") or "0"
            if not length.isdecimal() or len(length) > _DIGITS or int(length) > _MAX_BODY:
                return 413, "the request is too large"
        if "\\" in request.path or "\0" in request.path or ".." in request.path.split("/"):
            return 404, "no such page"
        is_page = not request.path.startswith(_FILES)
        if not self._requests.take(request.client) or (is_page and not self._pages.take(request.client)):
            return 429, "too many requests"
        return None

    async def _answered(self, request: "_Request", access: TokenAccess, receive: Receive, send: Send) -> bool:
        """Answers requests without access, and those that open a session; returns whether it did."""
        if (session := request.cookie(self._cookie)) and access.is_session(session):
            return False
        if self._failures.is_exhausted(request.client):
            await _refuse(request.scope, receive, send, 429, "too many wrong tokens, wait a minute")
            return True
        code = request.query("link") if request.path == "/" and request.method == "GET" else ""
        posted, given = request.is_login, ""
        if posted:
            try:
                body = await asyncio.wait_for(_body(receive), self._body_s)
            except asyncio.TimeoutError:
                await _refuse(request.scope, receive, send, 408, "the token has not come in time")
                return True
            given = parse_qs(body.decode(errors="replace")).get("token", [""])[0]
        if (code and access.use_link(code)) or (posted and access.is_token(given)):
            cookie = f"{self._cookie}={access.open_session()}; HttpOnly; SameSite=Strict; Path=/"
            # not a redirect: a browser that follows one from another page sends no strict cookie
            text = _PAGE.format('<meta http-equiv="refresh" content="0;url=/"><a href="/">emotion_perception</a>')
            await _answer(send, 200, text, [(b"set-cookie", cookie.encode()), (b"cache-control", b"no-store")])
            return True
        if (bearer := request.token) and access.is_token(bearer):
            return False
        if wrong := bool(code or posted or bearer):
            self._failures.take(request.client)
        reason = "The token is wrong, or the link has been used." if wrong else "This page needs a token."
        if request.scope["type"] == "http" and request.is_navigation and request.method in ("GET", "POST"):
            await _answer(send, 401, _PAGE.format(_FORM.format(html.escape(reason))), [(b"cache-control", b"no-store")])
        else:
            await _refuse(request.scope, receive, send, 401, reason)
        return True

    def _limited_messages(self, request: "_Request", receive: Receive) -> Receive:
        """Returns a `receive` that closes the WebSocket after too many or too large messages, or after its session.

        An open page sends a message every few seconds: the answer to Socket.IO's ping. It sends no binary ones, of
        which Socket.IO would keep all attachments until the last of them has come.
        """
        messages, access = self._messages(), self._access
        session = request.cookie(self._cookie)
        if access is None or not access.is_session(session):  # nothing is needed, or the token has opened it
            session = ""

        async def limited() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                text: str | None = message.get("text")
                is_binary = text is None or text.startswith(_BINARY)
                has_ended = access is not None and session != "" and not access.is_session(session)
                if is_binary or len(text or "") > _MAX_BODY or has_ended or not messages.take(""):
                    return {"type": "websocket.disconnect", "code": 1008}
            return message

        return limited


class _Request:
    """What the guard reads of a scope.

    Attributes:
        scope: of ASGI.
        path: without the query.
        method: of HTTP; GET for a handshake.
        client: address of the client.
        head_bytes: size of the head of the request, but for blanks.
    """

    def __init__(self, scope: Message) -> None:
        self.scope = scope
        self.path = str(scope["path"])
        self.method = str(scope.get("method", "GET"))
        self.client = str((scope.get("client") or ("",))[0])
        lines = (len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])
        self.head_bytes = len(self.path) + len(scope.get("query_string", b"")) + sum(lines)

    def values(self, name: bytes) -> list[str]:
        """Returns the values of a header."""
        return [value.decode("latin-1") for key, value in self.scope["headers"] if key.lower() == name]

    def value(self, name: bytes) -> str:
        """Returns the value of a header, empty if it is missing or there are several."""
        values = self.values(name)
        return values[0] if len(values) == 1 else ""

    def query(self, name: str) -> str:
        """Returns a value of the query, empty if it is missing."""
        return parse_qs(self.scope.get("query_string", b"").decode("latin-1")).get(name, [""])[0]

    def cookie(self, name: str) -> str:
        """Returns the value of a cookie, empty if it is missing."""
        try:
            cookies = SimpleCookie("; ".join(self.values(b"cookie")))
        except CookieError:
            return ""
        return cookies[name].value if name in cookies else ""

    @property
    def token(self) -> str:
        """The token in the header `Authorization: Bearer TOKEN`, empty if there is none."""
        scheme, _, token = self.value(b"authorization").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    @property
    def is_login(self) -> bool:
        """Whether it is the form with the token."""
        return self.scope["type"] == "http" and self.path == LOGIN_PATH and self.method == "POST"

    @property
    def is_polling(self) -> bool:
        """Whether it is Socket.IO without a WebSocket."""
        return self.scope["type"] == "http" and self.path.startswith(SOCKET_PATH)

    @property
    def is_navigation(self) -> bool:
        """Whether a person opens the page, as far as the browser says so."""
        return self.scope["type"] == "http" and self.value(b"sec-fetch-mode") in ("navigate", "")


async def _refuse(scope: Message, receive: Receive, send: Send, status: int, reason: str) -> None:
    if scope["type"] == "websocket":  # before it is accepted: the client gets a status of HTTP
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
    else:
        await _answer(send, status, f"{reason}\n", [], b"text/plain; charset=utf-8")


async def _answer(
    send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]], kind: bytes = b"text/html; charset=utf-8"
) -> None:
    body = text.encode()
    own = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *headers]
    send = _with_headers(send)
    await send({"type": "http.response.start", "status": status, "headers": own})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes:
    """Returns the body of a request, of one that is too large its beginning."""
    body, more = b"", True
    while more and len(body) <= _MAX_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = bool(message.get("more_body"))
    return body


def _limited_body(receive: Receive) -> Receive:
    """Returns a `receive` that ends a request whose body is too large."""
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        return {"type": "http.disconnect"} if received > _MAX_BODY else message

    return limited


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            names = {name for name, _ in _HEADERS}
            kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in names]
            message = {**message, "headers": [*kept, *_HEADERS]}
        await send(message)

    return with_headers
