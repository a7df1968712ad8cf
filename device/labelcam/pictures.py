# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The newest pictures, for as long as somebody may ask for them; in memory, and never many."""

from collections import deque
from dataclasses import dataclass

import cv2

from .images import Pixels
from .records import Reading

KEPT_BYTES = 8_000_000
"""Of pictures in all, the newest aside: four of 640x480 and their like, or half a second of a camera's."""

KEPT = 4


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What was seen, and what was made of it."""

    pixels: Pixels
    """Upright, height x width x 3, RGB."""

    reading: Reading

    def jpeg(self, longest: int | None = None, quality: int = 85) -> bytes:
        """Return it as JPEG, its longer side at most `longest` pixels."""
        pixels = self.pixels if longest is None else _shrunk(self.pixels, longest)
        _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
        return data.tobytes()


class Pictures:
    """Remembers the newest few: written by the pipeline's thread, read by any."""

    def __init__(self) -> None:
        self._kept: deque[Picture] = deque(maxlen=KEPT)
        self._disputed: deque[Picture] = deque(maxlen=1)

    def show(self, reading: Reading, pixels: Pixels) -> None:
        """Remember a picture and forget the oldest. Nothing is copied."""
        kept = self._kept
        kept.append(Picture(pixels, reading))
        while len(kept) > 1 and len(kept) * pixels.nbytes > KEPT_BYTES:
            kept.popleft()

    def newest(self) -> Picture | None:
        """Return the newest; None before the first."""
        try:
            return self._kept[-1]
        except IndexError:
            return None

    def of(self, seq: int) -> Picture | None:
        """Return the picture of a reading; None if it is no longer remembered."""
        return next((picture for picture in reversed(tuple(self._kept)) if picture.reading.seq == seq), None)

    def dispute(self, picture: Picture) -> None:
        """Note that two models do not agree about a picture, for whoever collects such."""
        self._disputed.append(picture)

    def has_disputed(self) -> bool:
        """Whether `disputed` has one."""
        return bool(self._disputed)

    def disputed(self) -> Picture | None:
        """Return the last picture that was disputed, once."""
        return self._disputed.popleft() if self._disputed else None


def _shrunk(pixels: Pixels, longest: int) -> Pixels:
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype("uint8", copy=False)
