# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Keeps a process from taking a shared-memory port of Fast DDS that a killed process has left behind.

A participant listens on ports, files `fastrtps_port<number>` in /dev/shm, and holds a lock on the file with `_el`
appended to the name for as long as it lives. The number follows from domain and participant, so the successor of a
killed process has the same ones. Fast DDS makes a new file for it. A process that writes to the old file leaves it only
if it sees that nobody listens there, and it does not see that if the listener was killed between two messages. It then
writes to the old file for ever, and the successor, or whoever has the number now, never receives anything from it.

A process that is killed while it creates a port leaves an incomplete file, and whoever opens that port waits for its
completion for ever.
"""

import contextlib
import fcntl
import os
import re
import time
from pathlib import Path
from typing import IO

_FOLDER = Path("/dev/shm")
_PORT = re.compile(r"fast(?:rtps|dds)_port(\d+)$")
_MAPPED = re.compile(r"/dev/shm/(fast(?:rtps|dds)_port\d+)( \(deleted\))?$", re.MULTILINE)
_LOCKED = re.compile(r"[0-9a-f]+:[0-9a-f]+:(\d+) ")  # device and inode
_COMPLETE = (2).to_bytes(4, "little")  # the first word of a file of Boost.Interprocess when it is complete
_CREATION_S = 2.0  # a port is created in less than a millisecond, on a busy machine much later
_POLL_S, _INCOMPLETE_PERIOD_S, _RELEASE_PERIOD_S = 0.05, 1.0, 5.0
_FIRST, _DOMAIN_STEP, _MULTICAST = 7400, 250, 10  # of each domain's ports, the first ten are multicast ports, if any


class DeadPorts:
    """Keeps this process away from the ports that killed processes have left behind.

    Those that a living process may still write to are locked, so that Fast DDS takes other ports; incomplete ones are
    removed, which takes up to two seconds where a process was killed just now. To be created before rclpy creates the
    first node. The locks end with this process, or earlier by `release`. Ports of processes of other users cannot be
    known.
    """

    def __init__(self) -> None:
        while not remove_incomplete():
            time.sleep(_POLL_S)
        self._next_check_s, self._next_release_s = 0.0, time.monotonic() + _RELEASE_PERIOD_S
        self._held = {port: lock for port in _dead() if (lock := _locked(port)) is not None}

    def release(self) -> None:
        """Unlocks ports that nobody has open any more, and removes incomplete ones; to be called again and again."""
        now_s = time.monotonic()
        if now_s >= self._next_check_s:
            self._next_check_s = now_s + _INCOMPLETE_PERIOD_S
            remove_incomplete()
        if self._held and now_s >= self._next_release_s:
            self._next_release_s = now_s + _RELEASE_PERIOD_S
            written_to = _written_to()
            for port in [port for port in self._held if port not in written_to]:
                self._held.pop(port).close()


def remove_incomplete() -> bool:
    """Removes the ports that a killed process was about to create.

    Returns:
        False if there are ports that may still be completed: their creation began less than two seconds ago.
    """
    pending = False
    with contextlib.suppress(OSError):
        for path in _FOLDER.iterdir():
            if _PORT.match(path.name):
                pending |= not _is_complete_or_removed(path)
    return not pending


def _is_complete_or_removed(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            age_s = time.time() - os.fstat(file.fileno()).st_mtime
            if file.read(len(_COMPLETE)) == _COMPLETE:
                return True
        if age_s < _CREATION_S:
            return False
        path.unlink()
    except OSError:  # it was removed meanwhile, or belongs to another user
        pass
    return True


def _dead() -> set[str]:
    """Returns the names of the ports that processes have open, but on which none listens.

    The file of such a port may have been removed: one writer has noticed that nobody listens there, others have not.
    Locks are not tried to find out: whatever starts at that moment would take a dead port for a living one.
    """
    try:
        files = {entry.name: entry.inode() for entry in os.scandir(_FOLDER)}
        locked = set(_LOCKED.findall(Path("/proc/locks").read_text(encoding="utf-8")))
    except OSError:
        return set()
    dead = set()
    for port, removed in _written_to().items():
        lock = files.get(f"{port}_el")
        was_listened_to = lock is not None or (removed and port not in files and not _is_multicast(port))
        if was_listened_to and str(lock) not in locked:
            dead.add(port)
    return dead


def _is_multicast(port: str) -> bool:
    match = _PORT.match(port)
    number = int(match[1]) - _FIRST if match else 0
    return number >= 0 and number % _DOMAIN_STEP < _MULTICAST


def _written_to() -> dict[str, bool]:
    """Returns the names of the ports that processes have open, and whether the file of one was removed since."""
    ports: dict[str, bool] = {}
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with contextlib.suppress(OSError):  # it has ended, or belongs to another user
            for port, removed in _MAPPED.findall(maps.read_text(encoding="utf-8", errors="replace")):
                ports[port] = ports.get(port, False) or bool(removed)
    return ports


def _locked(port: str) -> IO[bytes] | None:
    """Returns the locked lock file of a port, None if somebody has it locked or it belongs to another user."""
    try:
        file = open(_FOLDER / f"{port}_el", "ab")  # noqa: SIM115 - see DeadPorts.release
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
