# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The parent's hold on the child: start it, wait for its words no longer than told, end it whatever it does."""

import json
import logging
import os
import select
import subprocess
import sys
import time
import weakref
from contextlib import suppress
from typing import Any, cast

from .exchange import ANSWERED, ASKED
from .faults import End, Stage
from .machine import Patience

log = logging.getLogger(__name__)

FAREWELL_S = 1.0
MOST_CHATTER = 65536  # bytes of stderr; a pipe holds no more


class Ended(Exception):
    """The child has ended, or had to be ended."""

    def __init__(self, end: End) -> None:
        super().__init__(end)
        self.end = end


class Child:
    """A running child process. Not thread-safe, `kill` aside."""

    def __init__(self, library: str, memory: int, model: int | None = None, threads: int = 1) -> None:
        """Start it. `memory` and `model` are file descriptors: what is to be shared, and the network's bytes."""
        theirs_orders, self._orders = os.pipe()
        self._answers, theirs_answers = os.pipe()
        theirs_leash, self._leash = os.pipe()
        self._chatter, theirs_chatter = os.pipe()
        os.set_blocking(theirs_chatter, False)  # a library that talks for months must not wait for a reader
        os.set_blocking(self._chatter, False)
        self._open = [self._leash, self._chatter, self._answers, self._orders]
        weakref.finalize(self, _close, self._open)  # what is forgotten is not left running
        self._poll = select.poll()
        self._poll.register(self._answers, select.POLLIN)
        self._stage: Stage = "start"
        self._read = b""
        self._end: End | None = None
        errand = {"library": library, "threads": threads, "memory": memory, "model": model}
        ends = {"leash": theirs_leash, "orders": theirs_orders, "answers": theirs_answers}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", f"{__package__}.child", json.dumps(errand | ends)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=theirs_chatter,
                pass_fds=(*ends.values(), memory, *([model] if model is not None else [])),
                process_group=0,  # Ctrl-C in a terminal is for the parent
            )
        except OSError:
            _close(self._open)
            raise
        finally:
            for number in (*ends.values(), theirs_chatter):
                os.close(number)

    @property
    def pid(self) -> int:
        """Its number, while it lives."""
        return self._process.pid

    def ready(self, patience: Patience) -> dict[str, Any]:
        """Wait until it can answer, and return what it says of the network. Raises Ended."""
        while True:
            limit_s = patience.start if self._stage == "start" else patience.stage
            told = json.loads(self._line(limit_s))
            if "error" in told:
                raise self._ended(error=told["error"])
            if "ready" in told:
                self._stage = "invoke"
                return cast(dict[str, Any], told["ready"])
            self._stage = told["stage"]

    def ask(self, limit_s: float) -> None:
        """Have it answer to what lies in the shared memory, and wait for that. Raises Ended."""
        if self._end:  # the numbers of its pipes may be other files' by now
            raise Ended(self._end)
        with suppress(BrokenPipeError):  # then the other pipe has closed as well
            os.write(self._orders, ASKED)
        if not self._poll.poll(limit_s * 1000):
            raise self._ended(waited_s=limit_s)
        answer = os.read(self._answers, 1)
        if answer == ANSWERED:
            return
        self._read = answer
        told = json.loads(self._line(limit_s)) if answer else {}
        raise self._ended(error=told.get("error"))

    def _line(self, limit_s: float) -> bytes:
        """Wait for one line of it."""
        until = time.monotonic() + limit_s
        while b"\n" not in self._read:
            if not self._poll.poll(max(0.0, until - time.monotonic()) * 1000):
                raise self._ended(waited_s=limit_s)
            got = os.read(self._answers, 4096)
            if not got:
                raise self._ended()
            self._read += got
        found, _, self._read = self._read.partition(b"\n")
        return found

    def _ended(self, waited_s: float = 0.0, error: str | None = None) -> Ended:
        """Make sure that it has ended, and say how."""
        if waited_s or error is not None:
            self._process.kill()
        code = 0
        with suppress(subprocess.TimeoutExpired):  # one that the kernel holds ends when the kernel lets go
            code = self._process.wait(FAREWELL_S / 4)
        by_itself = not waited_s and error is None
        self._end = End(self._stage, -code if by_itself and code < 0 else 0, waited_s, error, self._last_words())
        _close(self._open)
        return Ended(self._end)

    def _last_words(self) -> str:
        try:
            chatter = os.read(self._chatter, MOST_CHATTER).decode(errors="replace")
        except BlockingIOError:
            return ""
        lines = [line.strip() for line in chatter.splitlines() if line.strip()]
        for line in lines:
            log.debug("native %s", line)
        return lines[-1][:200] if lines else ""

    def end(self) -> None:
        """Let it let go of the Edge TPU and end; by force if it does not in time. May be called twice."""
        self._end = self._end or End(self._stage, error="it was closed; open it again")
        if self._open:
            os.close(self._open.pop())  # its orders: it sees that none will come
        try:
            self._process.wait(FAREWELL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        _close(self._open)


def _close(numbers: list[int]) -> None:
    while numbers:
        os.close(numbers.pop())


def in_memory(content: bytes = b"") -> int:
    """Return a file descriptor that a child can read: the file is nowhere but in memory."""
    number = os.memfd_create("labelcam-edgetpu")
    with open(number, "wb", closefd=False) as file:
        file.write(content)
    return number
