# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C: Python tells the main thread alone, so what the others wait for is ended, and they begin nothing more.

A terminal tells the children as well, mostly before us; `kill` tells nobody but us.
"""

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from labelcam.errors import LabelcamError

HEARD_S = 0.5
"""So long a child may take to end by itself, and a broken connection to turn out to be Ctrl-C."""

KILLED_S = 5.0

_stopped = threading.Event()
_lock = threading.Lock()
_running: dict["subprocess.Popen[bytes]", str] = {}


class Stopped(LabelcamError):
    """The user has seen enough."""

    exit_code = 130


@contextmanager
def child(command: Sequence[str], if_stopped: str = "", **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """Give a process that no way out of the block leaves behind. Raises Stopped once Ctrl-C was pressed.

    `if_stopped` says what it means to a Pi that this one was ended.
    """
    pause(0.0)
    with subprocess.Popen(command, **options) as process:
        with _lock:
            _running[process] = if_stopped
        try:
            pause(0.0)  # stop() may have looked before
            yield process
        except BaseException:
            _end(process)
            raise
        finally:
            with _lock:
                del _running[process]


def pause(seconds: float) -> None:
    """Wait. Raises Stopped as soon as Ctrl-C was pressed."""
    if _stopped.wait(seconds):
        raise Stopped("stopped")


def stop() -> list[str]:
    """End every child, let no thread begin another one, and return what that means to the Pis."""
    with _lock:  # whoever wakes by this leaves its child only after we have seen it
        _stopped.set()
        running = dict(_running)
    last = time.monotonic() + HEARD_S
    for process in running:
        _end(process, max(0.0, last - time.monotonic()))
    return [meaning for meaning in running.values() if meaning]


def _end(process: "subprocess.Popen[bytes]", heard_s: float = HEARD_S) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(heard_s)
    with suppress(subprocess.TimeoutExpired):
        process.terminate()
        process.wait(KILLED_S)
    process.kill()
    if process.stdin:
        with suppress(OSError, ValueError):  # what it did not read is of no use to anybody
            process.stdin.close()
