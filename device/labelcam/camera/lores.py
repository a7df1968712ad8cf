# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The size at which a camera's own image processor is asked for frames, so that nothing is left to be resized."""

import math
from dataclasses import dataclass

from ..preprocess import Fit, Preprocess, Size
from ..view import WHOLE, View

SMALLEST = 64
"""Pixels each way, below which image processors refuse or round."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What the frames are for."""

    size: Size
    """Of the network's input."""

    how: Preprocess
    view: View


@dataclass(frozen=True, slots=True)
class Lores:
    """A second, small stream beside the main one."""

    size: Size
    keeps_shape: bool
    """Cut to the stream's aspect ratio; else the main stream's whole picture is squeezed into it."""


def lores_for(aim: Aim | None, main: Size) -> Lores | None:
    """Return the stream that needs the least work after it; None where only the main stream's pixels will do.

    Squeezed, letterboxed or cut to the centre: what preprocessing would do to the main stream's picture, the image
    processor has then done. It cannot cut out a region, nor enlarge.
    """
    if aim is None or aim.view.region != WHOLE:
        return None
    width, height = aim.size[::-1] if aim.view.sideways else aim.size
    scale = 1.0
    if aim.how.fit is Fit.CROP:
        scale = 1 / aim.how.fraction  # the centre is cut out of it afterwards
    elif aim.how.fit is Fit.LETTERBOX:
        inner = min(width / main.width, height / main.height)
        width, height = round(inner * main.width), round(inner * main.height)
    scale *= max(1, math.ceil(SMALLEST / min(width, height)))
    size = Size(_even(width * scale), _even(height * scale))
    if size.width > main.width or size.height > main.height:
        return None
    return Lores(size, aim.how.fit is not Fit.SQUEEZE)


def _even(pixels: float) -> int:
    """Streams have even sizes; rounded up, so that nothing is ever enlarged."""
    return 2 * math.ceil(pixels / 2 - 1e-6)
