# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What we set out to reach on mobilenet_v2, and whether we did."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several measurements, and how far they lie apart."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Return the spread of at least one value."""
        return cls(*(round(value, 4) for value in (statistics.median(values), min(values), max(values))))


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is judged."""

    ratio_to_raw: Spread
    """labelcam's frames per second by the bare interpreter's, round by round."""

    ratio_to_mediapipe: Spread | None
    first_label_seconds: Spread
    rss_mb: float
    rss_growth_mb: float


@dataclass(frozen=True, slots=True)
class Target:
    """One promise."""

    figure: str
    wanted: str
    measured: float | None
    reached: bool | None
    """None where it could not be measured."""


def targets(figures: Figures) -> Iterator[Target]:
    """Yield every target with what was measured; a spread is judged by its median."""
    raw, first = figures.ratio_to_raw.median, figures.first_label_seconds.median
    other = figures.ratio_to_mediapipe.median if figures.ratio_to_mediapipe else None
    yield Target("ratio_to_raw", ">= 0.95", raw, raw >= 0.95)
    yield Target("ratio_to_mediapipe", "> 1", other, None if other is None else other > 1)
    yield Target("first_label_seconds", "<= 0.8", first, first <= 0.8)
    yield Target("rss_mb", "< 120", figures.rss_mb, figures.rss_mb < 120)
    # Flat: what an allocator may still settle, not what a leak of a kilobyte a frame would add in 9,000 frames.
    yield Target("rss_growth_mb", "<= 2", figures.rss_growth_mb, figures.rss_growth_mb <= 2)
