# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The journal as a table, and what it amounts to in a few lines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..extremes import Range
from .entry import Entry
from .totals import Totals, totals

HEADER = (
    "time",
    "frames",
    "a second",
    "dropped",
    "invoke p50",
    "p95 ms",
    "age p95 ms",
    "W",
    "mJ each",
    "°C",
    "MHz",
    "",
)


def rows(entries: Sequence[Entry]) -> Iterator[tuple[str, ...]]:
    """Yield a row for every entry, in this machine's own time."""
    day = None
    for entry in entries:
        local = entry.time.astimezone()
        # The day only where it begins.
        shown = f"{local:%H:%M}" if local.date() == day else f"{local:%a %d %b %H:%M}"
        day = local.date()
        invoke = entry.stages_ms.get("invoke")
        yield (
            shown + ("" if entry.clock == "synced" else " ?"),
            str(entry.frames),
            f"{entry.fps:.1f}",
            str(sum(entry.dropped.values()) or ""),
            f"{invoke.p50:.2f}" if invoke else "",
            f"{invoke.p95:.2f}" if invoke else "",
            f"{entry.age_ms.p95:.2f}" if entry.age_ms else "",
            *_energy(entry.energy),
            _highest(entry.celsius),
            _highest(entry.mhz),
            ", ".join(_marks(entry)),
        )


def _energy(energy: Mapping[str, Any] | None) -> tuple[str, str]:
    if not energy or energy["watts"] is None:
        return "", ""
    share = energy["mj_per_inference"]
    each = "" if share is None else f"{share:.3g} ± {energy['error_mj_per_inference']:.2g}"
    return f"{energy['watts']:.2f}", each


def _highest(span: Range | None) -> str:
    return f"{span.high:.0f}" if span else ""


def _marks(entry: Entry) -> Iterator[str]:
    if entry.throttled:
        yield "throttled"
    if entry.undervolted:
        yield "voltage low"
    if entry.camera == "lost":
        yield "camera lost"
    if entry.fps_limit is not None:
        yield "slowed"


def news(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """Yield what was remarked and what is no longer, with the entry's time: the clock may have been wrong before."""
    for entry in entries:
        for one in entry.news:
            said = one.sentence or "as one would expect again"
            yield f"{entry.time.astimezone():%a %d %b %H:%M}", f"{one.subject}: {said}"


def amounts(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """Yield what it all amounts to, each with its name."""
    total = totals(entries)
    reasons = ", ".join(f"{count} {reason}" for reason, count in total.dropped.most_common())
    each = total.frames / total.seconds if total.seconds else 0.0
    yield "frames", f"{total.frames} in {_long(total.seconds)}, {each:.2f} a second"
    yield "dropped", f"{sum(total.dropped.values())}" + (f" ({reasons})" if reasons else "")
    yield "state", f"changed {counted(total.changed, 'time')}"
    yield from _energy_amounts(entries, total)
    if total.throttled:
        yield "throttled", f"in {total.throttled} of {counted(len(entries), 'minute')}"
    if unsure := sum(entry.clock == "unsynced" for entry in entries):
        yield "clock", f"not known to be set in {counted(unsure, 'minute')} (?)"


def _energy_amounts(entries: Sequence[Entry], total: Totals) -> Iterator[tuple[str, str]]:
    if share := total.mj_per_inference:
        used = f"{total.joules / 3600:.3g} Wh, {total.joules / total.metered_seconds:.2f} W"
        meters = ", ".join({entry.energy["meter"]: None for entry in entries if entry.energy})
        yield "energy", f"{used}; {share[0]:.3g} ± {share[1]:.2g} mJ an inference, whole board ({meters})"


def counted(number: int, what: str) -> str:
    """Return a number of things, in words that fit one as well."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _long(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {left} s" if minutes else f"{left} s"
