# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Eases the frame rate while heat or power are near their limits, and says why."""

import logging
from collections import deque
from collections.abc import Callable
from math import inf

from .camera import CameraSpec
from .mounting import frame_interval_s, patience_s
from .restraint import Bounds, Restraint
from .sampler import Sample
from .settings import Settings
from .watchdog import longest_interval_s

log = logging.getLogger(__name__)

LONGEST_INTERVAL_S = 5.0
"""Between two frames, however hot; less where the watchdog or the camera's time-out would take that for a hang."""

KNOWN_S, REMEMBERED_S = 5.0, 15.0
"""The rate that is reached is known after the one, and is the mean over the other."""

DEAF_S = 10.0
"""After so long without a sensor we say that there is none."""

TOLD_AGAIN = 1.25
TOLD_AGAIN_S = 30.0
"""The reason is told anew when the rate has changed by such a factor, and not more often than so."""


def bounds_of(settings: Settings, spec: CameraSpec) -> Bounds:
    """Return what the rate may be with these settings and this camera."""
    interval_s = frame_interval_s(settings, spec)
    longest_s = min(LONGEST_INTERVAL_S, patience_s(settings, spec) / 3, 0.9 * longest_interval_s())
    limits = settings.limits
    ceiling = 1 / interval_s if interval_s else inf
    return Bounds(limits.max_celsius, limits.max_watts, ceiling, min(ceiling, 1 / longest_s))


class Easing:
    """Listens to the samples on their thread; `allowed`, `limit` and `sentence` are for any other."""

    def __init__(self, bounds: Bounds, frames: Callable[[], int]) -> None:
        """`frames` tells how many have been classified until now."""
        self._restraint = Restraint(bounds)
        self.watches = bool(bounds.max_celsius or bounds.max_watts)
        """Whether there is any limit."""

        self.allowed = inf
        """Frames a second that are left to us; infinite where nothing holds us back."""

        self.sentence: str | None = None
        """Why it is less than what was asked for, or that nobody can tell whether it should be."""

        self._frames = frames
        self._counted: deque[tuple[float, int]] = deque()
        self._limited = False
        self._told_fps, self._told_s = 0.0, -inf
        self._begun_s: float | None = None

    @property
    def limit(self) -> float | None:
        """The same for reports: None where nothing holds us back."""
        return None if self.allowed == inf else self.allowed

    def take(self, sample: Sample) -> None:
        """Take a sample into account."""
        now_s, vitals = sample.taken_ns / 1e9, sample.vitals
        restraint = self._restraint
        restraint.sample(now_s, vitals.celsius, vitals.watts, vitals.throttled, self._achieved(now_s))
        self.allowed = restraint.fps if restraint.limited else inf
        self._tell(now_s)

    def _achieved(self, now_s: float) -> float | None:
        """Frames a second lately; None where that is not known yet."""
        self._counted.append((now_s, self._frames()))
        while now_s - self._counted[0][0] > REMEMBERED_S:
            self._counted.popleft()
        (begun_s, before), (_, now) = self._counted[0], self._counted[-1]
        if now < before:  # another camera
            self._counted.clear()
            return None
        return (now - before) / (now_s - begun_s) if now_s - begun_s >= KNOWN_S else None

    def _tell(self, now_s: float) -> None:
        limited, fps = self._restraint.limited, self._restraint.fps
        changed = max(fps, self._told_fps) / max(min(fps, self._told_fps), 1e-9)
        if limited != self._limited:
            self._limited = limited
            if limited:
                log.warning("rate-lowered %s", self._reason())
            else:
                log.info("rate-restored")
        elif not limited or changed < TOLD_AGAIN or now_s - self._told_s < TOLD_AGAIN_S:
            self._say_if_deaf(now_s)
            return
        self._told_fps, self._told_s = fps, now_s
        self.sentence = self._reason() if limited else None

    def _reason(self) -> str:
        restraint, bounds = self._restraint, self._restraint.bounds
        if restraint.throttled:
            why = "the firmware holds the board back"
        elif restraint.excess_c / max(bounds.max_celsius, 1) >= restraint.excess_share:
            degrees = f"{restraint.celsius:.0f} °C"
            why = _above(degrees, restraint.excess_c > 0, f"limits.max_celsius, {bounds.max_celsius:g}")
        else:
            watts = f"{restraint.watts:.2g} W"
            why = _above(watts, restraint.excess_share > 0, f"limits.max_watts, {bounds.max_watts:g}")
        return f"{restraint.fps:.2g} instead of {restraint.full:.2g} frames a second: {why}"

    def _say_if_deaf(self, now_s: float) -> None:
        if self._limited:
            return
        if self._begun_s is None:
            self._begun_s = now_s
        if now_s - self._begun_s >= DEAF_S:
            self.sentence = self._deafness()

    def _deafness(self) -> str | None:
        restraint, bounds = self._restraint, self._restraint.bounds
        if bounds.max_celsius and restraint.celsius is None:
            return f"limits.max_celsius is {bounds.max_celsius:g}, but the board tells no temperature"
        if bounds.max_watts and restraint.watts is None:
            return f"limits.max_watts is {bounds.max_watts:g}, but there is no power meter"
        return None


def _above(now: str, above: bool, limit: str) -> str:
    return f"{now} is above {limit}" if above else f"{now} is near {limit}"
