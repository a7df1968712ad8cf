# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The one-line names of cameras, such as `picamera2:1`, `photos:DIR?loop` or `synthetic:640x480@30`."""

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from ..errors import SettingsError
from ..preprocess import Size

Kind = Literal["picamera2", "v4l2", "rtsp", "video", "photos", "synthetic"]

FORMS = "picamera2[:N], v4l2:/dev/video0, rtsp://…, video:FILE, photos:DIR, synthetic:640x480[@FPS]"

_OPTIONS = re.compile(r"^(?P<target>.*?)\?(?P<options>(?:loop|fps=[^&?]*)(?:&(?:loop|fps=[^&?]*))*)$", re.DOTALL)
_SYNTHETIC = re.compile(r"^(\d+)x(\d+)(?:@(.+))?$")


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """Which camera, and how its frames are to come."""

    kind: Kind
    target: str
    """Device, address, file or folder, or the camera's number; empty for synthetic."""

    fps: float | None = None
    """Frames a second of a file or synthetic camera played live; None: as fast as they are asked for."""

    loop: bool = False
    """Start again after the last frame."""

    size: Size | None = None
    """Of synthetic frames."""

    @property
    def is_device(self) -> bool:
        """Whether it is a real camera: those may be away, be late, or freeze."""
        return self.kind in ("picamera2", "v4l2", "rtsp")

    @property
    def live(self) -> bool:
        """Whether the world goes on without us, so that stale frames are dropped."""
        return self.is_device or self.fps is not None


def parse_spec(text: str) -> CameraSpec:
    """Return what a `--camera` value names. Raises SettingsError, with the forms there are, if it names nothing."""
    kind, separator, target = text.partition(":")
    if kind not in get_args(Kind):
        hint = _meant(kind, text)
        shown = f"{kind}:…" if "@" in text else text  # an address may hold a password
        raise SettingsError(f"camera {shown!r}: no such kind {kind!r}; {hint}")
    if kind == "picamera2":
        return _picamera2(text, target)
    if kind == "rtsp":
        return _rtsp(text)
    if kind == "synthetic":
        return _synthetic(text, target)
    if not separator or not target:
        raise SettingsError(f"camera {text!r}: names no {_what(kind)}; use one of {FORMS}")
    if kind == "v4l2":
        return CameraSpec("v4l2", target)
    return _file(cast("Kind", kind), text, target)


def _picamera2(text: str, target: str) -> CameraSpec:
    if target and not target.isdecimal():
        raise SettingsError(f"camera {text!r}: {target!r} is no camera number; use picamera2 or picamera2:1")
    return CameraSpec("picamera2", target or "0")


def _rtsp(text: str) -> CameraSpec:
    try:
        host = urlsplit(text).hostname
    except ValueError:
        host = None
    if not host:
        raise SettingsError("camera: that is no RTSP address; use rtsp://USER:PASSWORD@HOST:554/PATH")
    return CameraSpec("rtsp", text)  # a question mark belongs to the address


def _synthetic(text: str, target: str) -> CameraSpec:
    match = _SYNTHETIC.match(target or "640x480")
    if not match or not (0 < int(match[1]) <= 8192 and 0 < int(match[2]) <= 8192):
        raise SettingsError(f"camera {text!r}: no size up to 8192x8192; use synthetic:640x480 or synthetic:640x480@30")
    fps = _fps(text, match[3]) if match[3] else None
    return CameraSpec("synthetic", "", fps, size=Size(int(match[1]), int(match[2])))


def _file(kind: Kind, text: str, target: str) -> CameraSpec:
    match = _OPTIONS.match(target)
    if not match:
        return CameraSpec(kind, target)
    options = dict(part.partition("=")[::2] for part in match["options"].split("&"))
    fps = _fps(text, options["fps"]) if "fps" in options else None
    return CameraSpec(kind, match["target"], fps, "loop" in options)


def _fps(text: str, value: str) -> float:
    try:
        fps = float(value)
    except ValueError:
        fps = 0.0
    if not 0 < fps <= 1000:
        raise SettingsError(f"camera {text!r}: {value!r} is no frame rate; use a number above 0 up to 1000")
    return fps


def _what(kind: str) -> str:
    return {"v4l2": "device", "photos": "folder"}.get(kind, "file")


def _meant(kind: str, text: str) -> str:
    path = os.path.expanduser(text)  # noqa: PTH111, the method raises for unknown users
    if text.startswith("/dev/video"):
        return f"did you mean v4l2:{text}?"
    if "/" in text and os.path.exists(path):  # noqa: PTH110, exists may raise
        return f"did you mean {'photos' if os.path.isdir(path) else 'video'}:{text}?"  # noqa: PTH112, as above
    close = get_close_matches(kind, get_args(Kind), n=1)
    return f"did you mean {close[0]!r}?" if close else f"use one of {FORMS}"
