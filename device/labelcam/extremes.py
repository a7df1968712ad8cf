# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""How far power, temperature and clock ranged over the last minute, and whether the board was held back in it."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .records import Vitals

BLOCK_NS = 10_000_000_000
"""What is forgotten at a time."""

MINUTE_NS = 60_000_000_000
SURPLUS_NS = 5_000_000_000
"""So much more than a minute is always remembered: who asks once a minute may be late."""


@dataclass(frozen=True, slots=True)
class Range:
    """From the least to the greatest."""

    low: float
    high: float

    def with_(self, value: float) -> "Range":
        """Return the range that this value is in as well."""
        return Range(min(self.low, value), max(self.high, value))

    def as_json(self) -> dict[str, float]:
        """Return both ends, rounded to what a sensor can mean."""
        return {"min": round(self.low, 3), "max": round(self.high, 3)}


@dataclass(frozen=True, slots=True)
class Extremes:
    """None where the board cannot tell, or has not yet."""

    watts: Range | None = None
    """Of single samples."""

    celsius: Range | None = None
    mhz: Range | None = None
    throttled: bool | None = None
    """Whether the firmware held the clock down at any time."""

    undervolted: bool | None = None
    """Whether the supply's voltage was too low at any time."""

    def with_sample(self, vitals: Vitals, undervolted: bool | None) -> "Extremes":
        """Return the extremes of one sample more."""
        return Extremes(
            _wider(self.watts, vitals.watts),
            _wider(self.celsius, vitals.celsius),
            _wider(self.mhz, vitals.mhz),
            _ever(self.throttled, vitals.throttled),
            _ever(self.undervolted, undervolted),
        )

    def with_(self, other: "Extremes") -> "Extremes":
        """Return the extremes of both times together."""
        return Extremes(
            _joined(self.watts, other.watts),
            _joined(self.celsius, other.celsius),
            _joined(self.mhz, other.mhz),
            _ever(self.throttled, other.throttled),
            _ever(self.undervolted, other.undervolted),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the extremes in the public form."""
        return {
            "watts": self.watts and self.watts.as_json(),
            "celsius": self.celsius and self.celsius.as_json(),
            "mhz": self.mhz and self.mhz.as_json(),
            "throttled": self.throttled,
            "undervolted": self.undervolted,
        }


NO_EXTREMES = Extremes()


def _wider(known: Range | None, value: float | None) -> Range | None:
    if value is None:
        return known
    return known.with_(value) if known else Range(value, value)


def _joined(one: Range | None, other: Range | None) -> Range | None:
    return one.with_(other.low).with_(other.high) if one and other else one or other


def _ever(known: bool | None, now: bool | None) -> bool | None:
    return known if now is None else bool(known or now)


@dataclass(slots=True)
class _Block:
    begun_ns: int
    extremes: Extremes


@dataclass(slots=True)
class LastMinute:
    """Takes every sample, and forgets those that are older than 65 to 75 seconds."""

    _blocks: deque[_Block] = field(default_factory=deque)

    def add(self, taken_ns: int, vitals: Vitals, undervolted: bool | None) -> None:
        """Take a sample into account."""
        if not self._blocks or taken_ns - self._blocks[-1].begun_ns >= BLOCK_NS:
            self._blocks.append(_Block(taken_ns, NO_EXTREMES))
        last = self._blocks[-1]
        last.extremes = last.extremes.with_sample(vitals, undervolted)
        while len(self._blocks) > 1 and taken_ns - self._blocks[1].begun_ns >= MINUTE_NS + SURPLUS_NS:
            self._blocks.popleft()

    def extremes(self) -> Extremes:
        """Return how far everything ranged."""
        together = NO_EXTREMES
        for block in tuple(self._blocks):
            together = together.with_(block.extremes)
        return together
