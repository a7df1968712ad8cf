# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Files that a power cut leaves old or new, never half and never none."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_PIECE = 1 << 18


def replace(path: Path, content: bytes, mode: int = 0o644, group: int | None = None) -> None:
    """Give a file another content, in one step; nobody whom `mode` keeps out ever sees it."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        if group is not None:
            os.fchown(file.fileno(), 0, group)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    settle(path.parent)


def settle(path: Path) -> None:
    """Wait until a file or folder is on the disk, where a power cut leaves it alone."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def sha256_of(path: Path) -> str:
    """Return the checksum of a file."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(_PIECE), b""):
            whole.update(piece)
    return whole.hexdigest()
