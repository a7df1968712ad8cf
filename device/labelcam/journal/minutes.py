# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From accounts of the run so far to the minutes between them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from ..account import Summary
from ..extremes import MINUTE_NS, SURPLUS_NS
from ..records import Reading, Stage
from .clock import Clock, boot_id, clock_state
from .entry import Change, Entry, News

LISTED = 20
"""Changes of state, and remarks, that an entry tells one by one: a label that flickers must not fill the disk."""

ALMOST_NS = MINUTE_NS - 1_000_000_000
"""Accounts come with frames, which may be a little early."""


class Minutes:
    """Takes the accounts as they come, and gives an entry whenever a minute is over."""

    def __init__(
        self,
        begun_ns: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], Clock] = clock_state,
        boot: str | None = None,
    ) -> None:
        """`begun_ns` is when we began, on the monotonic clock: what was counted before is not ours to tell."""
        self._begun_ns, self._now, self._clock = begun_ns, now, clock
        self._boot = boot_id() if boot is None else boot
        self._before: Summary | None = None
        self._latest: Summary | None = None
        self._told_to_ns = begun_ns
        self._changed = 0
        self._changes: list[Change] = []
        self._remarks: Mapping[str, str] = {}
        self._news: list[News] = []

    def note(self, reading: Reading) -> None:
        """Take note of another state."""
        self._changed += 1
        if len(self._changes) < LISTED:
            self._changes.append(Change(reading.time, reading.decision.state))

    def take(self, summary: Summary) -> Entry | None:
        """Take an account; return an entry if a minute is over."""
        if self._latest is None and summary.seconds > (summary.made_ns - self._begun_ns) / 1e9 + 1:
            # The run is older than we are: this account is where we begin.
            self._before, self._told_to_ns = summary, summary.made_ns
        self._note_news(summary.remarks)
        self._latest = summary
        return self._entry(summary) if summary.made_ns - self._told_to_ns >= ALMOST_NS else None

    def rest(self) -> Entry | None:
        """Return what has happened since the last entry, or None if nothing has."""
        latest = self._latest
        return self._entry(latest) if latest and latest.made_ns > self._told_to_ns else None

    def _note_news(self, remarks: Mapping[str, str]) -> None:
        now = self._now()
        for subject in sorted({*self._remarks, *remarks}):
            sentence = remarks.get(subject)
            if sentence != self._remarks.get(subject) and len(self._news) < LISTED:
                self._news.append(News(now, subject, sentence))
        self._remarks = dict(remarks)

    def _entry(self, now: Summary) -> Entry:
        before, passed_ns = self._before, now.made_ns - self._told_to_ns
        frames = now.frames - (before.frames if before else 0)
        spread = {
            name: tally.percentiles_since(before.tallies.get(name) if before else None)
            for name, tally in (now.tallies.items() if frames else ())
        }
        extremes, fps = now.last_minute.extremes, frames / (passed_ns / 1e9)
        known = extremes.watts if passed_ns <= MINUTE_NS + SURPLUS_NS else None
        energy = None
        if now.energy:
            range_watts = known.high - known.low if known else None
            energy = now.energy.since(before.energy if before else None, range_watts).as_json(fps)
        entry = Entry(
            time=self._now(),
            clock=self._clock(),
            boot=self._boot,
            monotonic_s=now.made_ns / 1e9,
            seconds=passed_ns / 1e9,
            frames=frames,
            dropped=_grown(now.dropped_reasons, before.dropped_reasons if before else {}),
            stages_ms={stage.value: spread[stage.value] for stage in Stage if stage.value in spread},
            age_ms=spread.get("age"),
            energy=energy,
            watts=extremes.watts,
            celsius=extremes.celsius,
            mhz=extremes.mhz,
            throttled=extremes.throttled,
            undervolted=extremes.undervolted,
            model=now.model,
            delegate=now.delegate,
            camera=now.camera,
            fps_limit=now.fps_limit,
            rss_mb=now.rss_mb,
            lost=_grown(now.publishers, before.publishers if before else {}),
            changed=self._changed,
            changes=tuple(self._changes),
            remarks=dict(now.remarks),
            news=tuple(self._news),
        )
        self._before, self._told_to_ns = now, now.made_ns
        self._changed, self._changes, self._news = 0, [], []
        return entry


def _grown(now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """What has come to each count, those that nothing has come to left out."""
    return {name: count - before.get(name, 0) for name, count in now.items() if count > before.get(name, 0)}
