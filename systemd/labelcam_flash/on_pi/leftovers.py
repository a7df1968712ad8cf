# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What was cut short while it was made: nobody uses it, and it is in the way of nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

from .environments import COMPLETE
from .layout import RELEASES, VENVS


def size() -> int:
    """Return how many bytes would be free without it."""
    return sum(_allocated(path) for folder in _found() for path in folder.rglob("*"))


def clear() -> None:
    """Remove it, while no other flash is at work."""
    for folder in _found():
        shutil.rmtree(folder, ignore_errors=True)


def _found() -> list[Path]:
    half_made = [venv for venv in VENVS.glob("*") if not (venv / COMPLETE).is_file()]
    return [*half_made, *RELEASES.glob("*.new")]


def _allocated(path: Path) -> int:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return 0  # another flash is at work
    return found.st_blocks * 512 if found.st_nlink == 1 else 0
