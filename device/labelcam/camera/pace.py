# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""At what rate frames come: a source without a clock is played at a steady one, a quick camera is thinned out."""

import time

EARLY = 0.1
"""Of a frame's interval: so much too early, a frame counts as on time; no camera is exact."""


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


class Rate:
    """Lets through no more than so many frames a second, whatever rate the camera has."""

    def __init__(self, max_fps: float, made_up_for: float = EARLY) -> None:
        """`made_up_for` is how late a frame may be, as a share of the interval, for the next to come the sooner.

        A whole one keeps the mean rate right with any camera, where little keeps the frames evenly spaced.
        """
        self._interval_ns, self._made_up_for = 1e9 / max_fps, made_up_for
        self._due_ns = 0.0

    def become(self, max_fps: float) -> None:
        """Let through no more than that from now on; the frame that is due next moves with it."""
        before, self._interval_ns = self._interval_ns, 1e9 / max_fps
        self._due_ns += self._interval_ns - before

    def due_in_s(self, now_ns: int) -> float:
        """Return the seconds until the next frame is due; 0 where it is."""
        return max(0.0, (self._due_ns - now_ns) / 1e9)

    def admits(self, taken_ns: int) -> bool:
        """Whether a frame taken then is to be used."""
        if taken_ns < self._due_ns - EARLY * self._interval_ns:
            return False
        # From when it was due, so that the rate is right on average.
        self._due_ns = max(self._due_ns, taken_ns - self._made_up_for * self._interval_ns) + self._interval_ns
        return True
