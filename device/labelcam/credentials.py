# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Secrets: from systemd's credentials directory, the environment, or a file that nobody else may read."""

import os
import stat
from pathlib import Path

from .errors import SettingsError
from .paths import expanded


def read_credential(name: str, file: str, setting: str) -> str | None:
    """Return the secret called `name`, without the line's end; None where there is none.

    systemd's credential comes first, then its variable in the environment, then the file that `setting` names.
    Raises SettingsError if the file cannot be read or is open to others.
    """
    if folder := os.environ.get("CREDENTIALS_DIRECTORY"):
        credential = Path(folder) / name
        if credential.is_file():
            return _secret(credential)
    if secret := os.environ.get(VARIABLES[name]):
        return secret
    if not file:
        return None
    path = expanded(file)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise SettingsError(f"{setting} {path} has mode {mode:04o}, open to others; run: chmod 600 {path}")
        return _secret(path)
    except OSError as error:
        raise SettingsError(f"{setting} {path} cannot be read ({error.strerror}); check the path") from None


VARIABLES = {
    "mqtt": "LABELCAM_MQTT_PASSWORD",
    "webhook": "LABELCAM_WEBHOOK_TOKEN",
    "http": "LABELCAM_HTTP_TOKEN",
}
"""The environment variable of each secret."""


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except UnicodeDecodeError:
        raise SettingsError(f"the secret in {path} is no UTF-8 text; write it again") from None
