# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Where things lie on the Pi."""

from __future__ import annotations

import os
from pathlib import Path

BASE = Path(os.environ.get("LABELCAM_FLASH_BASE", "/"))
"""Below which all of it lies. sudo does not let the variable through: it serves tests that have no Pi."""

ROOT = BASE / "opt/labelcam"
CURRENT = ROOT / "current"
PREVIOUS = ROOT / "previous"
RELEASES = ROOT / "releases"
VENVS = ROOT / "venvs"
STORE = ROOT / "store"
"""One file per content, named by its sha256; releases hold hard links to them. Only root may look into it."""

TRIAL = ROOT / "on-trial"
"""There while the live release has not proved itself yet; names the one to go back to, if there is one."""

LOCK = BASE / "run/labelcam-flash.lock"
"""Not below ROOT: an uninstallation holds it to its end."""

ETC = BASE / "etc/labelcam"
KEPT_SETTINGS = ETC / "labelcam.toml"
"""What an uninstall leaves behind, and the next installation takes up."""

CREDENTIALS = ETC / "credentials"
"""Secrets, one a file, mode 0600; systemd hands them to the service."""

STATE = BASE / "var/lib/labelcam"

USER = "labelcam"
UNIT = "labelcam.service"
HANDED = BASE / "run/credentials" / UNIT
"""The copies of the secrets that the running service was given."""

_UNITS = BASE / "etc/systemd/system"
SYSTEM_FILES = {
    UNIT: _UNITS / UNIT,
    "labelcam.sysusers": BASE / "etc/sysusers.d/labelcam.conf",
    "labelcam.rules": BASE / "etc/udev/rules.d/60-labelcam.rules",
}
"""Files of a release that systemd and udev want elsewhere."""

FIRST_BOOT_UNIT = _UNITS / "labelcam-first-boot.service"
"""Of a card that `make sdcard` wrote; gone once that has been installed."""

DROP_IN = _UNITS / f"{UNIT}.d" / "credentials.conf"
