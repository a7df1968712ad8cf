# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What this machine is, and what is installed on it."""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from . import credentials, environments, leftovers, settings, trial
from .layout import CURRENT, KEPT_SETTINGS, ROOT
from .service import state
from .system import try_run

_TIME_ERROR = 5
_TIMEX_BYTES = 512
"""More than any struct timex has; all zero, it only asks."""


def facts() -> dict[str, Any]:
    """Return everything that the host decides by."""
    release, now = _os_release(), state()
    place = next(path for path in (ROOT, *ROOT.parents) if path.is_dir())
    return {
        "model": _text("/proc/device-tree/model").strip("\0\n "),
        "machine": try_run(["uname", "-m"]).strip(),
        "userland": try_run(["dpkg", "--print-architecture"]).strip(),
        "os": release.get("PRETTY_NAME", "an unknown system"),
        "codename": release.get("VERSION_CODENAME", ""),
        "python": list(sys.version_info[:2]),
        "free_bytes": shutil.disk_usage(place).free + leftovers.size(),
        "environments": environments.finished(),
        "cameras": sorted(map(str, Path("/dev").glob("video[0-9]*"))),
        "picamera2": importlib.util.find_spec("picamera2") is not None,
        "clock": time.time(),
        "clock_synced": _clock_synced(),
        "release": settings.described(CURRENT),
        "trial": trial.goes_back_to(),
        "settings": _settings(),
        "settings_edited": settings.edited(CURRENT),
        "secrets_fresh": credentials.fresh(),
        "service": now.active,
        "status": now.status,
    }


def _settings() -> str | None:
    """What lies in the live release, else what an uninstall has left; None if there is neither."""
    for path in (CURRENT / settings.NAME, KEPT_SETTINGS):
        if path.is_file():
            return path.read_bytes().decode(errors="surrogateescape")  # it is the host that says what is wrong with it
    return None


def _os_release() -> dict[str, str]:
    lines = _text("/etc/os-release").splitlines()
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}


def _text(path: Path | str) -> str:
    try:
        return Path(path).read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return ""


def _clock_synced() -> bool:
    # What timedatectl asks, without waking a service for it: adjtimex(2) returns TIME_ERROR if nothing keeps the clock.
    return bool(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) != _TIME_ERROR)
