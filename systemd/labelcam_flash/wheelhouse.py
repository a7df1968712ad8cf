# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The wheels that a target needs, fetched once and checked by hash, and our own built beside them."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from labelcam.console import note, step

from .ctrl_c import child, pause
from .errors import FlashFailed
from .target import Target

ROOT = Path(__file__).resolve().parents[2]

_SOURCES = ("device", "converter", "pyproject.toml", "README.md", "LICENSE", "NOTICE")
"""What our own wheel is made of."""

_SUM = "sha256"
"""A file beside our own wheel, as it was built."""


def wheelhouse(target: Target, cache: Path) -> list[Path]:
    """Return every wheel of a release, ours among them. Raises FlashFailed if one cannot be fetched or built."""
    with alone(cache):
        return [*_pinned(target, cache), own_wheel(cache)]


@contextmanager
def alone(cache: Path) -> Iterator[None]:
    """Let one at a time fetch and build: several Pis are flashed side by side, and from several terminals."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        while not _locked(lock):
            pause(0.1)  # a thread that the kernel has wait would not hear of Ctrl-C
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pinned(target: Target, cache: Path) -> list[Path]:
    lists = [ROOT / "constraints" / f"{name}.txt" for name in (target.name, "installer")]
    folder = cache / f"{target.name}-{_checksum(lists)}"
    if folder.is_dir() and not _are_pinned(sorted(folder.glob("*.whl")), lists):
        note(f"  {folder}: a wheel is damaged or gone; they are fetched anew")
        shutil.rmtree(folder)
    if not folder.is_dir():
        with step(f"fetching the wheels for {target.name}"), _unfinished(folder) as new:
            for pins in lists:
                _download(target, pins, Path(new))
            Path(new).rename(folder)
    return sorted(folder.glob("*.whl"))


def own_wheel(cache: Path) -> Path:
    """Return the wheel of this very tree, for whoever is `alone`: the same sources give the same wheel and release."""
    sources = [ROOT / name for name in _SOURCES]
    files = [path for source in sources for path in (sorted(source.rglob("*")) if source.is_dir() else [source])]
    folder = cache / f"own-{_checksum([path for path in files if path.is_file() and path.suffix != '.pyc'])}"
    if not _is_whole(folder):
        for old in cache.glob("own-*"):
            shutil.rmtree(old)
        with step("building labelcam's wheel"), _unfinished(folder) as new:
            _pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", new, str(ROOT))
            (wheel,) = Path(new).glob("*.whl")
            (Path(new) / _SUM).write_text(_sha256(wheel))
            Path(new).rename(folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _is_whole(folder: Path) -> bool:
    return (folder / _SUM).is_file() and [(folder / _SUM).read_text()] == [*map(_sha256, folder.glob("*.whl"))]


def _unfinished(folder: Path) -> "tempfile.TemporaryDirectory[str]":
    """A folder beside another one, to be given its name when it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder.parent, ignore_cleanup_errors=True)


def _download(target: Target, pins: Path, folder: Path) -> None:
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in range(target.glibc, 16, -1)]
    python = "".join(map(str, target.python))
    _pip(
        *("download", "--only-binary=:all:", "--require-hashes", "--no-deps", "--dest", str(folder)),
        *(*platforms, "--platform=manylinux2014_aarch64", f"--python-version={python}"),
        *("--implementation=cp", f"--abi=cp{python}", "--abi=abi3", "--abi=none", "--requirement", str(pins)),
    )


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    # A fixed date, the first that a zip can hold: without it each build would be another wheel.
    surroundings = {**os.environ, "SOURCE_DATE_EPOCH": "315532800"}
    with child(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings) as process:
        out, err = (stream.decode(errors="replace") for stream in process.communicate())
    if process.returncode:
        complaints = (err or out).splitlines()
        said = next((line for line in complaints if line.startswith("ERROR")), "ERROR: it said nothing")
        raise FlashFailed(f"pip {arguments[0]}: {said[7:]}; check this computer's network, then run it again")


def _checksum(files: list[Path]) -> str:
    whole = hashlib.sha256()
    for path in files:
        whole.update(f"{path.relative_to(ROOT)}\0".encode() + _sha256(path).encode())
    return whole.hexdigest()[:12]


def _are_pinned(wheels: list[Path], lists: list[Path]) -> bool:
    """Whether they are all there, each as its list has it: what has changed in the cache must not be given a hash."""
    pins = "\n".join(path.read_text() for path in lists)
    count = len(re.findall(r"^[\w.-]+==", pins, re.MULTILINE))
    return len(wheels) == count and {*map(_sha256, wheels)} <= {*re.findall(r"--hash=sha256:(\w{64})", pins)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
