# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The running account of a run: stages since the start and over the last minute, counts, resident memory."""

import os
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .account import Buckets, Minute, Percentiles
from .histogram import Histogram, Tally
from .records import Reading, Stage

MARK_EVERY_NS = 10_000_000_000
"""How often the counts are remembered, to tell the last minute from the rest."""

MINUTE_NS = 60_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class _Mark:
    """How the account stood at one time."""

    ns: int
    frames: int
    dropped: int
    tallies: Mapping[str, Tally]


class Metrics:
    """Everything that is counted while the daemon runs. Only for the pipeline's thread."""

    def __init__(self) -> None:
        self._stages = {stage: Histogram() for stage in Stage}
        self._age = Histogram()
        self._labels: Counter[str] = Counter()
        self.frames = 0
        """That were classified."""

        self.dropped = 0
        """That came to nothing."""

        self._first_ns = self._last_ns = 0
        self._marks: deque[_Mark] = deque()
        self._mark_at_ns = 0

    def note(self, reading: Reading, done_ns: int) -> None:
        """Count one reading, decided at `done_ns` on the monotonic clock."""
        if self.frames == 0:
            self._first_ns = done_ns
        if done_ns >= self._mark_at_ns:
            self._mark(done_ns)
        self._last_ns = done_ns
        self.frames += 1
        self.dropped += reading.dropped
        self._labels[reading.decision.top[0].label] += 1
        self._age.add(reading.age_ms)
        for stage, ms in reading.stages_ms.items():
            self._stages[stage].add(ms)

    def _mark(self, now_ns: int) -> None:
        self._mark_at_ns = now_ns + MARK_EVERY_NS
        self._marks.append(_Mark(now_ns, self.frames, self.dropped, self.tallies()))
        while len(self._marks) > 1 and now_ns - self._marks[1].ns >= MINUTE_NS:
            self._marks.popleft()

    @property
    def seconds(self) -> float:
        """From the first decision to the last."""
        return (self._last_ns - self._first_ns) / 1e9

    @property
    def fps(self) -> float:
        """Decisions a second: the first starts the clock, so it is not among those made since."""
        return (self.frames - 1) / self.seconds if self.seconds > 0 else 0.0

    def stages_ms(self) -> dict[Stage, Percentiles]:
        """Return how each stage's durations were spread since the start."""
        return {stage: histogram.percentiles() for stage, histogram in self._stages.items()}

    def age_ms(self) -> Percentiles:
        """Return the same of the time from sensor to decision."""
        return self._age.percentiles()

    def last_minute(self, now_ns: int) -> Minute:
        """Return the account of the last 60 to 70 seconds; of a shorter run, all of it."""
        if now_ns >= self._mark_at_ns:
            self._mark(now_ns)
        since, tallies = self._marks[0], self.tallies()
        spread = {name: tally.percentiles_since(since.tallies[name]) for name, tally in tallies.items()}
        return Minute(
            frames=self.frames - since.frames,
            seconds=(now_ns - since.ns) / 1e9,
            dropped=self.dropped - since.dropped,
            stages_ms={stage: spread[stage.value] for stage in Stage},
            age_ms=spread["age"],
        )

    def tallies(self) -> dict[str, Tally]:
        """Return how every stage, by its name, and `age` stand."""
        return {stage.value: self._stages[stage].tally() for stage in Stage} | {"age": self._age.tally()}

    def buckets(self) -> dict[str, Buckets]:
        """Return the counts of every stage, by its name, and of `age`, at Prometheus' bounds."""
        return {stage.value: self._stages[stage].buckets() for stage in Stage} | {"age": self._age.buckets()}

    def labels(self) -> dict[str, int]:
        """Return how often each label was the best, the most frequent first."""
        return dict(self._labels.most_common())


def resident_bytes() -> int:
    """Return this process's resident memory, as proc(5) has it in /proc/self/statm."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")
