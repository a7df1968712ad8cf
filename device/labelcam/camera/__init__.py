# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The seam between us and everything that delivers frames, and the only place that knows which cameras exist."""

import os
from typing import Protocol, Self, assert_never

import cv2

from ..errors import CameraLost
from ..preprocess import Size
from ..records import Frame
from .absence import SLOWEST_RETRY_S, Absence, BadFrame, CameraAway, Patience, Search
from .lores import Aim
from .reconnecting import Reconnecting
from .spec import CameraSpec, parse_spec

__all__ = [
    "SLOWEST_RETRY_S",
    "Absence",
    "Aim",
    "BadFrame",
    "Camera",
    "CameraAway",
    "CameraLost",
    "CameraSpec",
    "EndOfFrames",
    "Patience",
    "find_camera",
    "open_camera",
    "parse_spec",
]

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
    """A source of frames. Use it in a `with` block; leaving it frees the sensor."""

    live: bool
    """True: the world goes on without us, stale frames are dropped. False: frames wait to be pulled."""

    skipped: int
    """Frames that could not be read and were passed over."""

    def __enter__(self) -> Self:
        """Begin with it. Raises CameraLost if a file or folder is not there; devices are looked for by `capture`."""
        ...

    def __exit__(self, *exc: object) -> None: ...

    def capture(self) -> Frame:
        """Return the next frame.

        Raises CameraLost if none can come any more, EndOfFrames after the last, BadFrame in place of one that is no
        good, and CameraAway while the camera is looked for: every call is one attempt, to be made when it says so.
        """
        ...

    def skip(self) -> None:
        """Pass over the next frame of a live camera at the least cost; raises what `capture` raises."""
        ...

    def limit(self, fps: float) -> None:
        """Hear that no more than so many frames a second will be used from now on; infinite: as many as there are."""
        ...


def open_camera(
    spec: CameraSpec,
    max_fps: float,
    timeout_s: float,
    *,
    patience: Patience = Patience(),  # noqa: B008, frozen
    frozen_s: float = 0.0,
    aim: Aim | None = None,
) -> Camera:
    """Return the camera that the specification names; enter it before it captures.

    A real camera delivers at most `max_fps` frames a second. It is away after `timeout_s` seconds without one, or
    after `frozen_s` seconds of the same ones (0 does not look for that), and looked for as long as there is
    `patience`. One with an image processor of its own is told what its frames are for by `aim`.
    """
    search = Search(patience)
    match spec.kind:
        case "picamera2":
            from .picamera2 import PiCamera  # libcamera exists only on a Pi

            return PiCamera(int(spec.target), CAPTURE_SIZE, max_fps, timeout_s, search, frozen_s, aim)
        case "v4l2":
            from .v4l2 import V4L2

            device = V4L2(spec.target, CAPTURE_SIZE, max_fps, timeout_s)
            return Reconnecting(device.connect, search, timeout_s, frozen_s)
        case "rtsp":
            from .rtsp import Rtsp

            stream = Rtsp(spec.target, max_fps, timeout_s)
            return Reconnecting(stream.connect, search, timeout_s, frozen_s)
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


def find_camera(spec: CameraSpec) -> None:
    """Raise CameraLost if its device, file or folder is not there right now; of the others only opening them tells."""
    if spec.kind == "v4l2":
        from .v4l2 import V4L2

        V4L2(spec.target, CAPTURE_SIZE, max_fps=1.0, timeout_s=1.0).find()
    elif not spec.is_device:
        with open_camera(spec, max_fps=1.0, timeout_s=1.0):
            pass
