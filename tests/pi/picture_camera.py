# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A real Video4Linux camera on the Pi that films whatever picture is put before it: the kernel's v4l2loopback."""

from dataclasses import dataclass

import cv2
import numpy as np

from labelcam.images import Pixels
from machine import Machine

DEVICE = "/dev/video9"
WIDTH, HEIGHT = 640, 480

_SHOWN = "/run/shown.yuyv"

_FEED = f"""\
import fcntl, struct, time

V4L2_BUF_TYPE_VIDEO_OUTPUT, V4L2_FIELD_NONE, V4L2_COLORSPACE_SRGB = 2, 1, 8
VIDIOC_S_FMT = 0xC0D05605
with open("{DEVICE}", "wb", buffering=0) as camera:
    yuyv, = struct.unpack("<I", b"YUYV")
    picture = {WIDTH}, {HEIGHT}, yuyv, V4L2_FIELD_NONE, {WIDTH * 2}, {WIDTH * HEIGHT * 2}, V4L2_COLORSPACE_SRGB
    wanted = struct.pack("<I4x7I", V4L2_BUF_TYPE_VIDEO_OUTPUT, *picture)
    fcntl.ioctl(camera, VIDIOC_S_FMT, wanted.ljust(208, bytes(1)))
    while True:
        with open("{_SHOWN}", "rb") as shown:
            camera.write(shown.read())
        time.sleep(0.2)
"""
"""What videodev2.h has; Python alone, for a bare Pi has nothing else."""


@dataclass(frozen=True, slots=True)
class PictureCamera:
    """Ten pictures in two seconds."""

    pi: Machine

    def attach(self, first: Pixels) -> None:
        """Plug it in, with this picture before it."""
        self.show(first)
        self.pi.run("modprobe", "v4l2loopback", "video_nr=9", "exclusive_caps=1")
        self.pi.write("/run/feed.py", _FEED.encode())
        self.pi.run("systemd-run", "--unit=picture-camera", "python3", "/run/feed.py")

    def show(self, picture: Pixels) -> None:
        """Put another picture before it."""
        shown = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        self.pi.write(_SHOWN + ".new", _yuyv(shown).tobytes())
        self.pi.run("mv", _SHOWN + ".new", _SHOWN)


def _yuyv(rgb: Pixels) -> Pixels:
    """Every pixel's own brightness and the colour of every pair, in the range of ITU-R BT.601: 16 to 235 and 240."""
    full = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb).astype(np.float64)
    luma, cr, cb = np.moveaxis(np.rint(full * [219 / 255, 224 / 255, 224 / 255] + 16).astype(np.uint8), 2, 0)
    colour = np.stack([cb[:, ::2], cr[:, ::2]], axis=2).reshape(luma.shape)
    return np.stack([luma, colour], axis=2)
