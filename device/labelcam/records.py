# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What flows through the daemon: frames in, readings out, a summary at the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from .images import Pixels

UNKNOWN, DARK = "unknown", "dark"
"""The states that are no labels: nothing is sure enough; it is too dark to see. A label may be called the same: what
enters and leaves is told by events."""

SCHEMA = 1
"""Counts up when a consumer of readings or summaries could misread them."""


class Stage(StrEnum):
    """The steps that every frame goes through, each timed on its own."""

    CAPTURE = "capture"
    """From the frame's time stamp until its pixels are in our memory: read-out, transfer, decoding."""

    PREPROCESS = "preprocess"
    INVOKE = "invoke"
    DECIDE = "decide"


@dataclass(frozen=True, slots=True, eq=False)  # arrays do not compare to a single bool
class Frame:
    """One image as the camera delivered it."""

    pixels: Pixels
    """Height x width x 3, RGB; only valid until the next capture."""

    taken_ns: int
    """Monotonic clock, nanoseconds; at the sensor where the camera says so."""

    source: str | None = None
    """Name of the file that the frame came from; None for a camera."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is known of a frame whose pixels wait in the network's input."""

    seq: int
    """Counts every frame that the camera delivered, from 0."""

    dropped: int
    """Frames since the last that was classified: those that a newer one replaced, and those that were no good."""

    taken_ns: int
    source: str | None
    capture_ms: float
    preprocess_ms: float
    dark: bool = False
    """Nothing can be seen on it: it is night, or the lens is covered."""


@dataclass(frozen=True, slots=True)
class Label:
    """One answer of the network."""

    label: str
    score: float
    """0 to 1 for networks that end in a softmax."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something came into view, or went."""

    type: Literal["enter", "leave"]
    label: str
    duration_s: float
    """How long it has been there; 0 for enter."""

    def as_json(self) -> dict[str, Any]:
        """Return the event in the public form."""
        return {"type": self.type, "label": self.label, "duration_s": round(self.duration_s, 3)}


@dataclass(frozen=True, slots=True)
class Decision:
    """What we make of one frame's scores."""

    top: tuple[Label, ...]
    """What this frame alone shows: best first, never empty, the labels of a group as one."""

    state: str
    """The label or group that is held to be there, else 'unknown' or 'dark'."""

    event: Event | None


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything we learned from one frame: what it shows, and what that cost."""

    seq: int
    time: datetime
    """Wall clock, UTC, when the decision was made."""

    source: str | None
    decision: Decision
    age_ms: float
    """From the frame's time stamp to the decision."""

    stages_ms: Mapping[Stage, float]
    dropped: int
    """Frames dropped just before this one."""

    def as_json(self) -> dict[str, Any]:
        """Return the reading in the public form that other people's scripts parse."""
        best = self.decision.top[0]
        event = self.decision.event
        return {
            "schema": SCHEMA,
            "seq": self.seq,
            "time": iso_time(self.time),
            "source": self.source,
            "label": best.label,
            "score": best.score,
            "top": [{"label": label.label, "score": label.score} for label in self.decision.top],
            "state": self.decision.state,
            "event": event and event.as_json(),
            "age_ms": round(self.age_ms, 3),
            "stages_ms": {stage.value: round(ms, 3) for stage, ms in self.stages_ms.items()},
            "dropped": self.dropped,
            # No meter reads these yet; null is the documented 'this board cannot tell'.
            "watts": None,
            "celsius": None,
            "throttled": None,
        }


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be said without a reading: while the camera is away, and at the end."""

    time: datetime
    """Wall clock, UTC."""

    camera: Literal["ok", "lost"]
    reason: str = ""
    """Why the camera is lost, with the remedy."""

    event: Event | None = None
    """The leave of what was there: nobody knows any more."""

    def as_json(self) -> dict[str, Any]:
        """Return the notice in the public form: the keys of a reading, nothing in them, and what became of the camera.

        Who parses readings line by line finds every key there; a reading has no "camera".
        """
        nothing = ("seq", "source", "label", "score", "state", "age_ms", "dropped", "watts", "celsius", "throttled")
        return {
            "schema": SCHEMA,
            "time": iso_time(self.time),
            **dict.fromkeys(nothing),
            "top": [],
            "stages_ms": {},
            "event": self.event and self.event.as_json(),
            "camera": self.camera,
            "reason": self.reason,
        }


def iso_time(moment: datetime) -> str:
    """Return a moment as UTC with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How a quantity was spread, in milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float


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
            "model": self.model,
            "runtime": self.runtime,
            "delegate": self.delegate,
            "delegated_ops": list(self.delegated_ops),
            "threads": self.threads,
            "stages_ms": {stage.value: _rounded(spread) for stage, spread in self.stages_ms.items()},
            "age_ms": _rounded(self.age_ms),
            "rss_mb": round(self.rss_mb, 1),
            "energy": None,
            "labels": dict(self.labels),
            "publishers": {name: {"dropped": dropped} for name, dropped in self.publishers.items()},
        }


def _rounded(spread: Percentiles) -> dict[str, float]:
    return {name: round(getattr(spread, name), 3) for name in ("p50", "p95", "p99", "max")}
