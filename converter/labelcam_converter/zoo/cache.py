# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The folder where fetched weights are kept, so that the network is asked only once."""

import hashlib
import logging
import os
import tempfile
from pathlib import Path

from labelcam.errors import LabelcamError

log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return labelcam's folder below `$XDG_CACHE_HOME`, by default ~/.cache/labelcam; it need not exist."""
    # The XDG base directory specification: an unset, empty or relative value means the default.
    root = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (root if root.is_absolute() else Path.home() / ".cache") / "labelcam"


def keras_folder() -> Path:
    """Return the folder where Keras keeps the weights it fetched; it need not exist."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".keras") / "models"


def sha256_of(path: Path) -> str:
    """Return the checksum of a file. Raises LabelcamError if it cannot be read."""
    return _digest(path, "sha256")


def md5_of(path: Path) -> str:
    """Return the checksum that Keras publishes of its files, against damage and not against forgery."""
    return _digest(path, "md5")


def _digest(path: Path, kind: str) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, kind).hexdigest()
    except OSError as error:
        raise LabelcamError(f"{path}: cannot be read ({error.strerror}); check the path") from None


def is_cached(path: Path, sha256: str) -> bool:
    """Whether the cache holds this very file; a damaged one is reported, and counts as absent."""
    if not path.is_file():
        return False
    if sha256_of(path) == sha256:
        return True
    log.warning("%s: is damaged (its checksum is wrong) and is fetched again", path)
    return False


def keep(path: Path, data: bytes) -> None:
    """Write a file into the cache, whole or not at all. Raises LabelcamError if the disk does not take it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            whole = Path(folder) / path.name
            whole.write_bytes(data)
            whole.replace(path)
    except OSError as error:
        remedy = "free some space, or set XDG_CACHE_HOME (KERAS_HOME for Keras' weights) to another folder"
        raise LabelcamError(f"{path}: cannot be written ({error.strerror}); {remedy}") from None
