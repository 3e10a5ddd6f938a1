# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The connections of the server: how many an address may have, how fast, and how much they send and leave unread."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.auto import AutoWebSocketsProtocol

from emotion_perception.web.access import RateLimiter

_REQUEST_S = 20.0  # longer than the guard waits for the body of the form, so that its answer is sent
_WEBSOCKET_BYTES_S, _WEBSOCKET_BURST = 32 * 1024, 512 * 1024
_MAX_UNSENT = 4 * 1024 * 1024  # bytes
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class LimitedConnection(H11Protocol):
    """A connection that is closed if its address has more than half of all, or a request is not complete after 20 s.

    Uvicorn itself waits for the rest of a request without a limit, and asks the application, which limits rates, only
    when the head is there.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """Waits for the first request, or closes the connection."""
        super().connection_made(transport)
        same = sum(_host(other) == _host(self) for other in self.connections)
        if self.limit_concurrency is not None and same > self.limit_concurrency // 2:
            transport.write(_TOO_MANY)
            transport.close()
        else:
            self._deadline = self.loop.call_later(_REQUEST_S, transport.close)

    def data_received(self, data: bytes) -> None:
        """Waits for the rest of the request, if there is one."""
        super().data_received(data)
        is_incomplete = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if not is_incomplete or self.transport.get_protocol() is not self:  # it has become a WebSocket
            self._cancel()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(_REQUEST_S, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits no longer."""
        super().connection_lost(exc)
        self._cancel()

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class LimitedWebSocket(AutoWebSocketsProtocol):  # type: ignore[misc, valid-type] # a class that uvicorn chooses
    """A WebSocket that is closed when it sends more bytes than a page does, or does not read the answers to its pings.

    The application sees messages only. Pings and pongs, which have no end, are answered below it.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begins to count."""
        super().connection_made(transport)
        self._received = RateLimiter(_WEBSOCKET_BYTES_S, _WEBSOCKET_BURST)

    def data_received(self, data: bytes) -> None:
        """Passes the data on, or closes the connection."""
        if self._received.take("", len(data)) and self.transport.get_write_buffer_size() <= _MAX_UNSENT:
            super().data_received(data)
        else:
            self.transport.abort()


def _host(connection: object) -> str | None:
    client = getattr(connection, "client", None)  # not in the types of all classes of uvicorn
    return str(client[0]) if client else None
