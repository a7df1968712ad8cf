# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""How many frames a second heat and power leave us: lowered before the SoC throttles, and raised again.

A proportional-integral controller on the logarithm of the rate: what a step does is a share of what there is, at ten
frames a second and at one. Heat follows power within seconds to minutes, depending on board and cooling; the gains are
such that it settles for any of these without swinging (tests/device/test_restraint.py). Of two limits the stricter one
counts at every step.
"""

from dataclasses import dataclass
from math import exp, inf, log

STEP_S = 1.0

BELOW_C = 1.0
"""We aim so much below limits.max_celsius."""

BELOW_SHARE = 0.02
"""And such a share below limits.max_watts."""

BEGIN_C, BEGIN_SHARE = 2.0, 0.02
"""So near the aim we begin: a board that is just warming up is left alone."""

DEAD_C = 0.5
"""A Pi tells its temperature in steps of this size."""

HOLD_S = 60.0
"""After the firmware has held us back the rate is not raised for so long."""

_HEAT_P, _HEAT_I = 0.08, 0.0014  # a degree; a degree second
_POWER_P, _POWER_I = 0.4, 0.08  # of the limit's share; of that and a second
_THROTTLED_I = 0.02  # a second: halves the rate in 35
_SMOOTH_C_S, _SMOOTH_W_S = 3.0, 5.0
_LONGEST_STEP_S = 5.0
_OFF = -0.01
"""A logarithm above this is no restraint."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what the rate may be, and for what it is lowered."""

    max_celsius: float = 0.0
    """0 does not look, here and with power."""

    max_watts: float = 0.0
    ceiling: float = inf
    """Frames a second without restraint; infinite for a source that is as quick as we are."""

    lowest: float = 0.2
    """Never less than so many."""


class Restraint:
    """A function of what was sampled until now, and when: it has no clock of its own."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.fps = bounds.ceiling
        """What is left to us."""

        self.full = bounds.ceiling
        """What it would be without restraint; of a source without a rate of its own, what was reached when it began."""

        self.celsius: float | None = None
        self.watts: float | None = None
        """Both smoothed."""

        self.throttled = False
        self._log = 0.0
        self._active = False
        self._stepped_s = self._sampled_s = -inf
        self._held_until_s = -inf
        self._errors: dict[str, float] = {}

    @property
    def limited(self) -> bool:
        """Whether we are held back at all."""
        return self._active and self._log < _OFF

    @property
    def excess_c(self) -> float:
        """How far above the limit it is, in kelvin; minus infinity where nobody looks or knows."""
        known = self.bounds.max_celsius and self.celsius is not None
        return (self.celsius or 0.0) - self.bounds.max_celsius if known else -inf

    @property
    def excess_share(self) -> float:
        """The same of power, as a share of its limit."""
        known = self.bounds.max_watts and self.watts is not None
        return (self.watts or 0.0) / self.bounds.max_watts - 1 if known else -inf

    def sample(
        self, now_s: float, celsius: float | None, watts: float | None, throttled: bool | None, achieved: float | None
    ) -> None:
        """Take a sample; `achieved` is how many frames a second have been made lately, None where nobody knows yet."""
        passed_s = now_s - self._sampled_s
        self._sampled_s = now_s
        self.celsius = _smoothed(self.celsius, celsius, passed_s, _SMOOTH_C_S)
        self.watts = _smoothed(self.watts, watts, passed_s, _SMOOTH_W_S)
        self.throttled = bool(throttled) and self.bounds.max_celsius > 0
        if now_s - self._stepped_s >= STEP_S:
            step_s = min(now_s - self._stepped_s, _LONGEST_STEP_S)
            self._stepped_s = now_s
            self._step(now_s, step_s, achieved)

    def _step(self, now_s: float, step_s: float, achieved: float | None) -> None:
        changes = dict(self._changes(step_s))
        if self.throttled:
            self._held_until_s = now_s + HOLD_S
            changes["throttled"] = -_THROTTLED_I * step_s
        elif now_s < self._held_until_s:
            changes["held"] = 0.0
        if not self._active and not self._begins(achieved):
            return
        self._log += min(changes.values(), default=0.0)
        if self._log >= 0:
            self._log = 0.0
            if not self._near():
                self._active, self.fps = False, self.bounds.ceiling
                return
        self._log = max(self._log, log(min(1.0, self.bounds.lowest / self.full)))
        # At the top there is no restraint, whatever was reached when it began.
        self.fps = self.full * exp(self._log) if self.limited else self.bounds.ceiling

    def _changes(self, step_s: float) -> list[tuple[str, float]]:
        found = []
        for name, error, gain, dead, integral in (
            ("celsius", self.excess_c + BELOW_C, _HEAT_P, DEAD_C, _HEAT_I),
            ("watts", self.excess_share + BELOW_SHARE, _POWER_P, 0.0, _POWER_I),
        ):
            if error == -inf:
                continue
            before = self._errors.get(name, error)
            self._errors[name] = error
            lasting = error if abs(error) > dead else 0.0
            found.append((name, -(gain * (error - before) + integral * lasting * step_s)))
        return found

    def _near(self) -> bool:
        """Whether a limit is so near that we begin, or go on."""
        heat, power = self.excess_c + BELOW_C, self.excess_share + BELOW_SHARE
        return self.throttled or heat > -BEGIN_C or power > -BEGIN_SHARE

    def _begins(self, achieved: float | None) -> bool:
        full = min(self.bounds.ceiling, inf if achieved is None else achieved)
        if not self._near() or full in (0.0, inf):
            return False
        self.full = max(full, self.bounds.lowest)
        self._active, self._log = True, 0.0
        return True


def _smoothed(before: float | None, now: float | None, passed_s: float, over_s: float) -> float | None:
    """An exponential mean; what nobody tells any more is forgotten."""
    if now is None or before is None:
        return now
    return before + (now - before) * (1 - exp(-passed_s / over_s))
