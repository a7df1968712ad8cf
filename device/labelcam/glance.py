# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What a look at a few hundred pixels tells of a frame, in microseconds: is it dark, has it been there before?"""

from collections import OrderedDict

import cv2

from .images import Pixels

_WIDTH, _HEIGHT = 32, 24

BLACK = 24
"""Of 255: where no pixel is brighter, frames may well be the same although the camera works."""

EVERY_S = 0.1
"""How often a live camera's frames are looked at: with cold caches a look costs ten times what it does otherwise."""

REMEMBERED = 2048
"""Pictures that are recognised when they come again: of 200 s, in less than half a megabyte."""

LEAVES_AT = 1.25
"""Of each limit: it must get that much lighter than it got dark at, so that dusk does not flicker."""


def glance(pixels: Pixels) -> Pixels:
    """Return 32x24 pixels of the picture, evenly spread, as they are."""
    return cv2.resize(pixels, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_NEAREST).astype("uint8", copy=False)


class Darkness:
    """Whether there is nothing to see because it is night or the lens is covered: neither light nor contrast."""

    def __init__(self, mean: float, deviation: float, every_s: float = 0.0) -> None:
        """Dark is what has less than both, of 255; a `mean` of 0 calls nothing dark.

        Frames within `every_s` seconds of one that was looked at are taken to be like it.
        """
        self._mean, self._deviation, self._every_ns = mean, deviation, every_s * 1e9
        self._dark = False
        self._next_ns = 0.0

    def covers(self, pixels: Pixels, taken_ns: int) -> bool:
        """Whether a frame is dark, by what the one before was as well."""
        if taken_ns >= self._next_ns and self._mean:
            self._next_ns = taken_ns + self._every_ns
            seen = glance(pixels)
            ease = LEAVES_AT if self._dark else 1.0
            light = sum(cv2.mean(seen)[:3]) / 3 >= ease * self._mean
            self._dark = not light and float(cv2.meanStdDev(seen)[1].max()) < ease * self._deviation
        return self._dark


class Freeze:
    """Whether a camera repeats itself: no sensor without its noise ever gives the same picture twice.

    One picture again and again is recognised, and so is a driver that goes round in its buffers.
    """

    def __init__(self, limit_s: float) -> None:
        """Repeating itself for `limit_s` seconds is a freeze; 0 looks for none."""
        self.limit_s = limit_s
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._fresh_ns: int | None = None
        self._next_ns = 0.0
        self._frozen = False

    def interrupted(self) -> None:
        """Note that no frame came for a while: that is no freeze, but neither does it end one."""
        if not self._frozen:
            self._fresh_ns = None

    def holds(self, pixels: Pixels, taken_ns: int) -> bool:
        """Whether the camera is frozen, now that it has delivered this."""
        if not self.limit_s or (taken_ns < self._next_ns and not self._frozen):
            return False
        self._next_ns = taken_ns + EVERY_S * 1e9
        seen = glance(pixels)
        fingerprint = hash(seen.tobytes())
        new = fingerprint not in self._seen
        self._seen[fingerprint] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        if new or self._fresh_ns is None or seen.max() <= BLACK:
            self._fresh_ns, self._frozen = taken_ns, False
        else:
            self._frozen = taken_ns - self._fresh_ns >= self.limit_s * 1e9
        return self._frozen
