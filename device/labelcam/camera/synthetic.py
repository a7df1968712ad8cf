# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A camera that needs no hardware: coloured patterns that move, for benchmarks, soak tests and first steps."""

import time
from typing import Self

import numpy as np

from ..images import Pixels
from ..preprocess import Size
from ..records import Frame
from .pace import Pace
from .spec import CameraSpec

PATTERNS = 8
"""Different frames before they repeat; drawn beforehand, so that drawing is not what a benchmark measures."""


class Synthetic:
    """Delivers the same moving pattern on every machine; with a rate it is live, without it is pulled."""

    def __init__(self, spec: CameraSpec) -> None:
        self.live = spec.fps is not None
        self.skipped = 0
        self._size = spec.size or Size(640, 480)
        self._pace = Pace(spec.fps)
        self._frames: list[Pixels] = []
        self._count = 0

    def __enter__(self) -> Self:
        self._frames = [_pattern(self._size, step / PATTERNS) for step in range(PATTERNS)]
        return self

    def __exit__(self, *exc: object) -> None:
        self._frames = []

    def capture(self) -> Frame:
        self._pace.wait()
        self._count += 1
        return Frame(self._frames[self._count % PATTERNS], time.monotonic_ns())

    def skip(self) -> None:
        self._pace.wait()
        self._count += 1

    def limit(self, fps: float) -> None:
        pass


def _pattern(size: Size, phase: float) -> Pixels:
    """Slanted waves in three colours, shifted by `phase` of a period."""
    x = np.linspace(0, 4 * np.pi, size.width, dtype=np.float32)[None, :, None]
    y = np.linspace(0, 3 * np.pi, size.height, dtype=np.float32)[:, None, None]
    colours = np.array([0.0, 2.1, 4.2], np.float32)
    waves = np.sin(x + 2 * np.pi * phase + colours) * np.cos(y - 2 * np.pi * phase)
    pixels: Pixels = ((waves + 1) * 127.5).astype(np.uint8)
    return pixels
