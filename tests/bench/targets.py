# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What we set out to reach on mobilenet_v2, and whether we did."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from pace import Pace


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

    everything_to_raw: Spread | None
    """The same with JSON lines, MQTT and metrics on; None where there is no broker."""

    ratio_to_mediapipe: Spread | None
    first_label_seconds: Spread
    rss_mb: float
    rss_growth_mb: float
    pace: Pace


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
    full = figures.everything_to_raw.median if figures.everything_to_raw else None
    yield Target("everything_to_raw", ">= 0.97", full, None if full is None else full >= 0.97)
    yield Target("ratio_to_mediapipe", "> 1", other, None if other is None else other > 1)
    yield Target("first_label_seconds", "<= 0.8", first, first <= 0.8)
    yield Target("rss_mb", "< 120", figures.rss_mb, figures.rss_mb < 120)
    # Flat: what an allocator may still settle, not what a leak of a kilobyte a frame would add in 9,000 frames.
    yield Target("rss_growth_mb", "<= 2", figures.rss_growth_mb, figures.rss_growth_mb <= 2)
    pace = figures.pace
    limit = f"<= {pace.age_limit_ms:g}: two invokes and a frame interval"
    yield Target("age_p99_ms", limit, pace.age_p99_ms, pace.age_p99_ms <= pace.age_limit_ms)
    share = f"<= {pace.core_limit:g}: ten invokes a second and five points"
    yield Target("core_share_at_10_fps", share, pace.core_share, pace.core_share <= pace.core_limit)
