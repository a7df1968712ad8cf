# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Which release has proved itself: while another one is on trial that is on record, whatever cuts the trial short."""

from __future__ import annotations

from pathlib import Path

from .files import replace, settle
from .layout import RELEASES, ROOT, TRIAL
from .links import current


def begin(before: Path | None) -> None:
    """Put on record which release to go back to, before anything of another one is where systemd looks."""
    replace(TRIAL, (before.name if before else "").encode())


def end() -> None:
    """Strike it off: what is live now has proved itself."""
    TRIAL.unlink(missing_ok=True)
    settle(ROOT)


def goes_back_to() -> str | None:
    """Return the name of the proven release while another is on trial, "" if there was none; None without a trial."""
    return TRIAL.read_text() if TRIAL.is_file() else None


def proven() -> Path | None:
    """Return the release that has proved itself: the live one, or the one before it while that is on trial."""
    name = goes_back_to()
    if name is None:
        return current()
    return RELEASES / name if name and (RELEASES / name).is_dir() else None
