# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the journal: a line a minute, on a thread of its own, whatever the disk does."""

import logging
import time
from collections import deque

from ..account import Summary
from ..journal.entry import Entry
from ..journal.minutes import Minutes
from ..journal.segments import Segments
from ..records import Reading
from . import Publisher

log = logging.getLogger(__name__)

KEPT = 60
"""Minutes that wait in memory while the disk takes none; then the oldest are lost."""


class Journal(Publisher):
    """Writes an entry for every minute, and one for the rest at the end."""

    name = "journal"

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._minutes = Minutes(time.monotonic_ns())
        self._waiting: deque[Entry] = deque(maxlen=KEPT)
        self._lost = self._lost_before = 0
        self._refused = False
        self._state = ""
        """Only for the pipeline's thread."""

    @property
    def lost(self) -> int:
        return self._lost

    def wants(self, reading: Reading) -> bool:
        state = reading.decision.state
        if state == self._state:
            return False
        self._state = state
        return True

    def publish(self, reading: Reading) -> None:
        self._minutes.note(reading)

    def report(self, summary: Summary) -> None:
        if entry := self._minutes.take(summary):
            self._keep(entry)

    def close(self) -> None:
        if entry := self._minutes.rest():
            self._keep(entry)

    def _keep(self, entry: Entry) -> None:
        self._lost += len(self._waiting) == KEPT
        self._waiting.append(entry)
        try:
            while self._waiting:
                self._segments.append(self._waiting[0].as_json())
                self._waiting.popleft()
        except OSError as error:
            self._be_refused(error)
        else:
            self._be_taken()

    def _be_refused(self, error: OSError) -> None:
        if self._refused:
            return
        self._refused = True
        log.warning(
            "journal-refused folder=%s reason=%s; an hour of it waits in memory, make room or see to its permissions",
            *(self._segments.folder, error.strerror),
        )

    def _be_taken(self) -> None:
        if self._refused:
            lost = self._lost - self._lost_before
            log.info("journal-goes-on folder=%s lost=%d", self._segments.folder, lost)
        self._refused, self._lost_before = False, self._lost
