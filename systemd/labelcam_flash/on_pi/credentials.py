# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Secrets: one a file, handed to the service by systemd and to nobody else."""

from __future__ import annotations

from pathlib import Path

from . import service
from .files import replace
from .layout import CREDENTIALS, DROP_IN, HANDED

VARIABLES = {"mqtt": "LABELCAM_MQTT_PASSWORD", "webhook": "LABELCAM_WEBHOOK_TOKEN", "http": "LABELCAM_HTTP_TOKEN"}
"""What labelcam calls each secret where it comes from its environment."""


def hand_over() -> None:
    """Have systemd hand every secret to the service when it starts the next time."""
    names = sorted(_in(CREDENTIALS))
    if not names:
        DROP_IN.unlink(missing_ok=True)
        return
    DROP_IN.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"LoadCredential={name}:{CREDENTIALS / name}" for name in names]
    replace(DROP_IN, "\n".join(["[Service]", *lines, ""]).encode())


def fresh() -> bool:
    """Tell whether the service has the secrets as they are now; one that does not run will get them when it starts.

    systemd keeps what it has handed over for as long as the process runs, where root can read it.
    """
    return service.state().pid == 0 or _in(HANDED) == _in(CREDENTIALS)


def environment() -> dict[str, str]:
    """Return what systemd will hand to the service, under the names that `labelcam` reads from an environment.

    There it is seen by root and the service's user only, as a credential is; on a command line all would see it.
    """
    found = _in(CREDENTIALS)
    return {
        variable: found[name].decode(errors="replace").rstrip("\n")
        for name, variable in VARIABLES.items()
        if name in found
    }


def _in(folder: Path) -> dict[str, bytes]:
    # Not what an editor leaves beside a file that is open in it.
    files = (path for path in folder.glob("*") if path.is_file() and not path.name.startswith("."))
    return {path.name: path.read_bytes() for path in files}
