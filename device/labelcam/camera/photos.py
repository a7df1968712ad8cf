# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of photographs as a camera: for laptops, demonstrations and tests."""

import logging
import time
from pathlib import Path
from typing import Self

from ..errors import CameraLost, ImageError
from ..images import image_files, read_image
from ..paths import expanded
from ..records import Frame
from . import EndOfFrames
from .pace import Pace
from .spec import CameraSpec

log = logging.getLogger(__name__)


class Photos:
    """Delivers the photographs of a folder, sorted by name; one that cannot be read is skipped and counted."""

    def __init__(self, spec: CameraSpec) -> None:
        self.live = spec.fps is not None
        self.skipped = 0
        self._folder = expanded(spec.target)
        self._loop = spec.loop
        self._pace = Pace(spec.fps)
        self._files: list[Path] = []
        self._next = 0
        self._readable = False

    def __enter__(self) -> Self:
        try:
            self._files = image_files(self._folder)
        except ImageError as error:
            raise CameraLost(str(error)) from None
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def capture(self) -> Frame:
        self._pace.wait()
        while True:
            path = self._advance()
            taken_ns = time.monotonic_ns()
            try:
                frame = Frame(read_image(path), taken_ns, path.name)
            except ImageError as error:
                self.skipped += 1
                log.warning("image-skipped reason=%s", error)
                continue
            self._readable = True
            return frame

    def skip(self) -> None:
        self._pace.wait()
        self._advance()
        self._readable = True  # nobody has looked

    def limit(self, fps: float) -> None:
        pass

    def _advance(self) -> Path:
        if self._next == len(self._files):
            if not self._readable:
                raise CameraLost(f"{self._folder}: none of its {len(self._files)} images can be read; give others")
            if not self._loop:
                raise EndOfFrames
            self._next, self._readable = 0, False  # all may have been deleted meanwhile
        self._next += 1
        return self._files[self._next - 1]
