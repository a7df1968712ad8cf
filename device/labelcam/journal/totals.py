# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the entries shown add up to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .entry import Entry


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over entries."""

    seconds: float
    frames: int
    dropped: Counter[str]
    changed: int
    throttled: int
    """Entries in which the board was held back."""

    joules: float
    error_joules: float
    """The sum of the errors: no less than the error of the sum."""

    metered_frames: int
    """Frames of the entries that have energy."""

    metered_seconds: float
    """That the meter covered, of the same entries."""

    @property
    def mj_per_inference(self) -> tuple[float, float] | None:
        """Whole-board, with its error; None without a meter."""
        if not self.metered_frames:
            return None
        return self.joules / self.metered_frames * 1e3, self.error_joules / self.metered_frames * 1e3


def totals(entries: Sequence[Entry]) -> Totals:
    """Add up. Where the meter did not cover a minute whole, the mean power that it saw is taken for all of it."""
    dropped: Counter[str] = Counter()
    joules = error = metered = 0.0
    frames = 0
    for entry in entries:
        dropped.update(entry.dropped)
        if entry.energy and entry.energy["joules"] is not None:
            stretch = entry.seconds / entry.energy["seconds"]
            joules += entry.energy["joules"] * stretch
            error += entry.energy["error_joules"] * stretch
            metered += entry.seconds
            frames += entry.frames
    return Totals(
        seconds=sum(entry.seconds for entry in entries),
        frames=sum(entry.frames for entry in entries),
        dropped=dropped,
        changed=sum(entry.changed for entry in entries),
        throttled=sum(bool(entry.throttled) for entry in entries),
        joules=joules,
        error_joules=error,
        metered_frames=frames,
        metered_seconds=metered,
    )
