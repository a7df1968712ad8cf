# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""One minute's record, as it lies on the disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from ..account import Percentiles
from ..extremes import Range
from ..records import iso_time
from .clock import Clock

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class News:
    """A remark that came, or went."""

    time: datetime
    subject: str
    sentence: str | None
    """None: there is nothing to be remarked any more."""


@dataclass(frozen=True, slots=True)
class Change:
    """Another state: what came to be held to be there."""

    time: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened since the entry before: about a minute, less at the end of a run."""

    time: datetime
    """Wall clock, UTC, at its end."""

    clock: Clock
    boot: str
    """The kernel's id of this start of the machine."""

    monotonic_s: float
    """Seconds since then, at its end: right also where the wall clock is not."""

    seconds: float
    """How long it is."""

    frames: int
    dropped: Mapping[str, int]
    """Frames that came to nothing, by reason."""

    stages_ms: Mapping[str, Percentiles]
    """Of just these frames; empty without any."""

    age_ms: Percentiles | None
    energy: Mapping[str, Any] | None
    """As `Energy.as_json` has it, of just this time; None without a meter."""

    watts: Range | None
    celsius: Range | None
    mhz: Range | None
    throttled: bool | None
    """Whether the firmware held the clock down at any time of it."""

    undervolted: bool | None
    model: str
    delegate: str
    camera: str
    fps_limit: float | None
    rss_mb: float
    lost: Mapping[str, int]
    """Items that publishers had to drop, by their names."""

    changed: int
    """How often the state changed."""

    changes: Sequence[Change]
    """The first of those."""

    remarks: Mapping[str, str]
    """What stood at its end."""

    news: Sequence[News]

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the record as it is kept."""
        return {
            "schema": SCHEMA,
            "time": iso_time(self.time),
            "clock": self.clock,
            "boot": self.boot,
            "monotonic_s": round(self.monotonic_s, 3),
            "seconds": round(self.seconds, 3),
            "frames": self.frames,
            "fps": round(self.fps, 2),
            "dropped": dict(self.dropped),
            "stages_ms": {stage: spread.as_json() for stage, spread in self.stages_ms.items()},
            "age_ms": self.age_ms and self.age_ms.as_json(),
            "energy": self.energy and dict(self.energy),
            "watts": self.watts and self.watts.as_json(),
            "celsius": self.celsius and self.celsius.as_json(),
            "mhz": self.mhz and self.mhz.as_json(),
            "throttled": self.throttled,
            "undervolted": self.undervolted,
            "model": self.model,
            "delegate": self.delegate,
            "camera": self.camera,
            "fps_limit": None if self.fps_limit is None else round(self.fps_limit, 2),
            "rss_mb": round(self.rss_mb, 1),
            "lost": dict(self.lost),
            "changed": self.changed,
            "changes": [{"time": iso_time(one.time), "state": one.state} for one in self.changes],
            "remarks": dict(self.remarks),
            "news": [{"time": iso_time(n.time), "subject": n.subject, "sentence": n.sentence} for n in self.news],
        }


def entry_of(record: Mapping[str, Any]) -> Entry:
    """Return what a record says. Raises ValueError where it is of another kind than ours."""
    try:
        return Entry(
            time=datetime.fromisoformat(record["time"]),
            clock=cast("Clock", record["clock"]),
            boot=str(record["boot"]),
            monotonic_s=float(record["monotonic_s"]),
            seconds=float(record["seconds"]),
            frames=int(record["frames"]),
            dropped=dict(record["dropped"]),
            stages_ms={stage: Percentiles(**spread) for stage, spread in record["stages_ms"].items()},
            age_ms=record["age_ms"] and Percentiles(**record["age_ms"]),
            energy=record["energy"],
            watts=_range(record["watts"]),
            celsius=_range(record["celsius"]),
            mhz=_range(record["mhz"]),
            throttled=record["throttled"],
            undervolted=record["undervolted"],
            model=str(record["model"]),
            delegate=str(record["delegate"]),
            camera=str(record["camera"]),
            fps_limit=record["fps_limit"],
            rss_mb=float(record["rss_mb"]),
            lost=dict(record["lost"]),
            changed=int(record["changed"]),
            changes=[Change(datetime.fromisoformat(one["time"]), str(one["state"])) for one in record["changes"]],
            remarks=dict(record["remarks"]),
            news=[News(datetime.fromisoformat(n["time"]), str(n["subject"]), n["sentence"]) for n in record["news"]],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no record of ours: {error!r}") from None


def _range(ends: Mapping[str, float] | None) -> Range | None:
    return Range(float(ends["min"]), float(ends["max"])) if ends else None
