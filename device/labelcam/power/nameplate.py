# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a meter says of itself: what it measures, what it misses, how finely and how often."""

from dataclasses import dataclass
from typing import Literal


class MeterLost(Exception):
    """A meter that was there gives no value now; the next `read` may."""


@dataclass(frozen=True, slots=True)
class Correction:
    """From what a meter sees to an estimate of what the whole board takes: gain times watts, and a constant."""

    gain: float
    offset_w: float
    source: str
    """Who fitted it, and to what."""

    def watts(self, measured: float) -> float:
        """Return the estimate for a measured power, in watts."""
        return self.gain * measured + self.offset_w


@dataclass(frozen=True, slots=True)
class Nameplate:
    """The facts that every figure of a meter is printed with."""

    name: str
    """The kind, and the sensor where there are several: 'hwmon ina219'."""

    includes: str
    misses: str
    unit: Literal["watts", "joules"]
    """What `read` returns: the power now, or the stand of a counter that only grows."""

    max_hz: float
    """How often it has something new to say."""

    resolution: float | None
    """Its smallest step, in its unit; None where that is not known."""

    even: bool = False
    """Its samples lie at equal distances, not ours to choose: a load in step with them deceives it."""

    correction: Correction | None = None
    """How to estimate the whole board; what is measured and published is never corrected."""
