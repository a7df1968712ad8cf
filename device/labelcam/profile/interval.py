# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A value with its 95% interval: the mean over windows, and how far it may be off."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, isfinite, sqrt
from typing import Self

from ..student import student_95


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and half of its 95% interval; None where one window alone cannot tell."""

    value: float
    half: float | None

    @classmethod
    def over(cls, windows: Sequence[float], known: float = 0.0) -> Self:
        """Return the mean over windows by Student's t; `known` is an error of the mean that they share, or each has."""
        mean = statistics.fmean(windows)
        if len(windows) < 2:
            return cls(mean, None)
        scatter = student_95(len(windows) - 1) * statistics.stdev(windows) / sqrt(len(windows))
        return cls(mean, hypot(scatter, known))

    @property
    def low(self) -> float | None:
        """Where the interval begins."""
        return None if self.half is None else self.value - self.half

    @property
    def high(self) -> float | None:
        """Where it ends."""
        return None if self.half is None else self.value + self.half

    def as_json(self) -> dict[str, float | None]:
        """Return value, low and high."""
        figures = {"value": self.value, "low": self.low, "high": self.high}
        return {name: round(one, 5) if one is not None and isfinite(one) else None for name, one in figures.items()}

    def __str__(self) -> str:
        """Two digits of the error decide how many of the value are shown."""
        if self.half is None:
            return f"{self.value:.4g}"
        return f"{self.value:.{places(self.half)}f} ± {self.half:.{places(self.half)}f}"


def places(error: float) -> int:
    """Return how many decimals two digits of an error take, at most 4."""
    return next((count for count in range(4) if error * 10**count >= 9.5), 4)
