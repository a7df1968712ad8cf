# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The service as systemd sees it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from .channel import Refused, say
from .layout import UNIT
from .system import run, try_run

_PROPERTIES = (
    *("ActiveState", "SubState", "StatusText", "MainPID", "InvocationID", "WatchdogTimestampMonotonic", "Result"),
)
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class State:
    """One look at the service."""

    active: str
    """active, activating, failed, inactive, …"""

    sub: str
    status: str
    """What the daemon last said of itself: its latest label."""

    pid: int
    invocation: str
    """Another one for each start."""

    petted_us: int
    """When it last told systemd that it lives; monotonic clock, microseconds."""

    result: str
    """systemd's word for how it ended: success, exit-code, timeout, watchdog, …"""


def state() -> State:
    """Return how the service is."""
    shown = try_run(["systemctl", "show", UNIT, *(f"--property={name}" for name in _PROPERTIES)])
    found = {key: value for key, _, value in (line.partition("=") for line in shown.splitlines())}
    return State(
        found.get("ActiveState", "unknown"),
        found.get("SubState", ""),
        found.get("StatusText", ""),
        int(found.get("MainPID") or 0),
        found.get("InvocationID", ""),
        int(found.get("WatchdogTimestampMonotonic") or 0),
        found.get("Result", ""),
    )


def restart() -> str:
    """Start the service afresh, without waiting for it; return the invocation that ends by it."""
    before = state().invocation
    try_run(["systemctl", "reset-failed", UNIT])  # fails where the unit has never been loaded
    run("systemctl", "restart", "--no-block", UNIT)
    return before


def wait_until_ready(before: str, seconds: float) -> State:
    """Wait for the first classified frame after the invocation `before`, which is when the daemon says READY.

    Raises Refused if it does not come.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = state()
        if now.invocation != before:  # until then it is the old one that we see
            if now.active == "active":
                return now
            if now.active in ("failed", "inactive") or now.sub == "auto-restart":
                raise Refused(f"the service failed to start: {last_words(now)}")
        time.sleep(_LOOK_EVERY_S)
    raise Refused(f"no label came within {seconds:g} s: {last_words(state())}")


def watch(ready: State, seconds: float) -> None:
    """See the service through its first seconds. Raises Refused if it dies, is restarted or falls silent."""
    deadline = time.monotonic() + seconds
    shown = ready.status
    while True:
        now = state()
        if now.active != "active" or now.invocation != ready.invocation:
            raise Refused(f"the service did not stay up: {last_words(ready)}")
        if now.status != shown:
            shown = now.status
            say(shown)
        if time.monotonic() >= deadline:
            break
        time.sleep(_LOOK_EVERY_S)
    if now.petted_us <= ready.petted_us:
        raise Refused(f"no further label came within {seconds:g} s: {last_words(ready)}")


def last_words(of: State) -> str:
    """Return the last line that an invocation wrote, which is where an error says what is wrong."""
    mine = ["_COMM=labelcam", f"_SYSTEMD_INVOCATION_ID={of.invocation}"]
    lines = try_run(["journalctl", "-n", "30", "-o", "cat", "--no-pager", "--quiet", *mine]).splitlines()
    silent = f"it said nothing, systemd says {of.result or 'nothing'}; see make logs"
    return next((line for line in reversed(lines) if line.strip()), silent)
