# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Output folders: every command that writes into a folder does it through `OutputFolder`.

A command replaces and removes only files that it wrote itself. Their names are in the marker, a file
`.emotion_perception.json` in the folder, with the command and its version.
"""

import errno
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any

from emotion_perception.core.atomic_files import write_atomically
from emotion_perception.core.errors import ConfigurationError, EmotionPerceptionError
from emotion_perception.core.printable import printable
from emotion_perception.core.regular_files import MIB, read_regular
from emotion_perception.reporting.provenance import now, package_version

MARKER = ".emotion_perception.json"
_NEW_MARKER = f".{Path(MARKER).stem}.*{Path(MARKER).suffix}"  # while another process writes it, see `atomic_path`
_PART = ".emotion_perception-part-"
_FORMAT = 1
_NO_CONTENT = {".DS_Store", ".gitignore", ".gitkeep", "lost+found"}  # an otherwise empty folder may have them
_NO_LOCKS = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP}  # e.g. of a folder on NFS


class OutputFolder:
    """A folder in which one command writes, locked while it does; a context manager.

    It is new, empty, or holds results of the same command. Files of other names in it are left alone. A folder that is
    created and in which nothing is written is removed again.

    Args:
        path: the folder, created if absent.
        command: the command that writes, e.g. `train`.
        writes: names or patterns (`*.png`) of the files and folders that the command writes into the folder.
        inputs: files and folders that the command reads.
        earlier: returns the names of files that an earlier version of the command wrote into a folder without marker.
        mixed: whether the folder may hold files of any kind, as a folder of models does; the command then also replaces
            files that other commands of this package wrote.
        concurrent: whether several processes of the command may write at the same time.

    Raises:
        ConfigurationError: the folder cannot be used; the message is one line that says why and what to do.

    Attributes:
        path: the folder.
    """

    def __init__(
        self,
        path: Path,
        command: str,
        *,
        writes: Sequence[str],
        inputs: Sequence[Path] = (),
        earlier: Callable[[Path], Collection[str]] = lambda _: (),
        mixed: bool = False,
        concurrent: bool = False,
    ) -> None:
        self.path = path
        self._command, self._writes, self._inputs = command, tuple(writes), tuple(inputs)
        self._earlier, self._mixed, self._concurrent = earlier, mixed, concurrent
        self._owned: set[str] = set()
        self._others: set[str] = set()  # written by other commands, in a mixed folder
        self._lock: int | None = None
        self._created = False

    def __enter__(self) -> "OutputFolder":
        try:
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def owned(self) -> frozenset[str]:
        """Names of the files that the command wrote into the folder."""
        return frozenset(self._owned)

    def claim(self, *names: str) -> None:
        """Notes in the marker that the command writes these files; call it before the first one is written.

        Raises:
            ConfigurationError: the command did not write a file that has one of the names, or an input has it.
        """
        if self._concurrent:
            self._owned |= _files(_read_marker(self.path), self._command)
        for name in names:
            self._check_name(name)
        self._owned |= set(names)
        self._write_marker()

    def remove(self, *names: str) -> None:
        """Removes files and folders, of these names the ones that the command wrote."""
        for name in (self._owned | self._others) & set(names):
            _delete(self.path / name)
        self._owned -= set(names)
        self._write_marker()

    @contextmanager
    def replaced(self, *, last: str = "") -> Iterator[Path]:
        """Yields an empty folder whose content takes the place of the command's earlier results.

        After an error or a kill the earlier results are as they were. An error names a file by its path in the folder.

        Args:
            last: name or pattern of files that are published last: where they are, the results are complete.

        Raises:
            ConfigurationError: see `claim`.
        """
        part = self.path / f"{_PART}{secrets.token_hex(8)}"
        try:
            part.mkdir()
            try:
                yield part
                self._publish(part, last)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        except EmotionPerceptionError as e:
            e.args = (str(e).replace(printable(str(part)), printable(str(self.path))),)
            raise
        except OSError as e:
            if e.filename is None:
                raise OSError(e.errno, e.strerror or str(e), str(self.path)) from e
            raise OSError(e.errno, e.strerror, str(e.filename).replace(str(part), str(self.path))) from e

    def _publish(self, part: Path, last: str) -> None:
        names = sorted(os.listdir(part), key=lambda name: (fnmatchcase(name, last), name))
        self.claim(*names)
        earlier = {name for name in self._owned | self._others if self._is_written(name)}
        self.remove(*(name for name in earlier if name not in names or fnmatchcase(name, last)))
        self.claim(*names)
        for name in names:
            if _is_folder(part / name) or _is_folder(self.path / name):
                _delete(self.path / name)
            os.replace(part / name, self.path / name)

    def _open(self) -> None:
        with _as_one_line(self.path):
            self._created = not os.path.lexists(self.path)
            if not self._created and not self.path.is_dir():
                raise ConfigurationError(f"{self.path}: not a folder; give the path of a folder for the results")
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            self._acquire_lock()
            if not self._concurrent:
                for left_over in self.path.glob(f"{_PART}*"):  # of a process that was killed
                    shutil.rmtree(left_over, ignore_errors=True)
            self._check()
            for written in sorted(os.listdir(self.path)):
                if self._is_written(written):
                    self._check_name(written)
                    self._check_kind(written)
            self._check_inputs()

    def _acquire_lock(self) -> None:
        assert self._lock is not None
        try:
            fcntl.flock(self._lock, (fcntl.LOCK_SH if self._concurrent else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"{self.path}: another process{_holder(self._lock)} is writing there: "
                "wait until it has ended, or give another folder"
            ) from None
        except OSError as e:
            if e.errno not in _NO_LOCKS:
                raise

    def _check(self) -> None:
        """Reads whose results the folder holds; raises ConfigurationError if it holds others than the command's."""
        commands = _read_marker(self.path)
        self._owned = _files(commands, self._command)
        if self._mixed:
            self._others = {name for command in commands for name in _files(commands, command)}
            self._others |= set(self._earlier(self.path))
            return
        if self._command in commands:
            return
        if commands:
            written = " and ".join(f"'{command}'" for command in commands)
            raise ConfigurationError(f"{self.path}: holds results of {written}: give another folder for the results")
        self._owned = set(self._earlier(self.path))
        names = sorted(os.listdir(self.path))
        foreign = [name for name in names if name not in _NO_CONTENT and not fnmatchcase(name, _NEW_MARKER)]
        if foreign and not self._owned:
            raise ConfigurationError(
                f"{self.path}: has files that '{self._command}' did not write, e.g. {foreign[0]}: "
                "give a new or an empty folder for the results"
            )

    def _check_name(self, name: str) -> None:
        if name not in self._owned | self._others and os.path.lexists(self.path / name):
            raise ConfigurationError(
                f"{self.path / name}: not written by '{self._command}', which would replace it: "
                "move it away, or give another folder for the results"
            )

    def _check_kind(self, name: str) -> None:
        """Refuses a folder under the name of a file: all of it would go. Folders of results have no suffix."""
        if Path(name).suffix and _is_folder(self.path / name):
            raise ConfigurationError(
                f"{self.path / name}: a folder, not the file that '{self._command}' wrote: "
                "move it away, or give another folder for the results"
            )

    def _check_inputs(self) -> None:
        folder = Path(os.path.realpath(self.path))
        for path in self._inputs:
            real = Path(os.path.realpath(path))
            if real == folder and not self._mixed:
                raise ConfigurationError(f"{path}: is read, so the results need another folder")
            if real != folder and real.is_relative_to(folder) and self._is_written(real.relative_to(folder).parts[0]):
                raise ConfigurationError(
                    f"{path}: is read, but the results in {self.path} would replace it: "
                    "give another folder for the results"
                )

    def _is_written(self, name: str) -> bool:
        return name != MARKER and any(fnmatchcase(name, pattern) for pattern in self._writes)

    def _write_marker(self) -> None:
        entry = {"version": package_version(), "date": now(), "files": sorted(self._owned)}
        content = {"format": _FORMAT, "commands": {**_read_marker(self.path), self._command: entry}}
        write_atomically(self.path / MARKER, json.dumps(content, indent=2) + "\n")

    def _close(self) -> None:
        if self._created:
            with suppress(OSError):  # it has content
                self.path.rmdir()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _holder(locked: int) -> str:
    """Returns ` ID` of the process that holds the lock of an open file, an empty string if the system does not tell."""
    status = os.fstat(locked)
    file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    try:
        rows = [row.split() for row in Path("/proc/locks").read_text("ascii").splitlines()]
    except OSError:
        return ""
    return next((f" {row[4]}" for row in rows if row[1] == "FLOCK" and row[5] == file and int(row[4]) > 0), "")


def is_output_of(folder: Path, command: str) -> bool:
    """Returns whether a command has written results into a folder, by the folder's marker."""
    try:
        return command in _read_marker(folder)
    except ConfigurationError:
        return False


@contextmanager
def _as_one_line(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise ConfigurationError(f"{path}: cannot be used for the results: {e.strerror or e}") from e


def _read_marker(folder: Path) -> dict[str, Any]:
    """Returns the entry of each command in a folder's marker; nothing where there is no marker.

    Raises:
        ConfigurationError: it is not a marker that this version can read.
    """
    path = folder / MARKER
    try:
        content = json.loads(read_regular(path, MIB))
        if content["format"] == _FORMAT:
            return {
                str(name): {**entry, "files": [file for file in map(str, entry["files"]) if _is_plain(file)]}
                for name, entry in content["commands"].items()
            }
        reason = f"format {content['format']}, but this version reads {_FORMAT}"
    except FileNotFoundError:
        return {}
    except OSError as e:
        reason = str(e.strerror)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        reason = "not a marker of this package"
    raise ConfigurationError(f"{path}: {reason}: give another folder for the results")


def _files(commands: Mapping[str, Any], command: str) -> set[str]:
    return set(commands[command]["files"]) if command in commands else set()


def _is_plain(name: str) -> bool:
    """Returns whether a name of a marker is that of an entry of its folder; no other one is taken from a marker."""
    return name == os.path.basename(name) and name not in ("", ".", "..")


def _is_folder(path: Path) -> bool:
    """Returns whether a path is a folder itself, not a link to one."""
    return path.is_dir() and not path.is_symlink()


def _delete(path: Path) -> None:
    if _is_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
