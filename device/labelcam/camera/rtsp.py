# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A network camera that speaks RTSP."""

from urllib.parse import urlsplit

import cv2

from ..errors import CameraLost
from .opencv import OpenCvReader, Words
from .pace import Rate


class Rtsp:
    """Connects to a stream, as often as it is asked to; every frame of it is read, so none grows old."""

    def __init__(self, url: str, max_fps: float, timeout_s: float) -> None:
        self._url, self._max_fps, self._timeout_ms = url, max_fps, round(timeout_s * 1000)
        # Errors end in logs, and a camera's password has no place there.
        self._shown = f"rtsp://{(urlsplit(url).netloc or '?').rpartition('@')[2]}{urlsplit(url).path}"

    def connect(self) -> OpenCvReader:
        """Return a reader of the stream's frames. Raises CameraLost if there is no stream."""
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, self._timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, self._timeout_ms]
        capture = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, limits)
        if not capture.isOpened():
            raise CameraLost(f"{self._shown}: no stream there; check address, user and password with: ffplay URL")
        words = Words(
            ended=f"{self._shown}: the stream has ended; check the camera and the network",
            undecodable=f"{self._shown}: its frames cannot be decoded; choose H.264 in the camera's settings",
        )
        return OpenCvReader(capture, words, Rate(self._max_fps))
