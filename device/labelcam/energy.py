# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From samples of power to joules, with an honest error: what was seen, what was missed, and what cannot be known.

Samples are taken at a random moment of every interval (see `sampler`). Stratified like that, their mean is unbiased
whatever the power does, also where it swings in step with the sampling (Cochran, Sampling Techniques, 1977, chapter 5).
Its variance is estimated from the differences between neighbours (collapsed strata, chapter 5A.12; the same as von
Neumann's mean square successive difference), which errs on the large side where power drifts. What was too short to be
hit even once can only be bounded: with 95% confidence it fills less than 3/n of the time (the rule of three, Hanley and
Lippman-Hand, JAMA 249, 1983), and we take it to be no higher above the mean than the mean itself or the range that was
seen. That bound is what makes low rates look as bad as they are: at 1 Hz, measured against 4 kHz, up to 80% of an
inference's energy was lost (arXiv 2206.10377). The meter's own calibration is in none of this.
"""

from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Any

from .power import Nameplate
from .student import student_95

GAP_INTERVALS = 3.5
"""Samples that lie further apart than so many intervals have a gap between them; two is the most that chance makes."""

LEAST_SECONDS, LEAST_SAMPLES = 10.0, 20
"""Less than that gives no figure."""

_UNSEEN = 3.0


@dataclass(frozen=True, slots=True)
class Sums:
    """What an error is reckoned from; the difference of two such sums holds for the time between them."""

    plate: Nameplate
    begun_ns: int
    """When the account was opened, which tells it from any other."""

    variance: float = 0.0
    """Of the joules: half the squared differences between neighbours."""

    spans: int = 0
    """Pairs of neighbours."""

    range_watts: float = 0.0
    """From the least to the greatest power that was seen."""

    def error_joules(self, joules: float, seconds: float, gaps: int) -> float:
        """Return half of the 95% interval of so many joules."""
        if self.plate.unit == "joules":
            return self._of_counter(joules / seconds if seconds else 0.0, gaps)
        if not self.spans:
            return inf
        # Differences of neighbours hold two thirds of the degrees of freedom (von Neumann 1941).
        seen = student_95(max(1.0, self.spans * 2 / 3)) * sqrt(self.variance)
        unseen = min(1.0, _UNSEEN / self.spans) * max(self.range_watts * seconds, abs(joules))
        # A steady power may stand at the edge of a step all the time.
        return max(seen, unseen) + (self.plate.resolution or 0.0) / 2 * seconds

    def _of_counter(self, watts: float, gaps: int) -> float:
        """A counter misses nothing; at both ends of every stretch it may lag by one step and one of its updates."""
        return 2 * (gaps + 1) * ((self.plate.resolution or 0.0) + watts / self.plate.max_hz)

    def since(self, earlier: "Sums", range_watts: float) -> "Sums":
        """Return the sums of the time after `earlier`, in which power had that range."""
        return Sums(
            self.plate,
            self.begun_ns,
            max(0.0, self.variance - earlier.variance),
            self.spans - earlier.spans,
            range_watts,
        )


@dataclass(frozen=True, slots=True)
class Energy:
    """What was taken over a time, and how well that is known."""

    meter: str
    joules: float
    error_joules: float
    """Half of the 95% interval, from sampling and resolution; the meter's calibration comes on top."""

    seconds: float
    """The time that is covered: without gaps."""

    samples: int
    hz: float
    gaps: int
    """How often the meter was silent, or we were stopped; nothing is made up for these."""

    gap_seconds: float
    sums: Sums | None = None
    """What tells the error of a part of this; None where nobody asks for parts."""

    def since(self, earlier: "Energy | None", range_watts: float | None = None) -> "Energy":
        """Return what was taken after `earlier`, an account of the same meter, with the error of that time alone.

        `range_watts` is how far power ranged in that time at most; where nobody knows, it is that of the whole account,
        which errs on the large side. What no account of this meter came before is all of this one.
        """
        if earlier is None or not self.sums or not earlier.sums or earlier.sums.begun_ns != self.sums.begun_ns:
            return self
        known = self.sums.range_watts
        sums = self.sums.since(earlier.sums, known if range_watts is None else min(known, range_watts))
        joules, seconds = self.joules - earlier.joules, self.seconds - earlier.seconds
        gaps = self.gaps - earlier.gaps
        return replace(
            self,
            joules=joules,
            error_joules=sums.error_joules(joules, seconds, gaps),
            seconds=seconds,
            samples=self.samples - earlier.samples,
            gaps=gaps,
            gap_seconds=self.gap_seconds - earlier.gap_seconds,
            sums=sums,
        )

    @property
    def watts(self) -> float:
        """The mean power over what is covered."""
        return self.joules / self.seconds if self.seconds else 0.0

    @property
    def error_watts(self) -> float:
        """Half of the mean power's 95% interval."""
        return self.error_joules / self.seconds if self.seconds else inf

    @property
    def refusal(self) -> str:
        """Why this is not enough for a figure, or ''."""
        if self.seconds < LEAST_SECONDS:
            return f"only {self.seconds:.1f} s were measured; {LEAST_SECONDS:g} are the least"
        if self.samples < LEAST_SAMPLES:
            return f"only {self.samples} samples; {LEAST_SAMPLES} are the least"
        if self.gap_seconds > self.seconds / 10:
            return f"the meter was silent for {self.gap_seconds:.1f} s beside {self.seconds:.1f} s"
        return ""

    def as_json(self, fps: float = 0.0, idle_watts: float | None = None) -> dict[str, Any]:
        """Return the public form; an inference's share is whole-board, at so many frames a second (0: none).

        Where there is a `refusal`, the figures are null and it says why.
        """
        good = not self.refusal
        return {
            "meter": self.meter,
            "joules": round(self.joules, 3) if good else None,
            "error_joules": round(self.error_joules, 3) if good else None,
            "watts": round(self.watts, 4) if good else None,
            "mj_per_inference": round(self.watts / fps * 1e3, 4) if good and fps else None,
            "error_mj_per_inference": round(self.error_watts / fps * 1e3, 4) if good and fps else None,
            "idle_watts": idle_watts,
            "seconds": round(self.seconds, 3),
            "samples": self.samples,
            "hz": self.hz,
            "gaps": self.gaps,
            "gap_seconds": round(self.gap_seconds, 3),
            "refusal": self.refusal or None,
        }


class EnergyAccount:
    """Adds up what a meter says: power by trapezoids, counters by their differences."""

    def __init__(self, plate: Nameplate, hz: float) -> None:
        """`hz` is how many samples a second are to come."""
        self._plate, self._hz = plate, hz
        self._gap_ns = GAP_INTERVALS / hz * 1e9
        self._begun_ns: int | None = None
        self._last_ns: int | None = None
        self._value: float | None = None
        self._joules = self._variance = self._seconds = self._gap_seconds = 0.0
        self._samples = self._gaps = self._spans = 0
        self._low, self._high = inf, -inf

    def add(self, taken_ns: int, value: float | None) -> None:
        """Take one reading, in the plate's unit, or None where the meter is silent."""
        last_ns, before = self._last_ns, self._value
        self._begun_ns = taken_ns if self._begun_ns is None else self._begun_ns
        self._last_ns, self._value = taken_ns, value
        self._samples += value is not None
        passed_ns = 0 if last_ns is None else taken_ns - last_ns
        if before is not None and value is not None and 0 < passed_ns <= self._gap_ns:
            self._cover(passed_ns / 1e9, before, value)
        elif last_ns is not None or value is None:
            self._gap_seconds += max(0, passed_ns) / 1e9
            self._gaps += before is not None or last_ns is None  # else it goes on, or has just ended

    def _cover(self, seconds: float, before: float, now: float) -> None:
        self._seconds += seconds
        if self._plate.unit == "joules":
            self._joules += now - before
            return
        self._joules += seconds * (before + now) / 2
        self._variance += (seconds * (now - before)) ** 2 / 2
        self._spans += 1
        self._low, self._high = min(self._low, before, now), max(self._high, before, now)

    def energy(self) -> Energy:
        """Return the account so far."""
        sums = Sums(self._plate, self._begun_ns or 0, self._variance, self._spans, max(0.0, self._high - self._low))
        return Energy(
            meter=self._plate.name,
            joules=self._joules,
            error_joules=sums.error_joules(self._joules, self._seconds, self._gaps),
            seconds=self._seconds,
            samples=self._samples,
            hz=self._hz,
            gaps=self._gaps,
            gap_seconds=self._gap_seconds,
            sums=sums,
        )


def method(plate: Nameplate, hz: float) -> str:
    """Return in one line how the figures came about, as every output has it."""
    if plate.max_hz == 0:
        return "no power meter; latency only"
    timing = "evenly timed samples" if plate.even else "randomly timed samples"
    how = "differences of an energy counter" if plate.unit == "joules" else f"trapezoids over {timing}"
    step = f"steps of {plate.resolution * 1e3:.3g} m{plate.unit[0].upper()}" if plate.resolution else "unknown steps"
    return f"{plate.name} at {hz:g} Hz, {step}: {how}; it includes {plate.includes}; it misses {plate.misses}"
