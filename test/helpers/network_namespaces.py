# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two network namespaces with a cable between them: what runs in them is like two machines on one network."""

import os
import shutil
import subprocess

import pytest

ADDRESSES = ("10.78.0.1", "10.78.0.2")


class TwoMachines:
    """The namespaces. Each machine has a loopback, an interface with one of ADDRESSES, and a /dev/shm of its own."""

    def __init__(self):
        self._names = [f"ep{os.getpid()}{side}" for side in "ab"]
        try:
            for name in self._names:
                _ip("netns", "add", name)
            first, second = self._names
            _ip("link", "add", first, "netns", first, "type", "veth", "peer", "name", second, "netns", second)
            for name, address in zip(self._names, ADDRESSES, strict=True):
                _ip("-n", name, "addr", "add", f"{address}/24", "dev", name)
                _ip("-n", name, "link", "set", name, "up")
                _ip("-n", name, "link", "set", "lo", "up")
                _ip("-n", name, "route", "add", "224.0.0.0/4", "dev", name)
                _ip("netns", "exec", name, "bash", "-c", "echo 0 > /proc/sys/net/ipv4/icmp_ratelimit")  # refuse at once
        except subprocess.CalledProcessError as e:
            self.close()
            pytest.skip(f"no two network namespaces can be joined here: {' '.join(e.cmd)}: {e.stderr.strip()}")

    def start(self, machine, command, **options):
        """Starts a command on machine 0 or 1; see subprocess.Popen."""
        inside = 'mount -t tmpfs tmpfs /dev/shm && exec "$@"' if machine else 'exec "$@"'
        enter = ["ip", "netns", "exec", self._names[machine], "unshare", "--mount", "bash", "-c", inside, "bash"]
        return subprocess.Popen([*enter, *command], text=True, **options)

    def close(self):
        for name in self._names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def two_machines_or_skip():
    """Returns the two machines; skips the test, with the reason, where they cannot be made."""
    missing = [tool for tool in ("ip", "unshare") if shutil.which(tool) is None]
    if os.geteuid() != 0:
        missing.append("the right to make namespaces (root)")
    if missing:
        pytest.skip(f"two network namespaces cannot be made here: no {', no '.join(missing)}")
    return TwoMachines()


def _ip(*words):
    subprocess.run(["ip", *words], capture_output=True, text=True, check=True)
