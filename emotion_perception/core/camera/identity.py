# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Names a camera source, without what must not be shown."""

import contextlib
import os
import re
from pathlib import Path

from emotion_perception.core.errors import ConfigurationError
from emotion_perception.core.paths import local_path

_PASSWORD = re.compile(r"(://[^/?#:@]*:).*@", re.DOTALL)  # to the last @: one that is not encoded may have / ? # and @
_USER_INFO = re.compile(r"(://)(?:[^/?#:@]*:.*|[^/?#]*)@", re.DOTALL)
_SECRET_VALUE = re.compile(
    r"([^&;/?#=]*(?:pas|psw|pw|token|key|secret|auth|cred|sig)[^&;/?#=]*=)[^&;/#]*", re.IGNORECASE
)
_SYSFS = Path("/sys/class/video4linux")


def device_path(video_device: str) -> str:
    """Returns the path that `video_device` names: digits are the index of a V4L2 device, see `local_path` for `file://`."""
    name = video_device.strip()
    if name.lower().startswith("file://"):
        with contextlib.suppress(ConfigurationError):  # of another machine: a path that does not exist
            return str(local_path(name))
    return f"/dev/video{int(name)}" if name.isascii() and name.isdigit() else name.removeprefix("file://")


def without_password(url: str) -> str:
    """Returns an address without its password, also one in its path or query; for logs."""
    return _SECRET_VALUE.sub(r"\1***", _PASSWORD.sub(r"\1***@", url)) if "://" in url else url


def source_identity(video_device: str, sysfs: Path = _SYSFS) -> str:
    """Returns what identifies a source in /diagnostics.

    Args:
        video_device: the option of that name.
        sysfs: where the kernel lists V4L2 devices.

    Returns:
        A device's path, with name and serial number as far as the kernel knows them; a stream's address without user,
        password and query; else the path of the file or folder, or `synthetic`.
    """
    path = device_path(video_device)
    if "://" in path:
        return without_password(_USER_INFO.sub(r"\1", path).partition("?")[0].partition("#")[0])
    if not path.startswith("/dev/"):
        return path
    entry = sysfs / Path(os.path.realpath(path)).name
    serial = _first_line(entry / "device" / ".." / "serial")  # of the USB device whose interface the camera is
    details = [_first_line(entry / "name"), f"serial {serial}" if serial else ""]
    return " ".join([path, *(f"({detail})" for detail in details if detail)])


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
    except OSError:
        return ""
