# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""How a camera is mounted and what of its picture counts: turned, mirrored and cut out, once, before anything else."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2

from .images import Pixels


class Region(NamedTuple):
    """A part of an upright picture, as shares of its width and height from its top left corner."""

    x: float = 0.0
    y: float = 0.0
    width: float = 1.0
    height: float = 1.0


WHOLE = Region()

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, slots=True)
class View:
    """From a camera's frame to the upright picture that is classified."""

    region: Region = WHOLE
    """Of the picture after turning and mirroring, as a person sees it."""

    rotate: int = 0
    """Degrees clockwise that the frame is turned by: 0, 90, 180 or 270."""

    mirror: bool = False
    """Swap left and right, after turning."""

    @property
    def sideways(self) -> bool:
        """Whether width and height change places."""
        return self.rotate in (90, 270)

    def of(self, frame: Pixels) -> Pixels:
        """Return the picture: a view of the frame's memory where nothing has to be turned."""
        part = frame if self.region == WHOLE else self._cut(frame)
        if self.rotate == 180 and self.mirror:
            return cv2.flip(part, 0).astype("uint8", copy=False)
        if self.rotate:
            part = cv2.rotate(part, _TURNS[self.rotate]).astype("uint8", copy=False)
        return cv2.flip(part, 1).astype("uint8", copy=False) if self.mirror else part

    def _cut(self, frame: Pixels) -> Pixels:
        """The region's part of the frame as it comes: what is cut off need not be turned."""
        x, y, width, height = self.region
        if self.mirror:
            x = 1 - x - width
        if self.rotate == 90:  # the picture's left edge was the frame's bottom
            x, y, width, height = y, 1 - x - width, height, width
        elif self.rotate == 180:
            x, y = 1 - x - width, 1 - y - height
        elif self.rotate == 270:  # and here its top
            x, y, width, height = 1 - y - height, x, height, width
        rows, columns = frame.shape[:2]
        return frame[_span(y, height, rows), _span(x, width, columns)]


def _span(start: float, share: float, count: int) -> slice:
    """The pixels that a share covers, at least one of them."""
    first = min(max(0, math.floor(start * count + 0.5)), count - 1)
    return slice(first, max(first + 1, min(count, math.floor((start + share) * count + 0.5))))
