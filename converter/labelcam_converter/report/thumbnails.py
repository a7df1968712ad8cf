# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Small copies of images for a page that its reader asked to hold them; nothing of the file but its pixels goes in."""

import base64
from pathlib import Path

import cv2

from labelcam.errors import ImageError
from labelcam.images import read_image

SIDE = 400
"""Pixels of the longer side, for a card of half that width on a dense screen."""

QUALITY = 82


def thumbnail(path: Path) -> str | None:
    """Return an image as the data: address of a small JPEG; None if it can no longer be read."""
    try:
        pixels = read_image(path)
    except ImageError:  # it was read before; the figures on the page are worth having without it
        return None
    height, width = pixels.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), size, interpolation=cv2.INTER_AREA)
    # Encoded anew from the pixels: where and when the picture was taken, as EXIF has it, stays behind.
    _, data = cv2.imencode(".jpg", small, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
