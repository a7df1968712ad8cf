# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The journal as one HTML page that asks no network for anything."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from ...account import Percentiles
from ...web.sheet import sheet
from ..entry import Entry
from ..telling import amounts, news

APART_S = 150.0
"""Entries that lie further apart are not joined by a line."""


def to_html(entries: Sequence[Entry]) -> str:
    """Return the page of at least one entry."""
    first, last = entries[0], entries[-1]
    energy = any(entry.energy and entry.energy["watts"] is not None for entry in entries)
    board = any(entry.celsius or entry.mhz for entry in entries)
    parts = {
        "command": "journal",
        "about": "The record of every minute",
        "title": escape(last.model),
        "scheme": " to ".join(f"{entry.time.astimezone():%A %d %B %Y, %H:%M}" for entry in (first, last)),
        "verdict": _verdict(entries),
        "amounts": "".join(
            f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in amounts(entries)
        ),
        "news": "".join(f"<li><b>{escape(when)}</b> {escape(text)}</li>" for when, text in news(entries)),
        "news_class": "" if any(entry.news for entry in entries) else "absent",
        "energy_class": "" if energy else "absent",
        "board_class": "" if board else "absent",
    }
    return sheet(_file("page.html"), parts, _figures(entries), _file("style.css"), _file("plots.js"))


def _verdict(entries: Sequence[Entry]) -> str:
    last = entries[-1]
    if not last.remarks:
        return '<p class="verdict"><strong>Nothing to remark</strong> at the end of this record.</p>'
    said = "; ".join(f"{subject}: {sentence}" for subject, sentence in last.remarks.items())
    return f'<p class="verdict bad"><strong>{escape(said)}</strong></p>'


def _figures(entries: Sequence[Entry]) -> dict[str, Any]:
    """What the plots need: a column a quantity, with a hole wherever the record has one."""
    rows = [row for entry, at, apart in placed(entries) for row in ([(at - 1, None)] if apart else []) + [(at, entry)]]
    return {
        "at": [round(at, 1) for at, _ in rows],
        "unsure": [bool(entry and entry.clock == "unsynced") for _, entry in rows],
        "columns": _columns([entry for _, entry in rows]),
    }


def placed(entries: Sequence[Entry]) -> Iterator[tuple[Entry, float, bool]]:
    """Yield every entry with its place on the time axis, in seconds since 1970, and whether a hole comes before it.

    The axis only goes forward: what was written by a clock that nobody had set follows what was written before it.
    """
    known = next((entry for entry in entries if entry.clock == "synced"), entries[0])
    before: Entry | None = None
    at = known.time.timestamp() - sum(entry.seconds for entry in entries[: entries.index(known) + 1])
    for entry in entries:
        follows = at + max(entry.seconds, 1.0)
        sure = entry.clock == "synced" or entry is entries[0] is known
        moved = max(follows, entry.time.timestamp()) if sure else follows
        apart = before is not None and (moved - at > APART_S or before.boot != entry.boot)
        at, before = moved, entry
        yield entry, at, apart


def _columns(rows: Sequence[Entry | None]) -> Mapping[str, Sequence[float | None]]:
    def column(of: Any) -> list[float | None]:
        return [None if row is None else of(row) for row in rows]

    def spread(name: str, part: str) -> list[float | None]:
        return column(lambda row: _part(row.age_ms if name == "age" else row.stages_ms.get(name), part))

    def energy(name: str) -> list[float | None]:
        return column(lambda row: row.energy and row.energy[name])

    return {
        "fps": column(lambda row: round(row.fps, 3)),
        "limit": column(lambda row: row.fps_limit),
        "dropped": column(lambda row: sum(row.dropped.values())),
        "invoke_p50": spread("invoke", "p50"),
        "invoke_p95": spread("invoke", "p95"),
        "invoke_p99": spread("invoke", "p99"),
        "age_p95": spread("age", "p95"),
        "watts": energy("watts"),
        "mj": energy("mj_per_inference"),
        "mj_error": energy("error_mj_per_inference"),
        "celsius": column(lambda row: row.celsius and row.celsius.high),
        "mhz": column(lambda row: row.mhz and row.mhz.low),
        "throttled": column(lambda row: bool(row.throttled)),
        "rss": column(lambda row: row.rss_mb),
    }


def _part(spread: Percentiles | None, part: str) -> float | None:
    return getattr(spread, part) if spread else None


def _file(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
