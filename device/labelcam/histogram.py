# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Durations in buckets: any percentile of any run, in the same few kilobytes."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .account import BOUNDS_MS, Buckets, Percentiles

_GROWTH = 1.02
_SMALLEST_MS = 1e-4
_BUCKETS = 1200  # up to 1e-4 ms * 1.02 ** 1200 = 35 minutes
_PENDING = 1024

Counts = NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """How a histogram stood at one time; what came between two of them has percentiles of its own."""

    counts: Counts
    most: float
    """The greatest duration until then."""

    def percentiles_since(self, earlier: "Tally | None") -> Percentiles:
        """Return the figures of what came after `earlier`, or of everything; the greatest too is right within 1%."""
        recent = self.counts if earlier is None else self.counts - earlier.counts
        p50, p95, p99, most = (min(_quantile(recent, share), self.most) for share in (0.50, 0.95, 0.99, 1.0))
        return Percentiles(p50, p95, p99, most)


class Histogram:
    """Durations in buckets that grow by 2%, so that any percentile is right within 1% whatever the run's length.

    Values are collected and counted a thousand at a time: a logarithm a frame, taken between two invokes when the
    caches are full of weights, costs ten times what it does here.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(_BUCKETS, np.int64)
        self._pending: list[float] = []
        self._max = self._total_ms = 0.0

    def add(self, ms: float) -> None:
        """Count one duration in milliseconds."""
        self._pending.append(ms)
        if len(self._pending) == _PENDING:
            self._fold()

    def _fold(self) -> None:
        values = np.maximum(np.asarray(self._pending), _SMALLEST_MS)
        buckets = np.log(values / _SMALLEST_MS) / math.log(_GROWTH)
        self._counts += np.bincount(np.minimum(buckets.astype(int), _BUCKETS - 1), minlength=_BUCKETS)
        self._max = max(self._max, *self._pending)
        self._total_ms += math.fsum(self._pending)
        self._pending.clear()

    def counts(self) -> Counts:
        """Return how many durations each bucket holds."""
        if self._pending:
            self._fold()
        return self._counts.astype(np.uint32)

    def quantile(self, share: float) -> float:
        """Return the duration in milliseconds that `share` (0 to 1) of all do not exceed; 0 where none was counted."""
        # No percentile may exceed the greatest value.
        return min(_quantile(self.counts(), share), self._max)

    def percentiles(self) -> Percentiles:
        """Return the figures that reports show."""
        return Percentiles(self.quantile(0.50), self.quantile(0.95), self.quantile(0.99), self._max)

    def tally(self) -> Tally:
        """Return how things stand, to be kept and compared; 5 KB."""
        return Tally(self.counts(), self._max)

    def buckets(self) -> Buckets:
        """Return the counts at Prometheus' bounds; a duration within 2% of a bound may count on its other side."""
        running = np.cumsum(self.counts())
        counts = tuple(int(running[_bucket(bound)]) for bound in BOUNDS_MS)
        return Buckets(counts, int(running[-1]), self._total_ms)


def _bucket(ms: float) -> int:
    return int(math.log(ms / _SMALLEST_MS) / math.log(_GROWTH))


def _quantile(counts: Counts, share: float) -> float:
    total = int(counts.sum())
    if not total:
        return 0.0
    bucket = int(np.searchsorted(np.cumsum(counts), max(1, math.ceil(share * total))))
    return float(_SMALLEST_MS * _GROWTH ** (bucket + 0.5))  # the geometric middle of the bucket
