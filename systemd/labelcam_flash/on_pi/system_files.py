# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What of a release lies outside of its folder: the unit, its user, the device rules, and who may read what."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import credentials, settings
from .files import replace
from .layout import DROP_IN, FIRST_BOOT_UNIT, ROOT, SYSTEM_FILES, USER
from .system import run, try_run


def put_system_files(folder: Path) -> None:
    """Put the unit, the user and the device rules of a release where systemd and udev look for them."""
    make_user(folder)
    changed = [name for name in SYSTEM_FILES if _put(folder, name)]
    credentials.hand_over()
    run("systemctl", "daemon-reload")
    if "labelcam.rules" in changed:
        try_run(["udevadm", "control", "--reload"])
        # The devices that are there already get their groups too.
        try_run(["udevadm", "trigger", "--action=change"])


def make_user(folder: Path) -> None:
    """Make sure that the service's user is there, and may read what only it may read."""
    _put(folder, "labelcam.sysusers")
    run("systemd-sysusers", str(SYSTEM_FILES["labelcam.sysusers"]))
    settings.let_service_read(folder)


def _put(folder: Path, name: str) -> bool:
    """Return whether the system had another one."""
    source, target = folder / "system" / name, SYSTEM_FILES[name]
    if target.is_file() and target.read_bytes() == source.read_bytes():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    replace(target, source.read_bytes())
    return True


def remove_all() -> None:
    """Remove what any release has put here."""
    for path in (*SYSTEM_FILES.values(), FIRST_BOOT_UNIT):
        path.unlink(missing_ok=True)
    shutil.rmtree(DROP_IN.parent, ignore_errors=True)
    shutil.rmtree(ROOT, ignore_errors=True)
    run("systemctl", "daemon-reload")
    try_run(["udevadm", "control", "--reload"])
    try_run(["userdel", USER])
