# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The folder into which models are written: it may hold any other files, e.g. other models."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from emotion_perception.core.classification import load_spec
from emotion_perception.core.errors import ConfigurationError, ModelBundleError, ModelFileError
from emotion_perception.core.printable import printable
from emotion_perception.reporting.output_folder import OutputFolder


@contextmanager
def model_folder(out: Path, name: str, endings: Sequence[str], *, inputs: Sequence[Path] = ()) -> Iterator[Path]:
    """Yields an empty folder whose files appear in `out` at the end, descriptions last; not after an error.

    Args:
        out: folder, created if absent.
        name: name of the model.
        endings: of the files that are written or, if an earlier export wrote them, removed.
        inputs: files and folders that are read.

    Raises:
        ConfigurationError: the name is a path, or `out` has files of these names that are not of a model.
    """
    if Path(name).name != name or name in ("", ".."):
        raise ConfigurationError(f"'{name}': the name of a model is not a path; --out names the folder")
    if printable(name) != name:  # it is also written into the description, the card and pages
        raise ConfigurationError(f"'{name}': the name of a model has printable letters of UTF-8 only")
    files = [f"{name}{ending}" for ending in endings]
    with (
        OutputFolder(
            out,
            "export",
            writes=files,
            inputs=inputs,
            earlier=lambda folder: _of_model(folder, name, files),
            mixed=True,
        ) as folder,
        folder.replaced(last="*.json") as part,
    ):
        yield part


def copy_files(files: Iterable[Path], folder: Path) -> None:
    """Copies files into a folder; unlike that of `shutil.copy`, an error of writing does not name the file read."""
    for path in files:
        (folder / path.name).write_bytes(path.read_bytes())


def _of_model(folder: Path, name: str, files: Sequence[str]) -> Sequence[str]:
    """Returns the files, if the description among them says that they are of a model; none otherwise."""
    try:
        load_spec(folder / f"{name}.json")
    except (ModelFileError, ModelBundleError):
        return ()
    return files
