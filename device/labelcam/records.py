# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What flows through the daemon: frames in, readings out, and what is to be said between them."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    """Height x width x 3, RGB; a camera never writes into it again."""

    taken_ns: int
    """Monotonic clock, nanoseconds; at the sensor where the camera says so."""

    source: str | None = None
    """Name of the file that the frame came from; None for a camera."""


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
class Vitals:
    """How the board was when it was last asked; None where it cannot tell."""

    watts: float | None = None
    celsius: float | None = None
    throttled: bool | None = None
    """The firmware holds the clock down right now, for heat or for want of voltage."""

    mhz: float | None = None
    """The CPU's clock."""


NO_VITALS = Vitals()


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

    vitals: Vitals = NO_VITALS

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
            "watts": self.vitals.watts,
            "celsius": self.vitals.celsius,
            "throttled": self.vitals.throttled,
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
class ModelCard:
    """What runs from now on, for those who tell people."""

    name: str
    labels: tuple[str, ...]
    """What can be held to be there: groups, and labels that are in none."""

    sha256: str
    """Of the model file."""

    width: int
    height: int
    """Pixels of the network's input."""

    scheme: str
    """In full words, as the manifest has it; empty for a plain .tflite."""

    architecture: str
    fidelity: Mapping[str, Any]
    """How well it answers like the float network, as the manifest has it; empty where nobody measured."""

    licence: str
    """Of the weights."""

    runtime: str
    """The interpreter and its version."""
