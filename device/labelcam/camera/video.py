# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A video file as a camera."""

import os
import time
from typing import Self

import cv2

from ..errors import CameraLost
from ..images import Pixels, rgb_from_bgr
from ..paths import expanded
from ..records import Frame
from . import EndOfFrames
from .pace import Pace
from .spec import CameraSpec


class Video:
    """Delivers every frame of a file in order; with `?fps=` it plays live, with `?loop` it starts again."""

    def __init__(self, spec: CameraSpec) -> None:
        self.live = spec.fps is not None
        self.skipped = 0
        self._path = expanded(spec.target)
        self._loop = spec.loop
        self._pace = Pace(spec.fps)
        self._reader: cv2.VideoCapture | None = None
        self._delivered = 0

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._reader is not None:
            self._reader.release()

    def _open(self) -> None:
        if not os.path.isfile(self._path):  # noqa: PTH113, is_file may raise
            raise CameraLost(f"{self._path}: no such video file; check the path")
        self._reader = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        if not self._reader.isOpened():
            raise CameraLost(f"{self._path}: cannot be opened as a video; give one that ffmpeg plays, such as .mp4")

    def capture(self) -> Frame:
        self._pace.wait()
        taken_ns = time.monotonic_ns()
        pixels = self._read()
        if pixels is None and self._loop and self._delivered:
            self._open()  # seeking is not exact in every container, opening is
            pixels = self._read()
        if pixels is None:
            if not self._delivered:
                raise CameraLost(f"{self._path}: holds no frame that can be decoded; give another video")
            raise EndOfFrames
        self._delivered += 1
        return Frame(pixels, taken_ns, self._path.name)

    def skip(self) -> None:
        self._pace.wait()
        assert self._reader is not None, "a camera is entered before it captures"  # noqa: S101
        self._delivered += self._reader.grab()  # at the end, the next capture notices

    def limit(self, fps: float) -> None:
        pass

    def _read(self) -> Pixels | None:
        assert self._reader is not None, "a camera is entered before it captures"  # noqa: S101
        good, pixels = self._reader.read()
        return rgb_from_bgr(pixels) if good else None
