# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""When and how a run ends."""

import threading
import time
from dataclasses import dataclass, field

from .account import Summary
from .errors import LabelcamError


@dataclass(frozen=True, slots=True)
class Ending:
    """When a run is to end, its source aside."""

    frames: int | None = None
    """After so many readings."""

    seconds: float | None = None
    """After so long."""

    stop: threading.Event = field(default_factory=threading.Event)
    """Set by whoever wants it to end now."""

    begun_s: float = field(default_factory=time.monotonic)

    def is_due(self, readings: int) -> bool:
        """Whether the run is to end after so many readings."""
        return self.cannot_wait() or (self.frames is not None and readings >= self.frames)

    def cannot_wait(self) -> bool:
        """Whether it is to end even if not everything has been said."""
        return self.stop.is_set() or (self.seconds is not None and time.monotonic() - self.begun_s >= self.seconds)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    summary: Summary
    failure: LabelcamError | None
    """Why it ended before its time."""
