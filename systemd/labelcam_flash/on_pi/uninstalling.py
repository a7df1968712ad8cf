# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Leaves a Pi as it was before the first flash, its settings and secrets aside."""

from __future__ import annotations

import shutil
from typing import Any

from .layout import CURRENT, ETC, KEPT_SETTINGS, STATE, UNIT
from .system import try_run
from .system_files import remove_all


def uninstall(with_settings: bool) -> dict[str, Any]:
    """Remove everything that flash has put here; the settings and secrets too where `with_settings`."""
    settings = CURRENT / "labelcam.toml"
    if settings.is_file() and not with_settings:
        ETC.mkdir(mode=0o755, parents=True, exist_ok=True)
        KEPT_SETTINGS.touch(mode=0o600)  # they may name a camera with its password
        KEPT_SETTINGS.write_bytes(settings.read_bytes())
    try_run(["systemctl", "disable", "--now", UNIT], timeout_s=60.0)
    try_run(["systemctl", "reset-failed", UNIT])
    remove_all()
    shutil.rmtree(STATE, ignore_errors=True)
    if with_settings:
        shutil.rmtree(ETC, ignore_errors=True)
    return {"kept": str(KEPT_SETTINGS) if KEPT_SETTINGS.is_file() else ""}
