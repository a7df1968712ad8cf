# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A network camera that speaks RTSP."""

from typing import Self
from urllib.parse import urlsplit

import cv2

from ..errors import CameraLost
from ..records import Frame
from .opencv import next_frame
from .spec import CameraSpec


class Rtsp:
    """Delivers a stream's frames as they arrive; the capture thread reads every one, so none grows old."""

    live = True

    def __init__(self, spec: CameraSpec, timeout_s: float) -> None:
        self.skipped = 0
        self._url = spec.target
        # Errors end in logs, and a camera's password has no place there.
        self._shown = f"rtsp://{(urlsplit(spec.target).netloc or '?').rpartition('@')[2]}{urlsplit(spec.target).path}"
        self._timeout_ms = round(timeout_s * 1000)
        self._reader: cv2.VideoCapture | None = None

    def __enter__(self) -> Self:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, self._timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, self._timeout_ms]
        self._reader = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, limits)
        if not self._reader.isOpened():
            raise CameraLost(f"{self._shown}: no stream there; check address, user and password with: ffplay URL")
        return self

    def __exit__(self, *exc: object) -> None:
        if self._reader is not None:
            self._reader.release()

    def capture(self) -> Frame:
        return next_frame(
            self._reader,
            ended=f"{self._shown}: the stream has ended; check the camera and the network",
            undecodable=f"{self._shown}: its frames cannot be decoded; choose H.264 in the camera's settings",
        )
