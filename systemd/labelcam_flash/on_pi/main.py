# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The entry on the Pi: one request in, one answer out."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from typing import Any

from .channel import Refused, answer, refuse, say
from .layout import LOCK, RELEASES


def main() -> None:
    """Read the request from stdin and do it."""
    os.umask(0o022)  # what follows is read by the service's user, whatever root's habits are
    if sys.version_info < (3, 9):  # noqa: UP036, it runs on whatever the Pi has
        refuse("the Pi's system is too old; use Raspberry Pi OS Bookworm or Trixie, 64-bit")
        return
    try:
        request = json.loads(sys.stdin.buffer.readline())
        answer(_do(request["do"], request))
    except Refused as reason:
        refuse(str(reason))
    except OSError as error:
        refuse(f"{error.filename or 'the disk'}: {error.strerror}; {_remedy(error)}")
    except Exception as error:  # noqa: BLE001 - without an answer the host would take it for a broken connection
        refuse(f"a fault of ours on the Pi, {type(error).__name__} at {_place(error)}: {error}; please report it")


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room on the Pi, then run it again"
    if error.errno in (errno.EIO, errno.EROFS, errno.EUCLEAN):
        return "the Pi's card may be failing; see sudo dmesg there"
    return f"seen at {_place(error)}; run it again, and report it if that does not help"


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = [frame for frame in frames if "on_pi" in frame.filename][-1]
    return f"{os.path.basename(last.filename)}:{last.lineno}"  # noqa: PTH119 - of a path within a zip


def _do(what: str, request: dict[str, Any]) -> Any:
    if what == "facts":
        from .facts import facts

        return facts()
    with _alone(only_looks=what == "held"):
        if what == "held":
            from .store import held

            return held(request["wanted"])
        if what == "receive":
            from . import leftovers
            from .store import receive

            leftovers.clear()
            return receive(sys.stdin.buffer)
        return _change(what, request)


def _change(what: str, request: dict[str, Any]) -> Any:
    from . import checking, editing, environments, leftovers, releases, switching, system_files, uninstalling

    if what == "prepare":
        leftovers.clear()
        editing.set_apart(str(request["release"]["id"]))
        folder = releases.assemble(request["release"])
        system_files.make_user(folder)
        environments.install(folder)
        return checking.check(folder, camera_may_be_missing=request.get("camera_may_be_missing", False))
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
def _alone(*, only_looks: bool) -> Iterator[None]:
    """Keep two hosts from flashing the same Pi at once. Who only looks leaves nothing behind, not even the lock."""
    if only_looks and not LOCK.exists():
        yield
        return
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another flash is at work on this Pi; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
