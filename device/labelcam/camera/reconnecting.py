# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A camera that goes and comes back, as those on a cable or a network do: reconnected in the same process."""

import time
from collections.abc import Callable
from typing import Protocol, Self, TypeVar

from ..errors import CameraLost
from ..glance import Freeze
from ..records import Frame
from .absence import BadFrame, CameraAway, Search

T = TypeVar("T")


class Reader(Protocol):
    """A connection to a camera, for as long as it lasts."""

    def read(self) -> Frame:
        """Wait for the next frame. Raises CameraLost if there will be none, BadFrame if just this one is no good."""
        ...

    def skip(self) -> None:
        """Wait for the next frame and leave it undecoded. Raises CameraLost if there will be none."""
        ...

    def close(self) -> None: ...


class Reconnecting:
    """Delivers what a connection reads; where that breaks, each capture looks for the camera once more.

    A camera that sends nothing but bad frames for longer than the time-out, or again and again the same pictures, is
    no better than one that sends none.
    """

    live = True

    def __init__(self, connect: Callable[[], Reader], search: Search, timeout_s: float, frozen_s: float = 0.0) -> None:
        """`connect` raises CameraLost where the camera is not there; `frozen_s` of 0 lets pictures stand still."""
        self.skipped = 0
        self._connect, self._search, self._timeout_s = connect, search, timeout_s
        self._reader: Reader | None = None
        self._freeze = Freeze(frozen_s)
        self._shape: tuple[int, ...] | None = None
        self._bad_since_s: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def capture(self) -> Frame:
        return self._sought(self._read)

    def skip(self) -> None:
        self._sought(lambda: self._connected().skip())

    def limit(self, fps: float) -> None:
        pass

    def _sought(self, attempt: Callable[[], T]) -> T:
        """Return what comes of an attempt, or raise CameraAway."""
        try:
            found = attempt()
        except CameraLost as error:
            self.__exit__()
            raise CameraAway(self._search.missed(str(error))) from None
        self._search.found()
        return found

    def _connected(self) -> Reader:
        if self._reader is None:
            self._reader = self._connect()
            self._shape = self._bad_since_s = None
            self._freeze.interrupted()
        return self._reader

    def _read(self) -> Frame:
        reader = self._connected()
        try:
            frame = reader.read()
            self._check(frame)
        except BadFrame as error:
            now_s = time.monotonic()
            self._bad_since_s = self._bad_since_s or now_s
            if now_s - self._bad_since_s >= self._timeout_s:
                raise CameraLost(str(error)) from None
            raise
        self._bad_since_s = None
        return frame

    def _check(self, frame: Frame) -> None:
        pixels = frame.pixels
        if self._shape is None:
            self._shape = pixels.shape
        if pixels.shape != self._shape:
            sizes = f"{pixels.shape[1]}x{pixels.shape[0]} instead of {self._shape[1]}x{self._shape[0]}"
            raise BadFrame("size", f"the camera's frames have changed their size: {sizes}; check cable and settings")
        if self._freeze.holds(pixels, frame.taken_ns):
            seconds = f"{self._freeze.limit_s:g} s"
            raise CameraLost(f"the camera has shown the same pictures for {seconds}; switch it off and on again")
