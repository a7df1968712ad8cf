# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Joules per inference out of samples: whole-board, and marginal, which is what remains when idle is subtracted."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt

from ..energy import LEAST_SAMPLES, Energy, EnergyAccount
from .data import Measurement, Window
from .interval import Interval
from .plan import LEAST_WINDOW_S
from .validity import between

IDLE_DRIFT = 0.05
"""Idle power before and after that differs by more of its mean than this, and by more than its error, is no idle."""


@dataclass(frozen=True, slots=True)
class Idle:
    """What the machine takes when it does nothing for us."""

    before: Energy
    after: Energy

    @property
    def watts(self) -> float:
        """The mean of both."""
        return (self.before.watts + self.after.watts) / 2

    @property
    def error_watts(self) -> float:
        """Half of the 95% interval: sampling, and half of what lies between before and after."""
        sampling = hypot(self.before.error_watts, self.after.error_watts) / 2
        return hypot(sampling, abs(self.after.watts - self.before.watts) / 2)

    @property
    def drifted(self) -> bool:
        """Whether before and after are two different things."""
        apart = abs(self.after.watts - self.before.watts)
        return apart > max(IDLE_DRIFT * self.watts, hypot(self.before.error_watts, self.after.error_watts))


@dataclass(frozen=True, slots=True)
class InferenceEnergy:
    """What one inference takes, in millijoules."""

    whole_mj: Interval
    """Everything that the meter sees, by the inferences of that time."""

    marginal_mj: Interval
    """The same less what idling would have taken."""

    watts: Interval
    """Mean power while inferring."""


def account(measurement: Measurement, begun_s: float, ended_s: float) -> Energy:
    """Return what was taken between two moments, from the samples that lie wholly within."""
    adding = EnergyAccount(measurement.plate, measurement.hz)
    for point in between(measurement, begun_s, ended_s):
        adding.add(round(point.at_s * 1e9), point.reading)
    return adding.energy()


def idle(measurement: Measurement) -> Idle | None:
    """Return the idle power, or None without a meter or with too few samples."""
    if not metered(measurement):
        return None
    before, after = (account(measurement, *span) for span in measurement.idles)
    return Idle(before, after) if min(before.samples, after.samples) >= LEAST_SAMPLES else None


def metered(measurement: Measurement) -> bool:
    """Whether a meter was there at all."""
    return measurement.plate.max_hz > 0


def refusal(measurement: Measurement, windows: Sequence[Window]) -> str:
    """Return why no energy can be given for windows of a configuration, or ''."""
    if not metered(measurement):
        return "there is no power meter"
    shortest = min(window.seconds for window in windows)
    if shortest < LEAST_WINDOW_S:
        return f"a window lasted {shortest:.1f} s; energy needs {LEAST_WINDOW_S:g} s: raise --seconds"
    accounts = [account(measurement, window.begun_s, window.ended_s) for window in windows]
    if (fewest := min(one.samples for one in accounts)) < LEAST_SAMPLES:
        return (
            f"a window had {fewest} samples of power; {LEAST_SAMPLES} are the least: raise --seconds or the meter's hz"
        )
    if (silent := max(one.gap_seconds for one in accounts)) > shortest / 10:
        return f"the meter was silent for {silent:.1f} s of a window"
    found = idle(measurement)
    if found is None:
        return "idle could not be measured: raise --seconds"
    if found.drifted:
        return (
            f"idle took {found.before.watts:.2f} W before and {found.after.watts:.2f} W after: something else ran too"
        )
    return ""


def per_inference(measurement: Measurement, windows: Sequence[Window]) -> InferenceEnergy:
    """Return what an inference takes; only where there is no `refusal`.

    The interval holds the scatter of the windows, the error of sampling within them and, for marginal figures, that
    of idle, added in quadrature.
    """
    found = idle(measurement)
    if found is None:
        raise ValueError("without idle there is no marginal energy")
    powers = [account(measurement, window.begun_s, window.ended_s) for window in windows]
    inference_s = statistics.fmean(window.inference_s for window in windows)
    sampling = sqrt(sum(power.error_watts**2 for power in powers)) / len(powers)
    whole = [power.watts * window.inference_s * 1e3 for power, window in zip(powers, windows, strict=True)]
    marginal = [
        (power.watts - found.watts) * window.inference_s * 1e3 for power, window in zip(powers, windows, strict=True)
    ]
    return InferenceEnergy(
        whole_mj=Interval.over(whole, sampling * inference_s * 1e3),
        marginal_mj=Interval.over(marginal, hypot(sampling, found.error_watts) * inference_s * 1e3),
        watts=Interval.over([power.watts for power in powers], sampling),
    )
