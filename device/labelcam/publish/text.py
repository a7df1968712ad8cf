# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a person watching `labelcam run` reads: each answer in a terminal, events and one line a minute in a log."""

import logging
import time

from ..account import Summary
from ..records import Event, Notice, Reading, Stage
from . import Publisher
from .lines import Lines

log = logging.getLogger(__name__)

LINES_PER_SECOND = 4
"""Of a camera's answers in a terminal; more cannot be read."""

LABEL_WIDTH = 28
"""Of a label in a terminal: ImageNet's have up to a hundred characters and more."""

EVENTS_PER_MINUTE = 20
"""That are logged one by one; the minute's line counts them all."""


class Terminal(Publisher):
    """Prints every photograph's answer, and a camera's when it changes or a quarter of a second has passed.

    It says nothing of a camera that is away: that one's own warning stands in the same terminal.
    """

    name = "terminal"
    lossless = True

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._next_s = 0.0

    def wants(self, reading: Reading) -> bool:
        return bool(reading.source or reading.decision.event or time.monotonic() >= self._next_s)

    def publish(self, reading: Reading) -> None:
        self._next_s = time.monotonic() + 1 / LINES_PER_SECOND
        best = reading.decision.top[0]
        what = reading.source or f"frame {reading.seq}"
        label = best.label if len(best.label) <= LABEL_WIDTH else f"{best.label[: LABEL_WIDTH - 1]}…"
        self._lines.write(
            f"{what:24} {label:{LABEL_WIDTH}} {best.score:5.2f} {reading.stages_ms[Stage.INVOKE]:8.2f} ms"
        )


class Log(Publisher):
    """Logs events and a line a minute, no more: an SD card has to live with it, also when a label flickers."""

    name = "log"

    def __init__(self) -> None:
        self._events = 0
        """Since the last minute's line."""

    def wants(self, reading: Reading) -> bool:
        self._events += reading.decision.event is not None
        return reading.decision.event is not None and self._events <= EVENTS_PER_MINUTE

    def publish(self, reading: Reading) -> None:
        if event := reading.decision.event:
            _log(event, f" seq={reading.seq}")

    def report(self, summary: Summary) -> None:
        invoke = summary.stages_ms[Stage.INVOKE]
        log.info(
            "so-far frames=%d fps=%.1f invoke_p50_ms=%.2f invoke_p95_ms=%.2f dropped=%d rss_mb=%.0f events=%d",
            *(summary.frames, summary.fps, invoke.p50, invoke.p95, summary.dropped, summary.rss_mb, self._events),
        )
        self._events = 0

    def notice(self, notice: Notice) -> None:
        # The camera itself has logged where it went.
        if notice.event:
            self._events += 1
            _log(notice.event)


def _log(event: Event, where: str = "") -> None:
    log.info("%s label=%r duration_s=%.1f%s", event.type, event.label, event.duration_s, where)
