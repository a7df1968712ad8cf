# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Which cameras are attached: Video4Linux's devices by what they say of themselves, and what libcamera knows."""

import fcntl
import os
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# <linux/videodev2.h>: struct v4l2_capability is driver[16], card[32], bus_info[32], version, capabilities,
# device_caps and reserved[3], all u32; VIDIOC_QUERYCAP is _IOR('V', 0, struct v4l2_capability).
_CAPABILITY = struct.Struct("=16s32s32sIII12x")
_QUERYCAP = 2 << 30 | _CAPABILITY.size << 16 | ord("V") << 8
_CAPTURES = 0x1 | 0x1000  # V4L2_CAP_VIDEO_CAPTURE and its multi-planar sister
_OWN_CAPS = 0x80000000  # V4L2_CAP_DEVICE_CAPS: device_caps speaks of this node, capabilities of the whole device

LIBCAMERAS = ("unicam", "bcm2835-isp", "rp1-cfe", "pispbe", "rpivid", "rpi-hevc-dec")
"""Drivers of a Pi's own camera, whose nodes give raw data or nothing: picamera2 is the way in."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A camera that is there."""

    camera: str
    """What `--camera` takes."""

    name: str
    driver: str
    bus: str
    """Where it is plugged in; the same after a restart."""

    usable: bool
    remedy: str = ""
    """What to use instead, or to do."""


Ioctl = Callable[[int, int, bytes], bytes]


def v4l2_devices(folder: Path = Path("/dev"), ioctl: Ioctl = fcntl.ioctl) -> list[Attached]:
    """Return the nodes that capture, in the order of their numbers."""
    nodes = [node for node in folder.glob("video*") if re.fullmatch(r"video\d+", node.name)]
    nodes.sort(key=lambda node: int(node.name.removeprefix("video")))
    return [found for node in nodes if (found := _asked(node, ioctl)) is not None]


def _asked(node: Path, ioctl: Ioctl) -> Attached | None:
    """What a device says of itself; None where it captures nothing or is no Video4Linux device."""
    spec = f"v4l2:{node}"
    try:
        device = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    except PermissionError:
        return Attached(spec, "?", "?", "?", False, "add yourself to the group 'video' and log in again")
    except OSError:
        return None  # unplugged just now, or the node of a device that is gone
    try:
        answer = ioctl(device, _QUERYCAP, bytes(_CAPABILITY.size))
    except OSError:
        return None
    finally:
        os.close(device)
    driver, card, bus, _, capabilities, own = _CAPABILITY.unpack(answer)
    if not (own if capabilities & _OWN_CAPS else capabilities) & _CAPTURES:
        return None
    name = _text(driver)
    belongs = name in LIBCAMERAS
    return Attached(spec, _text(card), name, _text(bus), not belongs, "use --camera picamera2" if belongs else "")


def _text(field: bytes) -> str:
    """A field of fixed length without what pads it, and without anything that could move a terminal's cursor."""
    text = field.partition(b"\0")[0].decode(errors="replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)
