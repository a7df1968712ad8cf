# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A USB or other Video4Linux camera."""

import os
from pathlib import Path
from typing import Self

import cv2

from ..errors import CameraLost
from ..preprocess import Size
from ..records import Frame
from .opencv import next_frame
from .spec import CameraSpec


class V4L2:
    """Delivers frames as the driver does, oldest buffer first; the capture thread never lets buffers grow old."""

    live = True

    def __init__(self, spec: CameraSpec, size: Size, max_fps: float, timeout_s: float) -> None:
        self.skipped = 0
        self._device = f"/dev/video{spec.target}" if spec.target.isdecimal() else spec.target
        self._size = size
        self._max_fps = max_fps
        self._timeout_s = timeout_s
        self._reader: cv2.VideoCapture | None = None

    def __enter__(self) -> Self:
        device = Path(self._device)
        if not os.path.exists(device):  # noqa: PTH110, exists may raise
            raise CameraLost(f"{device}: no such camera; plug it in, or see what is there with: ls /dev/video*")
        if not os.access(device, os.R_OK | os.W_OK):
            raise CameraLost(f"{device}: no permission to use it; add yourself to the group 'video' and log in again")
        # OpenCV reads this each time it waits for a frame; without it, a dead camera is noticed after ten seconds.
        os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] = str(max(1, round(self._timeout_s)))
        self._reader = cv2.VideoCapture(self._device, cv2.CAP_V4L2)
        if not self._reader.isOpened():
            raise CameraLost(f"{device}: cannot be opened as a camera; is another program using it?")
        self._reader.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._reader.set(cv2.CAP_PROP_FRAME_WIDTH, self._size.width)
        self._reader.set(cv2.CAP_PROP_FRAME_HEIGHT, self._size.height)
        self._reader.set(cv2.CAP_PROP_FPS, self._max_fps)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._reader is not None:
            self._reader.release()

    def capture(self) -> Frame:
        return next_frame(
            self._reader,
            ended=f"{self._device}: delivers no frames any more; check the cable, or plug it in again",
            undecodable=f"{self._device}: delivers frames that cannot be decoded; check the cable",
        )
