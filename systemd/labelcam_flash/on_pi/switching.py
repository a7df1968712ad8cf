# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Takes a release live, watches it, and goes back by itself if it does not hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import service
from .channel import Refused, say
from .layout import BASE, CURRENT, PREVIOUS, UNIT
from .releases import current, point, previous, prune
from .system import run, try_run
from .system_files import put_system_files, secrets

READY_S = 600.0
"""More than the unit's own TimeoutStartSec, which is what ends a start that takes too long."""

CHECK_S = 240.0


def check(folder: Path, *, camera_may_be_missing: bool = False) -> list[dict[str, Any]]:
    """Run `labelcam check` of a release as the service's user. Raises Refused for what a restart will not mend."""
    busy = service.state().active == "active"
    command = [str(folder / "venv/bin/labelcam"), "check", "--json"]
    command += ["--settings", str(folder / "labelcam.toml"), "--model", str(folder / "model.tflite")]
    as_service = ["runuser", "-u", "labelcam", "--", "env", "STATE_DIRECTORY=/var/lib/labelcam"]
    said = try_run([*as_service, *command], timeout_s=CHECK_S, cwd=str(BASE), environment=secrets())
    try:
        checks: list[dict[str, Any]] = json.loads(said)["checks"]
    except ValueError:
        raise Refused(f"labelcam check gave no answer on the Pi; see what it says there: {' '.join(command)}") from None
    # Whoever is to be told may be away: the service goes on, and looks for them. While the old release holds camera,
    # port and socket the new one cannot have them; the first label will tell.
    bearable = {"mqtt", "webhook"}
    if busy:
        bearable |= {"camera", "http", "jsonl-socket"}
    if camera_may_be_missing:
        bearable.add("camera")
    failed = [found for found in checks if not found["ok"] and found["name"] not in bearable]
    if failed:
        raise Refused(f"{failed[0]['name']}: {failed[0]['detail']}")
    return checks


def switch(folder: Path, watch_s: float) -> dict[str, Any]:
    """Make a release live; if it does not come up and stay up for `watch_s`, go back to the one before."""
    before = current()
    if before == folder and service.state().active == "active":
        return {"rolled_back": False, "status": service.state().status}
    try:
        _go_live(folder, watch_s)
    except Refused as failure:
        return {"rolled_back": True, "reason": str(failure), "now": _back(before, folder)}
    if before and before != folder:
        point(PREVIOUS, before)
    prune()
    return {"rolled_back": False, "status": service.state().status}


def settle(folder: Path) -> str:
    """Make a release live on a Pi that nobody watches, and leave it so: its camera may be attached later.

    Returns its first label, or why there is none yet.
    """
    ended = _start(folder)
    try:
        return service.wait_until_ready(ended, READY_S).status
    except Refused as reason:
        return f"no label yet ({reason}); it goes on trying"


def _go_live(folder: Path, watch_s: float) -> None:
    ready = service.wait_until_ready(_start(folder), READY_S)
    say(ready.status)
    service.watch(ready, watch_s)


def _start(folder: Path) -> str:
    """Start a release, and return the invocation that ends by it."""
    put_system_files(folder)
    point(CURRENT, folder)
    run("systemctl", "enable", "--quiet", UNIT)
    ended = service.restart()
    say("waiting for the first label")
    return ended


def _back(before: Path | None, failed: Path) -> str:
    """Return what is live after going back."""
    if before == failed:
        return f"{failed.name} as it was: it is the very release that was live before"
    if before is None:
        try_run(["systemctl", "disable", "--now", UNIT], timeout_s=60.0)
        CURRENT.unlink(missing_ok=True)
        return "nothing: there was no release before; the service is stopped"
    say(f"going back to {before.name}")
    put_system_files(before)
    point(CURRENT, before)
    ended = service.restart()
    try:
        service.wait_until_ready(ended, READY_S)
    except Refused as failure:
        return f"{before.name}, and it does not come up either: {failure}"
    return f"{before.name}, as before"


def roll_back(watch_s: float) -> dict[str, Any]:
    """Make the release before this one live again; the two change places."""
    target = previous()
    if target is None:
        raise Refused("there is no earlier release on this Pi to go back to")
    return switch(target, watch_s)
