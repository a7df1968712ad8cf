# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The journal as people ask for it: dated as well as can be, from a moment on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..errors import LabelcamError, UsageError
from .entry import Entry, entry_of
from .segments import records

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}

FORMS = "30m, 6h, 7d, a date such as 2026-11-25 or 2026-11-25T08:30, or all"


@dataclass(frozen=True, slots=True)
class Since:
    """From when on."""

    moment: datetime | None = None
    """UTC."""

    recorded: timedelta | None = None
    """So much before the last entry, whenever that was."""


LAST_HOUR = Since(recorded=timedelta(hours=1))
EVERYTHING = Since()


def since_of(text: str, now: datetime) -> Since:
    """Return what `--since` means. Raises UsageError, with the forms there are, if it means nothing."""
    if text == "all":
        return EVERYTHING
    count, unit = text[:-1], UNITS.get(text[-1:])
    try:
        if unit:
            return Since(now - unit * float(count))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(f"--since {text!r}: no time; use {FORMS}") from None
    return Since(moment.astimezone(UTC))  # without an offset it is this machine's own time


def entries(folder: Path) -> list[Entry]:
    """Return everything that a folder holds, the oldest first. Raises LabelcamError if it cannot be read."""
    try:
        if not folder.is_dir():
            raise LabelcamError(
                f"{folder}: no journal there; run the daemon as a service, or set folder under [journal]"
            )
        found = []
        for record in records(folder):
            try:
                found.append(entry_of(record))
            except ValueError:
                continue  # of another version, or damaged
    except PermissionError as error:
        raise LabelcamError(f"{error.filename}: no permission to read it; use sudo, or the group labelcam") from None
    return dated(found)


def dated(found: Sequence[Entry]) -> list[Entry]:
    """Return the entries with the wall-clock time that can be known.

    What was written before a Pi had the time is dated by what was written after, in the same start of the machine.
    """
    started = {entry.boot: entry.time - _since_start(entry) for entry in found if entry.clock == "synced"}
    return [
        replace(entry, time=started[entry.boot] + _since_start(entry), clock="synced")
        if entry.clock == "unsynced" and entry.boot in started
        else entry
        for entry in found
    ]


def _since_start(entry: Entry) -> timedelta:
    return timedelta(seconds=entry.monotonic_s)


def chosen(found: Sequence[Entry], since: Since) -> Sequence[Entry]:
    """Return the entries from a moment on, in the order they were written in: times may go backwards, that does not."""
    moment = since.moment
    if since.recorded is not None and found:
        moment = found[-1].time - since.recorded
    if moment is None:
        return found
    first = next((place for place, entry in enumerate(found) if entry.time > moment), len(found))
    return found[first:]
