# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The entry on the Pi: one request in, one answer out."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

from .channel import Refused, answer, refuse, say
from .layout import LOCK, RELEASES, ROOT


def main() -> None:
    """Read the request from stdin and do it."""
    request = json.loads(sys.stdin.buffer.readline())
    os.umask(0o022)  # what follows is read by the service's user, whatever root's habits are
    if sys.version_info < (3, 9):  # noqa: UP036, it runs on whatever the Pi has
        refuse("the Pi's system is too old; use Raspberry Pi OS Bookworm or Trixie, 64-bit")
        return
    try:
        answer(_do(request["do"], request))
    except Refused as reason:
        refuse(str(reason))
    except OSError as error:
        refuse(f"{error.filename or 'the disk'}: {error.strerror}; make room on the Pi, or look at its card")


def _do(what: str, request: dict[str, Any]) -> Any:
    if what == "facts":
        from .facts import facts

        return facts()
    with _alone():
        if what == "held":
            from .store import held

            return held(request["wanted"])
        if what == "receive":
            from .store import receive

            return receive(sys.stdin.buffer)
        return _change(what, request)


def _change(what: str, request: dict[str, Any]) -> Any:
    from . import releases, switching, system_files, uninstalling

    if what == "prepare":
        folder = releases.assemble(request["release"])
        system_files.make_user(folder)
        releases.install(folder)
        return switching.check(folder, camera_may_be_missing=request.get("camera_may_be_missing", False))
    if what == "switch":
        return switching.switch(RELEASES / request["id"], request["watch_s"])
    if what == "settle":
        return switching.settle(RELEASES / request["id"])
    if what == "rollback":
        return switching.roll_back(request["watch_s"])
    if what == "clock":
        # Without a network the Pi has no idea of the date, and every log would carry a wrong one.
        time.clock_settime(time.CLOCK_REALTIME, request["seconds"])
        return None
    if what == "uninstall":
        return uninstalling.uninstall(request["with_settings"])
    raise Refused(f"{what}: not known here")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep two hosts from flashing the same Pi at once."""
    ROOT.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another flash is at work on this Pi; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
