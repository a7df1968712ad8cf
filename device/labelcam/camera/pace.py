# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Plays a source that has no clock of its own at a steady rate, as if it were live."""

import time


class Pace:
    """Waits until the next frame is due."""

    def __init__(self, fps: float | None) -> None:
        """`fps` frames a second; None never waits."""
        self._interval_s = 1 / fps if fps else 0.0
        self._due_s = 0.0

    def wait(self) -> None:
        """Return when the next frame is due; a late caller is not made to catch up."""
        if not self._interval_s:
            return
        now = time.monotonic()
        self._due_s = max(self._due_s + self._interval_s, now) if self._due_s else now
        time.sleep(max(0.0, self._due_s - now))
