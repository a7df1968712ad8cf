# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The settings of a release: a file of its own, for they may be edited where they lie and may name a password."""

from __future__ import annotations

import json
import pwd
import shutil
from pathlib import Path
from typing import Any

from .files import replace, sha256_of
from .layout import USER

NAME = "labelcam.toml"

_MODE = 0o640
"""Only root and the service may read them."""


def lay_down(folder: Path, content: bytes) -> None:
    """Give a release its settings."""
    replace(folder / NAME, content, _MODE, _group())


def let_service_read(folder: Path) -> None:
    """Make sure of it: its user may be younger than the file, and an editor may have made another file."""
    if (group := _group()) is not None:
        shutil.chown(folder / NAME, 0, group)
    (folder / NAME).chmod(_MODE)


def edited(folder: Path) -> bool:
    """Tell whether the settings are others than those that the release was laid out with."""
    told = described(folder)
    path = folder / NAME
    return told is not None and (not path.is_file() or sha256_of(path) != told["files"][NAME]["sha256"])


def described(folder: Path) -> dict[str, Any] | None:
    """Return what a release consists of, as the host has told it; None if there is none."""
    try:
        told: dict[str, Any] = json.loads((folder / "release.json").read_text())
        return told
    except (OSError, ValueError):
        return None


def _group() -> int | None:
    try:
        return pwd.getpwnam(USER).pw_gid
    except KeyError:
        return None  # before the first flash
