# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The two links that say which release is live, and which was before."""

from __future__ import annotations

from pathlib import Path

from .files import settle
from .layout import CURRENT, PREVIOUS


def point(name: Path, at: Path) -> None:
    """Let a link name a release, in one step: a power cut leaves the old or the new, never none."""
    new = name.with_name(name.name + ".new")
    new.unlink(missing_ok=True)
    new.symlink_to(at.relative_to(name.parent))
    new.replace(name)
    settle(name.parent)


def current() -> Path | None:
    """Return the release that is live, or None."""
    return _resolved(CURRENT)


def previous() -> Path | None:
    """Return the release that was live before, or None."""
    return _resolved(PREVIOUS)


def _resolved(name: Path) -> Path | None:
    # Not resolve(): where /opt is a link itself, one release would have two names.
    if not name.is_symlink():
        return None
    folder = name.parent / name.readlink()
    return folder if folder.is_dir() else None
