# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The port of the server: the one that was named, or the next free one."""

import errno
import socket

from emotion_perception.core.errors import ConfigurationError

_TRIES = 50
_LAST = 65535
_UNSENT_MS = 20_000  # a client that takes nothing of an answer for so long has left


def bound_socket(host: str, port: int) -> socket.socket:
    """Returns a listening socket on a port, or on the next free one of the 50 after it.

    Its connections are closed when a client has taken nothing of an answer for 20 s.

    Args:
        host: address or name that the socket is bound to.
        port: 0 takes any free one.

    Raises:
        ConfigurationError: the host is none of this machine, or there is no free port.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError) as e:
        raise ConfigurationError(f"host {host}: {getattr(e, 'strerror', None) or e}") from e
    for number in range(port, min(port + _TRIES, _LAST) + 1):
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNSENT_MS)  # inherited by its connections
        try:
            listening.bind((address[0], number, *address[2:]))
            listening.listen(128)
            return listening
        except OSError as e:
            listening.close()
            if e.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise ConfigurationError(f"host {host}, port {number}: {e.strerror}") from e
            if port == 0:
                break
    raise ConfigurationError(f"port {port} and those after it are taken or need another user")
