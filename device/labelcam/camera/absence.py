# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras that are away for a while, or for good: how long they are waited for, and how often they are looked for."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import CameraLost

log = logging.getLogger(__name__)

SLOWEST_RETRY_S = 5.0
"""The longest wait between two attempts: attempts double their distance from half a second up to this."""

STEADY_S = 10.0
"""After so long without an absence a camera is steady again: the next absence begins with quick attempts."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a camera that is not there is waited for; by default not at all."""

    start_s: float = 0.0
    """For one that has not delivered yet, seconds from the start."""

    give_up_s: float = 0.0
    """For one that has, seconds from its last frame."""


@dataclass(frozen=True, slots=True)
class Absence:
    """A camera is known to be away, and is looked for."""

    reason: str
    """In one line, with the remedy."""

    seconds: float
    """How long it has been away."""

    retry_s: float
    """Ask it again after so many seconds."""


class CameraAway(Exception):
    """No frame now; the camera is looked for with the next capture, which is due after `absence.retry_s`."""

    def __init__(self, absence: Absence) -> None:
        super().__init__(absence.reason)
        self.absence = absence


class BadFrame(Exception):
    """One frame that cannot be used; the next one may be."""

    def __init__(self, reason: str, told: str) -> None:
        """`reason` is a word for counts, `told` what to say should it go on like this."""
        super().__init__(told)
        self.reason = reason


class Search:
    """Keeps the account of a camera's absences."""

    def __init__(self, patience: Patience, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience, self._clock = patience, clock
        self._delivered = False
        self._seen_s = clock()
        """When it last delivered; before that, when we began."""

        self._misses = 0
        self._steady_since_s = 0.0
        self._away = False

    def found(self) -> None:
        """Note that the camera has delivered."""
        now = self._clock()
        if self._away:
            log.info("camera-back after_s=%.1f", now - self._seen_s)
            self._away, self._steady_since_s = False, now
        if self._misses and now - self._steady_since_s > STEADY_S:
            self._misses = 0
        self._delivered, self._seen_s = True, now

    def missed(self, reason: str) -> Absence:
        """Note that the camera does not deliver, and return for how long and when to ask again.

        Raises CameraLost when it has been away for too long.
        """
        away_s = self._clock() - self._seen_s
        limit_s = self._patience.give_up_s if self._delivered else self._patience.start_s
        if away_s >= limit_s:
            raise CameraLost(f"gone for {away_s:.0f} s: {reason}" if limit_s else reason)
        if not self._away:
            log.warning("camera-away reason=%s; looking for it for %g s", reason, limit_s)
        # At once where it has just gone: a stream that was cut is often there again.
        retry_s = min(SLOWEST_RETRY_S, 2.0 ** (self._misses - 2)) if self._misses else 0.0
        self._away, self._misses = True, min(self._misses + 1, 10)
        return Absence(reason, away_s, min(retry_s, limit_s - away_s))
