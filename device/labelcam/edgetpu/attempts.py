# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""When the Edge TPU is tried again: ever more rarely, and at once when a stick is plugged in."""

import time
from collections.abc import Callable

from .machine import Backoff


class Attempts:
    """Counts attempts, and watches the ports between them."""

    def __init__(self, backoff: Backoff, ports: Callable[[], set[str]]) -> None:
        """`ports` says where a stick is plugged in; one that only starts anew, for lack of power, stays on its own."""
        self._backoff, self._look = backoff, ports
        self._pause_s, self._due_s, self._begun_s = backoff.first, 0.0, 0.0
        self._ports: set[str] = set()

    def begin(self) -> bool:
        """Begin an attempt; return whether a stick is plugged in."""
        self._ports = self._look()
        self._begun_s = time.monotonic()
        return bool(self._ports)

    def end(self) -> None:
        """The attempt has failed, or what it brought has ended."""
        now_s = time.monotonic()
        if now_s - self._begun_s >= self._backoff.steady:
            self._pause_s = self._backoff.first
        self._due_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, self._backoff.longest)

    def hasten(self) -> None:
        """What stood in the way has gone: try at once."""
        self._pause_s, self._due_s = self._backoff.first, 0.0

    def are_due(self) -> bool:
        """Look, and say whether another attempt is worth its while."""
        before, self._ports = self._ports, self._look()
        if self._ports - before:
            self.hasten()  # udev may not have given us the stick yet: soon again, then
        return time.monotonic() >= self._due_s

    def sleep_s(self) -> float:
        """Return how long to wait before the next look."""
        return min(self._backoff.look, max(0.0, self._due_s - time.monotonic()))
