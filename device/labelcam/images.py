# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The one image loader, for the device and the converter alike: upright, RGB, 8 bits."""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import ImageError
from .orientation import is_webp, upright

log = logging.getLogger(__name__)

Pixels = NDArray[np.uint8]
"""Height x width x 3, RGB."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
"""What counts as an image in a folder, in lower case."""


OTHER_PICTURES = frozenset({".heic", ".heif", ".avif", ".gif", ".tif", ".tiff", ".jxl", ".jp2"})
"""Pictures that not every OpenCV reads: left out of a folder, but not silently."""

THUMBNAIL = 48
"""Least shorter side, in pixels, that `read_thumbnail` shrinks to."""

_JPEG = b"\xff\xd8"


def image_files(folder: Path) -> list[Path]:
    """Return every image file below `folder`, sorted by path, so that the order is the same on every machine.

    Links to folders are followed, each folder once; what is hidden (`._IMG_1.jpg`, `.thumbnails`) is left out.
    Raises ImageError if the folder is missing or holds none.
    """
    if not os.path.isdir(folder) or not os.access(folder, os.R_OK | os.X_OK):  # noqa: PTH112, is_dir may raise
        raise ImageError(f"{folder}: no such folder of images, or not ours to read; give one that holds {_names()}")
    files = list(_visible_files(folder))
    if others := Counter(path.suffix for path in files if path.suffix.lower() in OTHER_PICTURES):
        told = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items()))
        log.warning("%s: %s left out; convert them to JPEG or PNG", folder, told)
    found = sorted(path for path in files if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise ImageError(f"{folder}: holds no image; put some in that end in {_names()}")
    return found


def _visible_files(folder: Path) -> Iterator[Path]:
    """Every entry below the folder that is no folder itself."""
    entered: set[tuple[int, int]] = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        place = Path(root).stat()
        if (place.st_dev, place.st_ino) in entered:  # a link back to where we have been
            folders.clear()
            continue
        entered.add((place.st_dev, place.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in names if not name.startswith("."))


def rgb_from_bgr(pixels: cv2.typing.MatLike) -> Pixels:
    """Return OpenCV's blue, green, red as red, green, blue."""
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def read_image(path: Path) -> Pixels:
    """Return the image upright (its EXIF orientation applied), as height x width x 3 RGB bytes.

    Raises ImageError if the file is missing, damaged, cut short or no image.
    """
    return _decode(path, _read(path), cv2.IMREAD_COLOR)


def read_thumbnail(path: Path) -> Pixels:
    """Return what `read_image` does; of a large JPEG an eighth, which takes less than half the time.

    Raises ImageError as `read_image` does.
    """
    data = _read(path)
    if data.startswith(_JPEG):  # OpenCV shrinks the others after reading them, and without any smoothing
        small = _decode(path, data, cv2.IMREAD_REDUCED_COLOR_8)
        if min(small.shape[:2]) >= THUMBNAIL:
            return small
    return _decode(path, data, cv2.IMREAD_COLOR)


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        remedy = f"name its files: {path}/*" if os.path.isdir(path) else "check the path and its permissions"  # noqa: PTH112
        raise ImageError(f"{path}: cannot be read ({error.strerror}); {remedy}") from None
    if not data:
        raise ImageError(f"{path}: is empty; copy it again")
    if data.startswith(_JPEG) and not _jpeg_is_whole(data):
        # OpenCV would fill the missing part with grey and say nothing.
        raise ImageError(f"{path}: the JPEG is cut short; copy it again")
    return data


def _decode(path: Path, data: bytes, flags: int) -> Pixels:
    webp = is_webp(data)
    if webp:
        flags |= cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise ImageError(f"{path}: is no image, or a damaged one; what can be read: {_names()}")
    return upright(rgb_from_bgr(pixels), data) if webp else rgb_from_bgr(pixels)


def encode_png(pixels: Pixels) -> bytes:
    """Return height x width x 3 RGB bytes as the bytes of a PNG; the same pixels always give the same bytes."""
    _, data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return data.tobytes()


def decode_png(data: bytes, name: str) -> Pixels:
    """Return what `encode_png` was given. Raises ImageError, naming the image as `name`, if the bytes are damaged."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if pixels is None:
        raise ImageError(f"{name}: the picture inside the model file is damaged; build or copy the file again")
    return rgb_from_bgr(pixels)


def _jpeg_is_whole(data: bytes) -> bool:
    """Whether the end-of-image marker (ITU-T T.81, B.2.1) stands near the end; cameras may append a few bytes."""
    return data.rfind(b"\xff\xd9") > len(data) * 0.9


def _names() -> str:
    return ", ".join(sorted(SUFFIXES))
