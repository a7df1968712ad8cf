# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A USB or other Video4Linux camera."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2

from ..errors import CameraLost
from ..preprocess import Size
from .opencv import OpenCvReader, Words
from .pace import Rate

# Raw first, which costs no decoding; then what cameras have instead where the bus is too slow for it.
FOURCCS = ("YUYV", "MJPG", "NV12", "YU12", "RGB3", "BGR3")

BUFFERS = 2
"""That the driver is asked for: one is read while the next is filled, and none waits long."""

QUEUE = 4
"""Buffers that a driver may insist on."""

Opener = Callable[[str, int], cv2.VideoCapture]


class V4L2:
    """Connects to a device, as often as it is asked to."""

    def __init__(
        self, target: str, size: Size, max_fps: float, timeout_s: float, opener: Opener = cv2.VideoCapture
    ) -> None:
        """`target` is a device's path or number, `opener` what opens it."""
        self._device = f"/dev/video{target}" if target.isdecimal() else target
        self._size, self._max_fps, self._timeout_s, self._opener = size, max_fps, timeout_s, opener
        self._words = Words(
            ended=f"{self._device}: delivers no frames any more; check the cable, or plug it in again",
            undecodable=f"{self._device}: delivers frames that cannot be decoded; check the cable",
        )

    def connect(self) -> OpenCvReader:
        """Return a reader of the camera's frames. Raises CameraLost if it is not there or is no camera."""
        device = self.find()
        if not os.access(device, os.R_OK | os.W_OK):
            raise CameraLost(f"{device}: no permission to use it; add yourself to the group 'video' and log in again")
        # OpenCV reads this each time it waits for a frame; without it, a dead camera is noticed after ten seconds.
        os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] = str(max(1, round(self._timeout_s)))
        capture = self._opener(self._device, cv2.CAP_V4L2)
        try:
            if not capture.isOpened():
                raise CameraLost(f"{device}: cannot be opened as a camera; is another program using it?")
            self._negotiate(capture)
        except CameraLost:
            capture.release()
            raise
        return OpenCvReader(capture, self._words, Rate(self._max_fps), QUEUE)

    def find(self) -> Path:
        """Return its device. Raises CameraLost if it is not there."""
        device = Path(self._device)
        if not os.path.exists(device):  # noqa: PTH110, exists may raise
            raise CameraLost(f"{device}: no such camera; plug it in, or see what is there with: labelcam cameras")
        return device

    def _negotiate(self, capture: cv2.VideoCapture) -> None:
        """Agree on a format that really gives pictures: OpenCV takes some for granted that it cannot decode.

        Left to itself it may choose BGR3 and return rows of 921600 bytes.
        """
        capture.set(cv2.CAP_PROP_BUFFERSIZE, BUFFERS)
        seen = "none of them"
        for fourcc in FOURCCS:
            code = cv2.VideoWriter.fourcc(*fourcc)
            capture.set(cv2.CAP_PROP_FOURCC, code)
            if round(capture.get(cv2.CAP_PROP_FOURCC)) != code:
                continue
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._size.width)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._size.height)
            capture.set(cv2.CAP_PROP_FPS, self._max_fps)
            if not capture.grab():
                raise CameraLost(self._words.ended)
            good, pixels = capture.retrieve()
            # A first frame may be torn; only one of the wrong shape speaks against the format.
            if not good or (pixels.ndim == 3 and pixels.shape[2] == 3 and min(pixels.shape) > 1):
                return
            seen = f"{fourcc} gives the shape {list(pixels.shape)}"
        known = ", ".join(FOURCCS)
        raise CameraLost(f"{self._device}: has no format that gives pictures ({known}: {seen}); use another camera")
