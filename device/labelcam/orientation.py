# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""How a WebP was held: OpenCV reads that tag of a JPEG or PNG, but of a WebP only from 4.12 on (Bookworm has 4.11)."""

import struct
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_TAG = 274
"""Orientation, TIFF 6.0."""

_UPRIGHT: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: np.rot90(stored, 1),
}


def is_webp(data: bytes) -> bool:
    """Whether these are the bytes of a WebP file."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def upright(pixels: NDArray[np.uint8], webp: bytes) -> NDArray[np.uint8]:
    """Return pixels that were decoded as they are stored the way a person sees them."""
    turn = _UPRIGHT.get(_orientation(webp))
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def _orientation(webp: bytes) -> int:
    """The tag in the EXIF chunk; 1 where there is none, or none that can be read."""
    place = 12
    while place + 8 <= len(webp):
        size = int.from_bytes(webp[place + 4 : place + 8], "little")
        if webp[place : place + 4] == b"EXIF":
            try:
                return _tag(webp[place + 8 : place + 8 + size].removeprefix(b"Exif\0\0"))
            except struct.error:
                return 1
        place += 8 + size + size % 2
    return 1


def _tag(tiff: bytes) -> int:
    order = "<" if tiff[:2] == b"II" else ">"
    (directory,) = struct.unpack_from(order + "I", tiff, 4)
    (entries,) = struct.unpack_from(order + "H", tiff, directory)
    for number in range(entries):
        tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * number)
        if tag == _TAG:
            return int(value)
    return 1
