# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Who may use the server: names of hosts, origins, token and sessions, and how often."""

import hmac
import ipaddress
import platform
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

_MAX_SESSIONS, _MAX_CLIENTS = 64, 4096
_SESSION_S = 12 * 3600.0


def is_loopback(host: str) -> bool:
    """Returns whether an address or name reaches this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class AllowedHosts:
    """The names under which a browser may ask for the page.

    A page of somebody else whose name suddenly resolves to this machine (DNS rebinding) has its own name in `Host`.
    An address cannot be rebound, so beyond loopback every address is allowed.

    Args:
        host: what the server is bound to.
        names: further names, e.g. of a proxy.
    """

    def __init__(self, host: str, names: Collection[str] = ()) -> None:
        self._only_loopback = is_loopback(host)
        self._names = {name.lower() for name in names if name} | {"localhost"}
        if not self._only_loopback:
            own = platform.node().lower()
            self._names |= {host.lower(), own, f"{own}.local"}

    def allows(self, header: str) -> bool:
        """Returns whether the value of a `Host` header is allowed; the port may be another, e.g. of a tunnel."""
        try:
            parts = urlsplit(f"//{header}")
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return False
        if not host or parts.path or parts.query or parts.fragment or "@" in header:
            return False
        if host in self._names:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return address.is_loopback or not self._only_loopback


def is_own_page(header: str, host: str) -> bool:
    """Returns whether the value of an `Origin` header is a page that was asked for under this `Host`."""
    scheme, separator, authority = header.partition("://")
    return separator != "" and scheme in ("http", "https") and authority.lower() == host.lower()


class TokenAccess:
    """A token for programs, a link that works once, and the sessions that either of them opens.

    Args:
        clock_s: steady time in seconds.

    Attributes:
        token: opens sessions until the server ends.
        link_code: opens one session.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self.token, self.link_code = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._link_is_unused = True
        self._sessions: OrderedDict[str, float] = OrderedDict()

    def is_token(self, text: str) -> bool:
        """Returns whether a text is the token; takes the same time for every text of a length."""
        return hmac.compare_digest(text.encode(), self.token.encode())

    def use_link(self, code: str) -> bool:
        """Returns whether a code is that of the link, which is used up then."""
        is_code = hmac.compare_digest(code.encode(), self.link_code.encode())
        if is_code and self._link_is_unused:
            self._link_is_unused = False
            return True
        return False

    def open_session(self) -> str:
        """Returns the value of the cookie of a new session; beyond 64 the oldest one ends."""
        session = secrets.token_urlsafe(32)
        self._sessions[session] = self._clock_s() + _SESSION_S
        while len(self._sessions) > _MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def is_session(self, value: str) -> bool:
        """Returns whether a cookie belongs to a session that has not ended: after twelve hours."""
        known = [
            until for session, until in self._sessions.items() if hmac.compare_digest(session.encode(), value.encode())
        ]
        return bool(known) and known[0] > self._clock_s()


class RateLimiter:
    """Allows a number of events per second and client, and more for a moment.

    Args:
        per_second: in the long run.
        burst: at once, after a pause.
        clock_s: steady time in seconds.
    """

    def __init__(self, per_second: float, burst: int, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._clock_s = per_second, burst, clock_s
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # by client: events left, at a time

    def take(self, client: str, count: int = 1) -> bool:
        """Returns whether the client may do it once more, or `count` times, and counts that."""
        now_s = self._clock_s()
        left, at_s = self._left.pop(client, (float(self._burst), now_s))
        left = min(self._burst, left + (now_s - at_s) * self._per_second)
        allowed = left >= count
        self._left[client] = left - count * allowed, now_s
        while len(self._left) > _MAX_CLIENTS:
            self._left.popitem(last=False)
        return allowed

    def is_exhausted(self, client: str) -> bool:
        """Returns whether `take` would refuse at present."""
        left, at_s = self._left.get(client, (float(self._burst), self._clock_s()))
        return left + (self._clock_s() - at_s) * self._per_second < 1
