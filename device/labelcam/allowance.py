# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""How many of a camera's frames are used, where that is less than it has; for the capture thread."""

import time
from collections.abc import Callable
from math import inf

from .camera import BadFrame, Camera
from .camera.pace import Rate
from .records import Frame

WITHHELD = "rate"
"""The reason that is counted for a frame that is passed over."""


class Allowance:
    """Asks a camera for no more frames than there is leave for: others are passed over, or made later."""

    def __init__(self, camera: Camera, allowed: Callable[[], float], wait: Callable[[float], object]) -> None:
        """`allowed()` says how many frames a second may be used, infinite for all; `wait` waits for so many seconds."""
        self._camera, self._allowed, self._wait = camera, allowed, wait
        self._fps = inf
        self._rate: Rate | None = None

    def next_frame(self) -> Frame:
        """Return the next frame; raises BadFrame for one that is passed over, and whatever the camera raises."""
        if (fps := self._allowed()) != self._fps:
            self._become(fps)
        if self._rate and not self._admitted(self._rate):
            self._camera.skip()
            raise BadFrame(WITHHELD, "there is no leave for more frames a second")
        return self._camera.capture()

    def _become(self, fps: float) -> None:
        self._fps = fps
        self._camera.limit(fps)
        if fps == inf:
            self._rate = None
        elif self._rate:
            self._rate.become(fps)
        else:
            self._rate = Rate(fps, made_up_for=1.0)

    def _admitted(self, rate: Rate) -> bool:
        if not self._camera.live:
            self._wait(rate.due_in_s(time.monotonic_ns()))
            rate.admits(time.monotonic_ns())
            return True
        return rate.admits(time.monotonic_ns())
