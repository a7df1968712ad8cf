# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that are hard for the model, kept on disk within bounds, for `labelcam-convert build --images` as they are.

No label is told by a folder: what the model said of a hard frame is just what should not be believed.
"""

import json
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .account import Summary
from .errors import SettingsError
from .keeping import folder_to_keep
from .pictures import Picture, Pictures
from .publish import Publisher
from .records import Reading
from .settings import ReservoirSettings

log = logging.getLogger(__name__)

Reason = Literal["margin", "rare", "disputed"]

PREFIX = "hard-"
"""Of our files: nothing else in the folder is ever counted or deleted."""

QUALITY = 95
"""Of the JPEGs; lower would calibrate on what the camera does not show."""

SETTLED_FRAMES = 1000
"""Before which no label is called rare."""

PLAUSIBLE_S = 1_735_689_600.0
"""2025: a clock that says less has not been set yet, and says nothing about a file's age."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A picture on disk, with what was made of it beside it."""

    path: Path
    bytes: int
    saved_s: float
    """Wall clock, seconds since 1970."""

    def delete(self) -> None:
        for path in (self.path, self.path.with_suffix(".json")):
            path.unlink(missing_ok=True)


class Reservoir(Publisher):
    """Keeps a hard frame now and then."""

    name = "reservoir"

    def __init__(
        self,
        settings: ReservoirSettings,
        folder: Path,
        pictures: Pictures,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare to keep frames below `folder`. Raises SettingsError if nothing can be written there."""
        self._settings, self._folder, self._pictures = settings, folder, pictures
        self._clock, self._wall_clock = clock, wall_clock
        self._due_s = 0.0
        self._last_seq = -1
        self._states: Counter[str] = Counter()
        self._seen = 0
        self._full = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(None, "not ours to write to")
        except OSError as error:
            raise SettingsError(
                f"reservoir.folder {folder} cannot be used ({error.strerror}); name another, or chown it"
            ) from None
        self._kept: list[_Kept] = []

    def open(self) -> None:
        # Not before: until now another, whose place we take, may have kept frames.
        _tidy(self._folder)
        self._kept = list(_found(self._folder))

    def wants(self, reading: Reading) -> bool:
        state = reading.decision.state
        self._states[state] += 1
        self._seen += 1
        return self._clock() >= self._due_s and self._reason(reading) is not None

    def _reason(self, reading: Reading) -> Reason | None:
        top, event = reading.decision.top, reading.decision.event
        if len(top) > 1 and top[0].score - top[1].score < self._settings.margin:
            return "margin"
        share = self._states[reading.decision.state] / self._seen
        entered = event is not None and event.type == "enter"
        if entered and self._seen >= SETTLED_FRAMES and share < self._settings.rare_share:
            return "rare"
        return "disputed" if self._pictures.has_disputed() else None

    def publish(self, reading: Reading) -> None:
        if self._clock() < self._due_s:  # another one of those that waited with it has just been kept
            return
        reason = self._reason(reading)
        picture = self._pictures.disputed() if reason == "disputed" else self._pictures.of(reading.seq)
        if (
            reason is None or picture is None or picture.reading.seq == self._last_seq
        ):  # kept already, and then disputed
            return
        self._due_s = self._clock() + self._settings.every_seconds
        self._last_seq = picture.reading.seq
        try:
            self._keep(picture, reason)
        except OSError as error:
            if not self._full:
                log.warning("reservoir-full folder=%s reason=%s; frames are not kept", self._folder, error.strerror)
            self._full = True
        else:
            self._full = False

    def report(self, summary: Summary) -> None:  # noqa: ARG002, every minute something may become too old
        with suppress(OSError):  # said when the next one is to be kept
            self._make_room(0)

    def _keep(self, picture: Picture, reason: Reason) -> None:
        moment = picture.reading.time.strftime("%Y%m%dT%H%M%S")
        path = self._folder / f"{PREFIX}{moment}-{picture.reading.seq}-{reason}.jpg"
        data = picture.jpeg(quality=QUALITY)
        told = json.dumps(picture.reading.as_json() | {"kept_for": reason}).encode()
        kept = _Kept(path, len(data) + len(told), self._wall_clock())
        self._make_room(kept.bytes)
        try:
            _write(path.with_suffix(".json"), told)
            _write(path, data)
        except OSError:
            kept.delete()
            raise
        self._kept.append(kept)

    def _make_room(self, coming: int) -> None:
        now_s, limit = self._wall_clock(), self._settings.max_mb * 1e6
        total = coming + sum(kept.bytes for kept in self._kept)
        for kept in tuple(self._kept):
            if total > limit or self._is_too_old(kept, now_s):
                kept.delete()
                self._kept.remove(kept)
                total -= kept.bytes

    def _is_too_old(self, kept: _Kept, now_s: float) -> bool:
        known = kept.saved_s >= PLAUSIBLE_S <= now_s
        return known and now_s - kept.saved_s > self._settings.max_days * 86_400


def reservoir_folder(settings: ReservoirSettings) -> Path:
    """Return where frames are kept. Raises SettingsError where neither the settings nor systemd name a place."""
    folder = folder_to_keep(settings.folder, "reservoir")
    if folder is None:
        raise SettingsError("reservoir.enabled needs a place to keep frames; set folder under [reservoir]")
    return folder


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole or not at all."""
    unfinished = path.with_name(f".{path.name}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def _tidy(folder: Path) -> None:
    """Delete what a process that was killed has left half-written."""
    alone = (path for path in folder.glob(f"{PREFIX}*.json") if not path.with_suffix(".jpg").exists())
    for path in (*folder.glob(f".{PREFIX}*"), *alone):
        with suppress(OSError):
            path.unlink()


def _found(folder: Path) -> Iterator[_Kept]:
    """Yield what was kept before, the oldest first."""
    for path in sorted(folder.glob(f"{PREFIX}*.jpg")):
        with suppress(FileNotFoundError):  # somebody has just taken it away
            found = path.stat()
            told = path.with_suffix(".json")
            yield _Kept(path, found.st_size + (told.stat().st_size if told.exists() else 0), found.st_mtime)
