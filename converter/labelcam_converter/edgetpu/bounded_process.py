# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Runs another program for a limited time, and never leaves it or a child of it behind."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MOST_SAID = 1_000_000
"""Characters of a program's words that are kept: a run-away one must not fill the memory."""

_GRACE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and what it said."""

    code: int
    """Its exit code; minus the number of the signal that killed it."""

    said: str
    """Standard output and error together, in the order in which it wrote them."""


class OutOfTime(Exception):
    """The program did not end in time, and is gone now."""


def run_bounded(command: Sequence[str], folder: Path, seconds: float) -> Ended:
    """Run a program in a folder. Raises OutOfTime, or OSError where it cannot be started.

    It gets a process group of its own, which goes as a whole where the time is over or we are interrupted: compilers
    start children, and a wrapper script starts the compiler.
    """
    with tempfile.TemporaryFile("w+b") as said:
        program = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
        try:
            program.wait(seconds)
        except subprocess.TimeoutExpired:
            raise OutOfTime from None
        finally:
            _end(program)
        said.seek(0)
        return Ended(program.returncode, said.read(MOST_SAID).decode(errors="replace"))


def _end(program: "subprocess.Popen[bytes]") -> None:
    """End whatever is left of the group, the program's own children too: kindly, then for good."""
    _signal(program, signal.SIGTERM)
    try:
        with suppress(subprocess.TimeoutExpired):
            program.wait(_GRACE_SECONDS)
    finally:  # even where someone presses Ctrl-C a second time
        _signal(program, signal.SIGKILL)
        program.wait()


def _signal(program: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # nothing is left of it, as it should be
        os.killpg(program.pid, number)
