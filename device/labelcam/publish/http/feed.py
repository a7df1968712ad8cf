# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What there is to be told: the newest of everything, the last events, three minutes of stages."""

import json
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from ... import __version__
from ...account import Summary
from ...records import SCHEMA, Event, ModelCard, Notice, Reading, iso_time

EVENTS = 24
"""That are remembered."""

SAMPLES = 180
"""Of the stages, one a second."""

FIDELITY = ("top1_agreement", "kl", "images", "held_out")
"""What of the manifest's figures is shown; those of every layer are for the report."""


class Slot:
    """The newest of one kind of news: written by one thread, read by another, encoded once, and only if asked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._newest: tuple[int, Callable[[], Any]] = (0, lambda: None)
        self._encoded: tuple[int, bytes] = (0, b"")

    @property
    def version(self) -> int:
        """Counts up with everything that is put here; 0 as long as there is nothing."""
        return self._newest[0]

    def put(self, document: Callable[[], Any]) -> None:
        """Replace what was there. The document is made when somebody asks."""
        self._newest = (self._newest[0] + 1, document)

    def document(self) -> Any:
        """Return the newest, None before the first."""
        return self._newest[1]()

    def message(self) -> bytes:
        """Return the newest as a server-sent event."""
        version, document = self._newest
        if self._encoded[0] != version:
            text = json.dumps(document(), ensure_ascii=True)  # no label can end the line
            self._encoded = (version, f"event: {self.name}\ndata: {text}\n\n".encode())
        return self._encoded[1]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that came or went, with the picture of that moment."""

    id: str
    """Never given twice, not even by the next run."""

    event: Event
    time: datetime
    thumbnail: bytes | None
    """JPEG."""

    def as_json(self) -> dict[str, Any]:
        """Return it in the public form."""
        thumbnail = f"/api/v1/events/{self.id}.jpg" if self.thumbnail else None
        return {"id": self.id, "time": iso_time(self.time), **self.event.as_json(), "thumbnail": thumbnail}


class Feed:
    """Written by the publisher's thread, read by the server's; the newest reading and its time, by the pipeline's."""

    def __init__(
        self,
        node: str,
        names: Mapping[str, str],
        lately_s: float,
        clock: Callable[[], float],
        *,
        private: bool,
        guarded: bool,
    ) -> None:
        """Begin with nothing; `guarded` by a token, one can sign out."""
        self.viewers = 0
        """Streams that are served right now."""

        self.summary: Summary | None = None
        self.latest: Reading | None = None
        self.lost = False
        """The camera is away."""

        self._node, self._names = node, dict(names)
        self._private, self._guarded = private, guarded
        self._lately_s, self._clock = lately_s, clock
        self._seen_s: float | None = None
        self._run, self._count = secrets.token_hex(4), 0
        self._happenings: deque[Happening] = deque(maxlen=EVENTS)
        self._samples: deque[tuple[int, dict[str, float]]] = deque(maxlen=SAMPLES)
        self.model, self.camera, self.events = Slot("model"), Slot("camera"), Slot("events")
        self.accounts, self.readings = Slot("account"), Slot("reading")
        self.slots = (self.model, self.camera, self.events, self.accounts, self.readings)
        self._camera_is("waiting", "", datetime.now(UTC))
        self.events.put(list)

    def note(self, reading: Reading, now_s: float) -> None:
        """Remember the newest reading; called for every frame, so nothing more may happen here."""
        self.latest, self._seen_s = reading, now_s

    @property
    def camera_up(self) -> bool:
        """Whether the camera delivers, as far as one knows."""
        return self.latest is not None and not self.lost

    def classified_lately(self) -> bool:
        """Whether a frame was."""
        return self._seen_s is not None and self._clock() - self._seen_s <= self._lately_s

    def introduce(self, card: ModelCard) -> None:
        """Show what runs."""
        shown = {name: value for name, value in asdict(card).items() if name not in ("labels", "fidelity")}
        shown["labels"] = len(card.labels)
        shown["fidelity"] = {name: card.fidelity[name] for name in FIDELITY if name in card.fidelity}
        self.model.put(lambda: shown)

    def show(self, reading: Reading) -> None:
        """Tell a reading to those who watch."""
        if self.lost or self.readings.version == 0:
            self.lost = False
            self._camera_is("ok", "", reading.time)
        self.readings.put(reading.as_json)

    def sample(self, reading: Reading) -> None:
        """Keep what the stages took, for those who come later."""
        stages = {stage.value: round(ms, 3) for stage, ms in reading.stages_ms.items()}
        self._samples.append((int(reading.time.timestamp() * 1000), stages))

    def happen(self, event: Event, time: datetime, thumbnail: bytes | None) -> None:
        """Remember an event."""
        self._count += 1
        self._happenings.append(Happening(f"{self._run}-{self._count}", event, time, thumbnail))
        newest = tuple(self._happenings)
        self.events.put(lambda: [happening.as_json() for happening in newest])

    def happening(self, name: str) -> Happening | None:
        """Return the event of this id, if it is still remembered."""
        return next((happening for happening in tuple(self._happenings) if happening.id == name), None)

    def account(self, summary: Summary) -> None:
        """Tell the account of the run so far."""
        self.summary = summary
        self.accounts.put(summary.as_json)

    def notice(self, notice: Notice) -> None:
        """Tell what became of the camera."""
        if notice.camera == "lost" and not self.lost:
            self.lost = True
            self._camera_is("lost", notice.reason, notice.time)

    def _camera_is(self, camera: str, reason: str, since: datetime) -> None:
        told = {"camera": camera, "reason": reason, "since": iso_time(since)}
        self.camera.put(lambda: told)

    def hello(self) -> dict[str, Any]:
        """Return what a stream begins with."""
        return {
            "schema": SCHEMA,
            "version": __version__,
            "node": self._node,
            "private": self._private,
            "names": self._names,
            "token": self._guarded,
            "samples": list(self._samples),
        }

    def state(self) -> dict[str, Any]:
        """Return everything in one document: /api/v1/state."""
        return {
            "schema": SCHEMA,
            "version": __version__,
            "node": self._node,
            "private": self._private,
            "classified_lately": self.classified_lately(),
            **self.camera.document(),
            "reading": self.latest and self.latest.as_json(),
            "names": self._names,
            "events": self.events.document(),
            "model": self.model.document(),
            "account": self.accounts.document(),
        }
