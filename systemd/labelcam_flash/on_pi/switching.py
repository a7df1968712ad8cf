# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Takes a release live, watches it, and goes back by itself if it does not hold."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from . import service, trial
from .channel import Refused, say
from .layout import CURRENT, PREVIOUS, UNIT
from .links import point, previous
from .releases import need, prune
from .system import run, try_run
from .system_files import put_system_files

READY_S = 600.0
"""More than the unit's own TimeoutStartSec, which is what ends a start that takes too long."""


def switch(folder: Path, watch_s: float) -> dict[str, Any]:
    """Make a release live; if it does not come up and stay up for `watch_s`, go back to the one that has proved itself.

    Cut short, it stays on record as on trial.
    """
    need(folder)
    before = trial.proven()
    trial.begin(before)
    try:
        status = _go_live(folder, watch_s)
        if before and before != folder:
            point(PREVIOUS, before)
        trial.end()
    except Exception as failure:  # noqa: BLE001 - whatever it is, the Pi is not left with it
        return _given_up(folder, before, _reason(failure))
    with contextlib.suppress(OSError):  # it is live, whatever cannot be cleared away
        prune()
    return {"rolled_back": False, "status": status}


def settle(folder: Path) -> str:
    """Make a release live on a Pi that nobody watches, and leave it so: its camera may be attached later.

    Returns its first label, or why there is none yet.
    """
    need(folder)
    ended = _start(folder)
    try:
        return service.wait_until_ready(ended, READY_S).status
    except Refused as reason:
        return f"no label yet ({reason}); it goes on trying"


def roll_back(watch_s: float) -> dict[str, Any]:
    """Make the release before this one live again; the two change places. While one is on trial, end that."""
    target = previous() if trial.goes_back_to() is None else trial.proven()
    if target is None:
        raise Refused("there is no earlier release on this Pi to go back to")
    return switch(target, watch_s)


def _go_live(folder: Path, watch_s: float) -> str:
    ready = service.wait_until_ready(_start(folder), READY_S)
    say(ready.status)
    service.watch(ready, watch_s)
    return service.state().status


def _start(folder: Path) -> str:
    """Start a release, and return the invocation that ends by it."""
    put_system_files(folder)
    point(CURRENT, folder)
    run("systemctl", "enable", "--quiet", UNIT)
    ended = service.restart()
    say("waiting for the first label")
    return ended


def _given_up(folder: Path, before: Path | None, reason: str) -> dict[str, Any]:
    try:
        now = _back(before, folder)
        trial.end()
    except Exception as failure:  # noqa: BLE001 - it is told as what it is, and stays on record
        return {"rolled_back": False, "reason": reason, "stuck": _reason(failure)}
    return {"rolled_back": True, "reason": reason, "now": now}


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


def _reason(failure: Exception) -> str:
    return str(failure) if isinstance(failure, Refused) else f"{type(failure).__name__}: {failure}"
