# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What every camera that OpenCV reads has in common."""

import time

import cv2

from ..errors import CameraLost
from ..images import rgb_from_bgr
from ..records import Frame


def next_frame(reader: cv2.VideoCapture | None, ended: str, undecodable: str) -> Frame:
    """Wait for a live camera's next frame and stamp it before it is decoded.

    Raises CameraLost, with the text that fits, if none comes in the reader's own time or it cannot be decoded.
    """
    assert reader is not None, "a camera is entered before it captures"  # noqa: S101
    if not reader.grab():
        raise CameraLost(ended)
    taken_ns = time.monotonic_ns()
    good, pixels = reader.retrieve()
    if not good:
        raise CameraLost(undecodable)
    return Frame(rgb_from_bgr(pixels), taken_ns)
