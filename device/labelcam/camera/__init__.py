# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The seam between us and everything that delivers frames, and the only place that knows which cameras exist."""

import os
from typing import Protocol, Self, assert_never

import cv2

from ..errors import CameraLost
from ..preprocess import Size
from ..records import Frame
from .spec import CameraSpec, parse_spec

__all__ = ["Camera", "CameraLost", "CameraSpec", "EndOfFrames", "open_camera", "parse_spec"]

# What FFmpeg and OpenCV say of a bad stream would fill an SD card's log; our own error says it once.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
# OpenCV 4 and 5 keep the same function in different places.
_set_log_level = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
_set_log_level(0)  # silent

CAPTURE_SIZE = Size(640, 480)
"""What a real camera is asked for: every sensor has it, and it is more than any MobileNet takes."""


class EndOfFrames(Exception):
    """The last photograph or video frame has been delivered."""


class Camera(Protocol):
    """A source of frames. Use it in a `with` block; entering opens it, leaving frees the sensor."""

    live: bool
    """True: the world goes on without us, stale frames are dropped. False: frames wait to be pulled."""

    skipped: int
    """Frames that could not be read and were passed over."""

    def __enter__(self) -> Self:
        """Open it. Raises CameraLost if it is not there."""
        ...

    def __exit__(self, *exc: object) -> None: ...

    def capture(self) -> Frame:
        """Return the next frame. Raises CameraLost if none can come any more, EndOfFrames after the last."""
        ...


def open_camera(spec: CameraSpec, max_fps: float, timeout_s: float) -> Camera:
    """Return the camera that the specification names; enter it to open it.

    A live camera is asked for at most `max_fps` frames a second, and is lost after `timeout_s` seconds without one.
    """
    match spec.kind:
        case "picamera2":
            from .picamera2 import PiCamera  # libcamera exists only on a Pi

            return PiCamera(spec, CAPTURE_SIZE, max_fps, timeout_s)
        case "v4l2":
            from .v4l2 import V4L2

            return V4L2(spec, CAPTURE_SIZE, max_fps, timeout_s)
        case "rtsp":
            from .rtsp import Rtsp

            return Rtsp(spec, timeout_s)
        case "video":
            from .video import Video

            return Video(spec)
        case "photos":
            from .photos import Photos

            return Photos(spec)
        case "synthetic":
            from .synthetic import Synthetic

            return Synthetic(spec)
        case _:
            assert_never(spec.kind)
