# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Runs `labelcam check` of a release on the Pi itself, before anything of it goes live."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import credentials, service, settings
from .channel import Refused
from .layout import BASE, USER
from .links import current
from .system import try_both

CHECK_S = 240.0

_HELD = {"camera": ("camera", "source"), "http": ("http", "port"), "jsonl-socket": ("jsonl", "socket")}
"""What only one process can have, and the setting that names it."""


def check(folder: Path, *, camera_may_be_missing: bool = False) -> list[dict[str, Any]]:
    """Run it as the service's user. Raises Refused for what a restart will not mend."""
    now = service.state()
    # Whoever is to be told may be away: the service goes on, and looks for them. While the old release holds camera,
    # port and socket, be it ready or not, the new one cannot have them; the first label will tell.
    bearable = {"mqtt", "webhook"}
    if now.pid:
        bearable |= _HELD.keys()
    if camera_may_be_missing:
        bearable.add("camera")
    checks = _run(folder)
    failed = [found for found in checks if not found["ok"] and found["name"] not in bearable]
    if failed:
        raise Refused(f"{failed[0]['name']}: {failed[0]['detail']}")
    return [_plain(found, folder, now) for found in checks]


def _run(folder: Path) -> list[dict[str, Any]]:
    command = [str(folder / "venv/bin/labelcam"), "check", "--json"]
    command += ["--settings", str(folder / settings.NAME), "--model", str(folder / "model.tflite")]
    as_service = ["runuser", "-u", USER, "--", "env", "STATE_DIRECTORY=/var/lib/labelcam", *command]
    said, complaint = try_both(as_service, CHECK_S, cwd=str(BASE), environment=credentials.environment())
    try:
        checks: list[dict[str, Any]] = json.loads(said)["checks"]
    except (ValueError, KeyError, TypeError):
        why = next((line.strip() for line in reversed(complaint.splitlines()) if line.strip()), "it said nothing")
        raise Refused(
            f"labelcam check gave no answer on the Pi ({why}); see what it says there: sudo {' '.join(as_service)}"
        ) from None
    return checks


def _plain(found: dict[str, Any], folder: Path, now: service.State) -> dict[str, Any]:
    """Say it of what fails for no other reason than that the old release has it."""
    name, live = found["name"], current()
    if found["ok"] or name not in _HELD or not now.pid or live is None:
        return found
    if name == "camera" and now.active != "active":
        return found  # the old one waits for it as well
    if _named(live, name) != _named(folder, name):
        return found
    return {**found, "detail": "held by the release that still runs"}


def _named(folder: Path, name: str) -> Any:
    """Return the very camera, port or socket that the settings of a release name; None is the default."""
    import tomllib  # not in the old Pythons that are told so by main

    section, key = _HELD[name]
    try:
        return tomllib.loads((folder / settings.NAME).read_text(encoding="utf-8")).get(section, {}).get(key)
    except (OSError, ValueError):
        return object()  # unlike any other
