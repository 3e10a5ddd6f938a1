# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two network namespaces joined by a bad link: each packet comes late, some are lost. Run by test_remote_link.py.

The kernel's own means for this (netem) is not in every kernel; a TUN device in each namespace, and this program between
the two, needs root and /dev/net/tun only. Prints the paths of the two namespaces; then answers each line it reads with
the bytes and packets that it has carried from the first to the second so far. All of it is gone when it ends.
"""

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import socket
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
SIOCSIFFLAGS, SIOCGIFFLAGS, SIOCSIFADDR, SIOCSIFDSTADDR, SIOCSIFNETMASK, SIOCSIFTXQLEN = (
    0x8914,
    0x8913,
    0x8916,
    0x8918,
    0x891C,
    0x8943,
)
IFF_UP = 1
ADDRESSES = ("10.77.0.1", "10.77.0.2")
QUEUE = 2000
LARGEST_PACKET = 65_536


def enter_new_namespace():
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
    return os.open("/proc/self/ns/net", os.O_RDONLY)


def request(name, *fields):
    return struct.pack("16s", name.encode()) + b"".join(fields)


def address(dotted):
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(dotted))


def bring_up(control, name):
    flags = struct.unpack("16xh", fcntl.ioctl(control, SIOCGIFFLAGS, request(name, struct.pack("h", 0)))[:18])[0]
    fcntl.ioctl(control, SIOCSIFFLAGS, request(name, struct.pack("h", flags | IFF_UP)))


def open_tun(own, other):
    """Makes a TUN device in the present namespace; returns its file descriptor."""
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, request("link", struct.pack("H22x", IFF_TUN | IFF_NO_PI)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFADDR, request("link", address(own)))
        fcntl.ioctl(control, SIOCSIFDSTADDR, request("link", address(other)))
        fcntl.ioctl(control, SIOCSIFNETMASK, request("link", address("255.255.255.0")))
        fcntl.ioctl(control, SIOCSIFTXQLEN, request("link", struct.pack("i", QUEUE)))
        bring_up(control, "link")
        bring_up(control, "lo")
    return tun


class Link:
    """Carries packets between two TUN devices."""

    def __init__(self, tuns, *, delay_s, loss, seed):
        self._tuns, self._delay_s, self._loss, self._rng = tuns, delay_s, loss, random.Random(seed)
        self._waiting = []  # (due, number, to which device, packet)
        self._number = 0
        self.counts = {"bytes": 0, "packets": 0, "lost": 0}

    def take(self, side):
        """Takes all packets that one side has sent."""
        try:
            while True:
                packet = os.read(self._tuns[side], LARGEST_PACKET)
                self._number += 1
                if self._rng.random() < self._loss:
                    self.counts["lost"] += 1
                else:
                    due_s = time.monotonic() + self._delay_s
                    heapq.heappush(self._waiting, (due_s, self._number, 1 - side, packet))
                if side == 0:
                    self.counts["bytes"] += len(packet)
                    self.counts["packets"] += 1
        except BlockingIOError:
            pass

    def deliver(self):
        """Hands over what is due; returns the seconds until the next is, or None."""
        while self._waiting:
            wait_s = self._waiting[0][0] - time.monotonic()
            if wait_s > 0:
                return wait_s
            _, _, side, packet = heapq.heappop(self._waiting)
            try:
                os.write(self._tuns[side], packet)
            except BlockingIOError:
                self.counts["lost"] += 1
        return None


def main():
    delay_s, loss, seed = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    namespaces, tuns = [], []
    for own, other in (ADDRESSES, ADDRESSES[::-1]):
        namespaces.append(enter_new_namespace())
        tuns.append(open_tun(own, other))
    link = Link(tuns, delay_s=delay_s, loss=loss, seed=seed)
    print(json.dumps([f"/proc/{os.getpid()}/fd/{namespace}" for namespace in namespaces]), flush=True)
    while True:
        ready, _, _ = select.select([*tuns, sys.stdin], [], [], link.deliver())
        for side, tun in enumerate(tuns):
            if tun in ready:
                link.take(side)
        if sys.stdin in ready:
            if not sys.stdin.readline():
                return
            print(json.dumps(link.counts), flush=True)


if __name__ == "__main__":
    main()
