# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Tells copies and neighbouring frames of one scene from different photographs, by what is left of them at 16x16.

Measured on 49 pictures (photographs, textures, drawings) against altered copies of themselves; the part that is found:
re-encoded as JPEG or WebP of quality 30 to 80, halved, noise of 8 grey levels: all; resized to 224x224, 20% brighter or
darker: 100%; the camera moved by 1%: 69%. Another object over 4 to 25% of the same scene, as a fixed camera sees
it: 3 to 7%, which the second condition is for. No two different photographs, the two of a stereo pair least of all.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from labelcam.images import Pixels

BITS = 2 * 8 * 8
COPY = 14
"""Of BITS, so many may differ in a copy. Different photographs: 26 to 34 at the least, 63 in the middle."""

SCENE = 24
"""So many in another frame of the same scene: the camera moved by 1 to 3%."""

CELL = 40.0
"""Grey levels by which no cell of a copy differs, once both are equally bright."""

PLAIN = 2.0
"""Grey levels: the deviation below which a picture has no structure to recognise it by."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a picture is recognised by."""

    gradients: NDArray[np.bool_]
    """BITS bits: where it becomes brighter to the right, then downwards (a difference hash, both ways)."""

    cells: NDArray[np.float32]
    """16 x 16 x 3 mean colours, around 0."""

    contrast: float
    """The deviation of the cells, in grey levels."""


def look(pixels: Pixels) -> Look:
    """Return the look of height x width x 3 RGB bytes."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    across = _shrunk(grey, 9, 8).astype(np.int16)
    down = _shrunk(grey, 8, 9).astype(np.int16)
    bits = np.concatenate([(np.diff(across, axis=1) > 0).ravel(), (np.diff(down, axis=0) > 0).ravel()])
    cells = _shrunk(pixels, 16, 16).astype(np.float32)
    return Look(bits, cells - cells.mean(), float(cells.std()))


def _shrunk(pixels: cv2.typing.MatLike, width: int, height: int) -> NDArray[np.generic]:
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


class Gallery:
    """The pictures that were kept so far."""

    def __init__(self) -> None:
        self._looks: list[Look] = []
        self._gradients: NDArray[np.bool_] = np.empty((64, BITS), np.bool_)
        """Of the looks, one a row; twice as many rows whenever they do not suffice."""
        self._plain: NDArray[np.bool_] = np.zeros(64, np.bool_)
        """Which of the looks have no structure, by the same rows."""

    def add(self, new: Look) -> bool:
        """Keep the picture unless it is a copy of one that is kept already; whether it was kept."""
        if new.contrast >= PLAIN:
            for number in np.flatnonzero(self._distances(new) <= COPY):
                if _furthest_cell(self._looks[number], new) <= CELL:
                    return False
        if len(self._looks) == len(self._gradients):
            self._gradients = np.concatenate([self._gradients, self._gradients])
            self._plain = np.concatenate([self._plain, self._plain])
        self._gradients[len(self._looks)] = new.gradients
        self._plain[len(self._looks)] = new.contrast < PLAIN
        self._looks.append(new)
        return True

    def scene_mates(self, number: int) -> list[int]:
        """Return the others, by the order in which they were kept, that may show the scene of this one."""
        mine = self._looks[number]
        if mine.contrast < PLAIN:
            return []
        return [int(other) for other in np.flatnonzero(self._distances(mine) <= SCENE) if other != number]

    def _distances(self, new: Look) -> NDArray[np.intp]:
        """Differing bits to every picture that is kept; BITS to those without structure."""
        kept = self._gradients[: len(self._looks)]
        return np.where(self._plain[: len(kept)], BITS, np.count_nonzero(kept != new.gradients, axis=1))


def _furthest_cell(one: Look, other: Look) -> float:
    """The greatest difference of any cell, the more contrasty picture taken back to the other's contrast."""
    least = min(one.contrast, other.contrast)
    return float(np.abs(one.cells * (least / one.contrast) - other.cells * (least / other.contrast)).max())
