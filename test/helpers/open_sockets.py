# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The network sockets that a process has open, as the kernel lists them."""

import ipaddress
import os
from pathlib import Path


def sockets_of(pid):
    """Returns (address, port) of each UDP socket and each listening TCP socket of a process."""
    inodes = set(_inodes(pid))
    return [
        (address, port)
        for table in ("udp", "udp6", "tcp", "tcp6")
        for address, port, state, inode in _table(Path(f"/proc/{pid}/net/{table}"))
        if inode in inodes and (table.startswith("udp") or state == "0A")
    ]


def _inodes(pid):
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except OSError:
            continue  # closed meanwhile
        if target.startswith("socket:["):
            yield target[len("socket:[") : -1]


def _table(path):
    for line in path.read_text().splitlines()[1:]:
        words = line.split()
        address, _, port = words[1].partition(":")
        yield _dotted(address), int(port, 16), words[3], words[9]


def _dotted(address):
    """Returns the text of an address whose 32-bit words are in hexadecimal and the byte order of this machine."""
    words = [int(address[i : i + 8], 16).to_bytes(4, "little") for i in range(0, len(address), 8)]
    return str(ipaddress.ip_address(b"".join(words)))
