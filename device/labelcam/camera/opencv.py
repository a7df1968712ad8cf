# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What every live camera that OpenCV reads has in common."""

import time
from dataclasses import dataclass

import cv2
import numpy as np

from ..errors import CameraLost
from ..images import rgb_from_bgr
from ..records import Frame
from .absence import BadFrame
from .pace import Rate

AT_ONCE_NS = 1_000_000
"""A frame that is there sooner than this was not waited for: it lay in a buffer, for who knows how long."""

PLAUSIBLE_NS = 2_000_000_000
"""A driver's time stamp that is older, or in the future, is of another clock than ours."""


@dataclass(frozen=True, slots=True)
class Words:
    """What to say of a camera that fails, each with the remedy."""

    ended: str
    undecodable: str


class OpenCvReader:
    """Reads an opened cv2.VideoCapture."""

    def __init__(self, capture: cv2.VideoCapture, words: Words, rate: Rate, buffers: int = 0) -> None:
        """`buffers` is how many frames may lie in the driver's queue, old ones; a driver with a queue stamps frames."""
        self._capture, self._words, self._rate, self._buffers = capture, words, rate, buffers

    def read(self) -> Frame:
        """Wait for the next frame that the rate admits, stamped before it is decoded.

        Raises CameraLost if none comes in OpenCV's own time, BadFrame if it cannot be decoded.
        """
        while not self._rate.admits(now_ns := self._grab()):
            pass
        taken_ns = self._stamp(now_ns) if self._buffers else now_ns
        try:
            good, pixels = self._capture.retrieve()
        except cv2.error:
            good = False
        if not good or pixels is None:
            raise BadFrame("corrupt", self._words.undecodable)
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise BadFrame("shape", f"{self._words.undecodable} (they are {pixels.dtype} of {list(pixels.shape)})")
        return Frame(rgb_from_bgr(pixels), taken_ns)

    def skip(self) -> None:
        while not self._rate.admits(self._grab()):
            pass

    def close(self) -> None:
        self._capture.release()

    def _grab(self) -> int:
        """Take the next frame, past those that waited in a buffer; returns when it came."""
        for _ in range(self._buffers + 1):
            begun_ns = time.monotonic_ns()
            if not self._capture.grab():
                raise CameraLost(self._words.ended)
            now_ns = time.monotonic_ns()
            if now_ns - begun_ns > AT_ONCE_NS:
                break
        return now_ns

    def _stamp(self, now_ns: int) -> int:
        """The driver's own stamp, which OpenCV passes on in milliseconds, where it is of the monotonic clock."""
        stamp_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        return stamp_ns if 0 <= now_ns - stamp_ns < PLAUSIBLE_NS else now_ns
