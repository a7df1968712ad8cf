# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The running account of a run: percentiles of every stage in bounded memory, counts, resident memory."""

import math
import os
from collections import Counter
from pathlib import Path

import numpy as np

from .account import Percentiles, Summary
from .records import Reading, Stage
from .runtime import Delegation

_GROWTH = 1.02
_SMALLEST_MS = 1e-4
_BUCKETS = 1200  # up to 1e-4 ms * 1.02 ** 1200 = 35 minutes
_PENDING = 1024


class Histogram:
    """Durations in buckets that grow by 2%, so that any percentile is right within 1% whatever the run's length.

    Values are collected and counted a thousand at a time: a logarithm a frame, taken between two invokes when the
    caches are full of weights, costs ten times what it does here.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(_BUCKETS, np.int64)
        self._pending: list[float] = []
        self._max = 0.0

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
        self._pending.clear()

    def quantile(self, share: float) -> float:
        """Return the duration in milliseconds that `share` (0 to 1) of all do not exceed; 0 where none was counted."""
        if self._pending:
            self._fold()
        total = int(self._counts.sum())
        if not total:
            return 0.0
        bucket = int(np.searchsorted(np.cumsum(self._counts), max(1, math.ceil(share * total))))
        # The geometric middle of the bucket; no percentile may exceed the greatest value.
        return float(min(_SMALLEST_MS * _GROWTH ** (bucket + 0.5), self._max))

    def percentiles(self) -> Percentiles:
        """Return the figures that reports show."""
        return Percentiles(self.quantile(0.50), self.quantile(0.95), self.quantile(0.99), self._max)


class Metrics:
    """Everything that is counted while the daemon runs."""

    def __init__(self, model: str, runtime: str, delegation: Delegation, threads: int) -> None:
        self._model, self._runtime, self._delegation, self._threads = model, runtime, delegation, threads
        self._stages = {stage: Histogram() for stage in Stage}
        self._age = Histogram()
        self._labels: Counter[str] = Counter()
        self.frames = 0
        self._dropped = 0
        self._first_ns = self._last_ns = 0

    def note(self, reading: Reading, done_ns: int) -> None:
        """Count one reading, decided at `done_ns` on the monotonic clock."""
        if self.frames == 0:
            self._first_ns = done_ns
        self._last_ns = done_ns
        self.frames += 1
        self._dropped += reading.dropped
        self._labels[reading.decision.top[0].label] += 1
        self._age.add(reading.age_ms)
        for stage, ms in reading.stages_ms.items():
            self._stages[stage].add(ms)

    def summary(self, skipped: int, publishers: dict[str, int]) -> Summary:
        """Return the account so far."""
        seconds = (self._last_ns - self._first_ns) / 1e9
        return Summary(
            frames=self.frames,
            dropped=self._dropped,
            skipped=skipped,
            seconds=seconds,
            # The first decision starts the clock, so it is not among those made since.
            fps=(self.frames - 1) / seconds if seconds > 0 else 0.0,
            model=self._model,
            runtime=self._runtime,
            delegate=self._delegation.delegate,
            delegated_ops=(self._delegation.taken, self._delegation.total),
            threads=self._threads,
            stages_ms={stage: histogram.percentiles() for stage, histogram in self._stages.items()},
            age_ms=self._age.percentiles(),
            rss_mb=resident_bytes() / 1e6,
            labels=dict(self._labels.most_common()),
            publishers=publishers,
        )


def resident_bytes() -> int:
    """Return this process's resident memory, as proc(5) has it in /proc/self/statm."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")
