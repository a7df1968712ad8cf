# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What of a release lies outside of its folder: the unit, its user, the device rules, and who may read what."""

from __future__ import annotations

import pwd
import shutil
from contextlib import suppress
from pathlib import Path

from .layout import CREDENTIALS, DROP_IN, FIRST_BOOT_UNIT, ROOT, SYSTEM_FILES, USER
from .releases import SECRET
from .system import run, try_run

VARIABLES = {"mqtt": "LABELCAM_MQTT_PASSWORD", "webhook": "LABELCAM_WEBHOOK_TOKEN", "http": "LABELCAM_HTTP_TOKEN"}
"""What labelcam calls each secret where it comes from its environment."""


def put_system_files(folder: Path) -> None:
    """Put the unit, the user and the device rules of a release where systemd and udev look for them."""
    make_user(folder)
    changed = [name for name in SYSTEM_FILES if _put(folder, name)]
    _credentials()
    run("systemctl", "daemon-reload")
    if "labelcam.rules" in changed:
        try_run(["udevadm", "control", "--reload"])
        # The devices that are there already get their groups too.
        try_run(["udevadm", "trigger", "--action=change"])


def make_user(folder: Path) -> None:
    """Make sure that the service's user is there, and may read what only it may read."""
    _put(folder, "labelcam.sysusers")
    run("systemd-sysusers", str(SYSTEM_FILES["labelcam.sysusers"]))
    with suppress(KeyError):  # a test's stand-in makes no users
        group = pwd.getpwnam(USER).pw_gid
        for name in SECRET:
            shutil.chown(folder / name, 0, group)
            (folder / name).chmod(0o640)


def _put(folder: Path, name: str) -> bool:
    """Return whether the system had another one."""
    source, target = folder / "system" / name, SYSTEM_FILES[name]
    if target.is_file() and target.read_bytes() == source.read_bytes():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(target.name + ".new")
    shutil.copyfile(source, new)
    new.chmod(0o644)
    new.replace(target)
    return True


def _credentials() -> None:
    """Hand every secret that lies in its folder to the service, and to nobody else."""
    secrets = sorted(path.name for path in CREDENTIALS.iterdir()) if CREDENTIALS.is_dir() else []
    if not secrets:
        DROP_IN.unlink(missing_ok=True)
        return
    DROP_IN.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"LoadCredential={name}:{CREDENTIALS / name}" for name in secrets]
    DROP_IN.write_text("\n".join(["[Service]", *lines, ""]))


def secrets() -> dict[str, str]:
    """Return what systemd will hand to the service, under the names that `labelcam` reads from an environment.

    There it is seen by root and the service's user only, as a credential is; on a command line all would see it.
    """
    found = {variable: CREDENTIALS / name for name, variable in VARIABLES.items()}
    return {
        variable: path.read_text(encoding="utf-8", errors="replace").rstrip("\n")
        for variable, path in found.items()
        if path.is_file()
    }


def remove_all() -> None:
    """Remove what any release has put here."""
    for path in (*SYSTEM_FILES.values(), FIRST_BOOT_UNIT):
        path.unlink(missing_ok=True)
    shutil.rmtree(DROP_IN.parent, ignore_errors=True)
    shutil.rmtree(ROOT, ignore_errors=True)
    run("systemctl", "daemon-reload")
    try_run(["udevadm", "control", "--reload"])
    try_run(["userdel", USER])
