# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a run amounted to: so far, over the last minute, and at its end."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .energy import Energy
from .extremes import NO_EXTREMES, Extremes
from .records import NO_VITALS, SCHEMA, Stage, Vitals

if TYPE_CHECKING:
    from .histogram import Tally  # which itself gives Percentiles

BOUNDS_MS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0)
"""Up to where `Buckets` count, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How a quantity was spread, in milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float

    def as_json(self) -> dict[str, float]:
        """Return the figures, in microseconds' precision."""
        return {name: round(getattr(self, name), 3) for name in ("p50", "p95", "p99", "max")}


NOTHING = Percentiles(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Buckets:
    """How often a quantity was at most so large, in Prometheus' way."""

    counts: tuple[int, ...]
    """For each of BOUNDS_MS, how many were not above it."""

    count: int
    """Of all."""

    total_ms: float
    """Their sum."""


@dataclass(frozen=True, slots=True)
class Minute:
    """The last minute, or as much of it as there has been."""

    frames: int = 0
    seconds: float = 0.0
    dropped: int = 0
    stages_ms: Mapping[Stage, Percentiles] = field(default_factory=dict)
    age_ms: Percentiles = NOTHING
    extremes: Extremes = NO_EXTREMES
    """How far power, temperature and clock ranged."""

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the minute in the public form."""
        return {
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "fps": round(self.fps, 2),
            "dropped": self.dropped,
            "stages_ms": {stage.value: spread.as_json() for stage, spread in self.stages_ms.items()},
            "age_ms": self.age_ms.as_json(),
            **self.extremes.as_json(),
        }


@dataclass(frozen=True, slots=True)
class ShadowAccount:
    """How often a second model disagrees with the one that is live."""

    model: str
    asked: int
    """Frames that both have answered."""

    disagreed: int
    """Of those, the ones with another best label."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run amounted to."""

    frames: int
    dropped: int
    skipped: int
    """Images of a folder that could not be read."""

    seconds: float
    """From the first decision to the last."""

    fps: float
    model: str
    runtime: str
    delegate: str
    delegated_ops: tuple[int, int]
    """Operations that the delegate took, of all."""

    threads: int
    stages_ms: Mapping[Stage, Percentiles]
    age_ms: Percentiles
    rss_mb: float
    """Resident memory of the process at the end, in 10^6 bytes."""

    labels: Mapping[str, int]
    """How often each label was the best, most frequent first."""

    publishers: Mapping[str, int]
    """Readings that each publisher had to drop because it was too slow."""

    dropped_reasons: Mapping[str, int] = field(default_factory=dict)
    """Frames that came to nothing, by reason: stale ones, which a newer one replaced, and bad ones."""

    camera: Literal["ok", "lost"] = "ok"
    """Whether the camera delivers right now."""

    vitals: Vitals = NO_VITALS
    """How the board was just now."""

    energy: Energy | None = None
    """What the meter has counted since the start; None without one."""

    last_minute: Minute = field(default_factory=Minute)
    buckets: Mapping[str, Buckets] = field(default_factory=dict)
    """Of every stage by its name, and of "age"; for Prometheus."""

    remarks: Mapping[str, str] = field(default_factory=dict)
    """What is not as one would expect, a sentence a subject: camera, model, delegate, rate, …"""

    made_ns: int = 0
    """Monotonic clock, nanoseconds: when this account was made."""

    tallies: "Mapping[str, Tally]" = field(default_factory=dict)
    """Of every stage by its name, and of "age": what percentiles between two accounts are reckoned from."""

    fps_limit: float | None = None
    """Frames a second that heat or power leave us; None where nothing holds us back."""

    shadow: ShadowAccount | None = None
    fallbacks: int = 0
    """How often the CPU had to take over from an Edge TPU."""

    def as_json(self) -> dict[str, Any]:
        """Return the summary in the public form."""
        return {
            "schema": SCHEMA,
            "frames": self.frames,
            "dropped": self.dropped,
            "dropped_reasons": dict(self.dropped_reasons),
            "camera": self.camera,
            "skipped": self.skipped,
            "seconds": round(self.seconds, 3),
            "fps": round(self.fps, 2),
            "fps_limit": None if self.fps_limit is None else round(self.fps_limit, 2),
            "model": self.model,
            "runtime": self.runtime,
            "delegate": self.delegate,
            "delegated_ops": list(self.delegated_ops),
            "threads": self.threads,
            "stages_ms": {stage.value: spread.as_json() for stage, spread in self.stages_ms.items()},
            "age_ms": self.age_ms.as_json(),
            "last_minute": self.last_minute.as_json(),
            "rss_mb": round(self.rss_mb, 1),
            "celsius": self.vitals.celsius,
            "throttled": self.vitals.throttled,
            "energy": self.energy and self.energy.as_json(self.fps),
            "labels": dict(self.labels),
            "publishers": {name: {"dropped": dropped} for name, dropped in self.publishers.items()},
            "remarks": dict(self.remarks),
            "shadow": self.shadow and asdict(self.shadow),
            "fallbacks": self.fallbacks,
        }
