# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Leaves a Pi as it was before the first flash, its settings and secrets aside."""

from __future__ import annotations

import shutil
from typing import Any

from .files import replace
from .layout import CURRENT, ETC, KEPT_SETTINGS, STATE, UNIT
from .settings import NAME
from .system import try_run
from .system_files import remove_all

_MODE = 0o600
"""Settings may name a camera with its password."""

OLDER = KEPT_SETTINGS.with_name(KEPT_SETTINGS.name + ".old")
"""Other settings that lay where those of the service are kept."""


def uninstall(with_settings: bool) -> dict[str, Any]:
    """Remove everything that flash has put here; the settings and secrets too where `with_settings`."""
    settings = CURRENT / NAME
    older = settings.is_file() and not with_settings and _keep(settings.read_bytes())
    try_run(["systemctl", "disable", "--now", UNIT], timeout_s=60.0)
    try_run(["systemctl", "reset-failed", UNIT])
    remove_all()
    shutil.rmtree(STATE, ignore_errors=True)
    if with_settings:
        shutil.rmtree(ETC, ignore_errors=True)
    return {"kept": str(KEPT_SETTINGS) if KEPT_SETTINGS.is_file() else "", "older": str(OLDER) if older else ""}


def _keep(content: bytes) -> bool:
    """Keep what ran, and return whether there were others there, which are kept beside it."""
    ETC.mkdir(mode=0o755, parents=True, exist_ok=True)
    others = KEPT_SETTINGS.is_file() and KEPT_SETTINGS.read_bytes() != content
    if others:
        replace(OLDER, KEPT_SETTINGS.read_bytes(), _MODE)
    replace(KEPT_SETTINGS, content, _MODE)
    return others
