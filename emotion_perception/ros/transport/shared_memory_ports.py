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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_FOLDER = Path("/dev/shm")
_LOCK = re.compile(r"fast(?:rtps|dds)_port\d+_el$")
_MAPPED = re.compile(r"/dev/shm/(fast(?:rtps|dds)_port\d+)$", re.MULTILINE)
_PORT = re.compile(r"fast(?:rtps|dds)_port\d+$")
_COMPLETE = (2).to_bytes(4, "little")  # the first word of a file of Boost.Interprocess when it is complete
_CREATION_S, _CHECK_PERIOD_S, _POLL_S = (
    2.0,
    1.0,
    0.05,
)  # a port is created in less than a millisecond, on a busy machine much later
_LOCKED = re.compile(r"[0-9a-f]+:[0-9a-f]+:(\d+) ")  # device and inode


@dataclass(frozen=True)
class HeldPort:
    """A port of a killed process, locked by this one.

    Attributes:
        path: its file.
        inode: of the file when it was locked.
        lock: the locked file.
    """

    path: Path
    inode: int
    lock: IO[bytes]

    def is_open(self) -> bool:
        """Returns whether a process still has the port open: Fast DDS removes the file when the last one closes it."""
        try:
            return self.path.stat().st_ino == self.inode
        except OSError:
            return False


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
        self._next_check_s = 0.0
        dead = {path.name.removesuffix("_el"): path for path in _unlocked()}
        ports = [_hold(port, dead[port]) for port in (_written_to() & dead.keys() if dead else ())]
        self._held = [port for port in ports if port is not None]

    def release(self) -> None:
        """Unlocks ports that nobody has open any more, and removes incomplete ones; to be called again and again."""
        if time.monotonic() >= self._next_check_s:
            self._next_check_s = time.monotonic() + _CHECK_PERIOD_S
            remove_incomplete()
        for port in [port for port in self._held if not port.is_open()]:
            self._held.remove(port)
            port.lock.close()


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


def _unlocked() -> Iterator[Path]:
    """Yields the lock files that nobody has locked.

    They are not locked to find out: whatever starts at that moment would take a dead port for a living one.
    """
    with contextlib.suppress(OSError):
        locked = set(_LOCKED.findall(Path("/proc/locks").read_text(encoding="utf-8")))
        for path in _FOLDER.iterdir():
            if _LOCK.match(path.name) and str(path.stat().st_ino) not in locked:
                yield path


def _written_to() -> set[str]:
    """Returns the names of the ports that processes have open."""
    ports: set[str] = set()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with contextlib.suppress(OSError):  # it has ended, or belongs to another user
            ports.update(_MAPPED.findall(maps.read_text(encoding="utf-8", errors="replace")))
    return ports


def _hold(name: str, lock: Path) -> HeldPort | None:
    path = _FOLDER / name
    try:
        file = open(lock, "rb")  # noqa: SIM115 - see DeadPorts.release
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return HeldPort(path, path.stat().st_ino, file)
    except OSError:  # somebody has taken or removed the port meanwhile
        file.close()
        return None
