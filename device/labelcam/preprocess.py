# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""From a camera's pixels to a network's input: the only place where that is written down.

The converter calibrates and compares with these very functions, so what the device does is the specification.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .images import Pixels

# One frame is too small to be worth splitting, and OpenCV's threads would take the core that the invoke runs on
# (measured on 2 cores, 480x480 to 224x224: 0.68 ms with one thread, 0.86 to 1.08 ms with two).
cv2.setNumThreads(1)


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


class Fit(StrEnum):
    """How a picture of any shape becomes one of the network's shape."""

    CROP = "crop"
    """The largest centred part of the network's aspect ratio; for a square input, the centred square."""

    SQUEEZE = "squeeze"
    """The whole picture, its aspect ratio given up."""

    LETTERBOX = "letterbox"
    """The whole picture, with grey bars."""


@dataclass(frozen=True, slots=True)
class Preprocess:
    """Everything that stands between a picture and the float network's input."""

    fit: Fit = Fit.CROP

    fraction: float = 1.0
    """With crop: the part of the largest centred rectangle that is kept, above 0 up to 1."""

    resampling: Literal["mipmap"] = "mipmap"
    """Means of 2x2 pixels while the picture is at least twice too large, then bilinear, as graphics cards shrink
    textures. Against Pillow's antialiased bilinear on 320 crops it moves MobileNetV2's answers less than OpenCV's area
    resize does (640x480 to 224: KL 0.003 for 0.009) in a sixth of the time (0.10 ms for 0.67 ms)."""

    colour: Literal["RGB"] = "RGB"

    mean: float = 127.5
    """The float network sees (pixel - mean) / std, pixel being 0 to 255."""

    std: float = 127.5

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise ValueError(f"fraction {self.fraction} is out of range; use a value above 0 up to 1")
        if not (self.std > 0 and math.isfinite(self.std) and math.isfinite(self.mean)):
            raise ValueError(f"mean {self.mean}, std {self.std}: out of range; use numbers, std above 0")

    def normalise(self, pixels: Pixels) -> NDArray[np.float32]:
        """Return what the float network is fed for these bytes, in the same shape."""
        return ((pixels.astype(np.float32) - np.float32(self.mean)) / np.float32(self.std)).astype(np.float32)


def fit_image(pixels: Pixels, size: Size, how: Preprocess, out: Pixels | None = None) -> Pixels:
    """Return the picture at the network's size: height x width x 3 RGB bytes, written into `out` where it is given.

    `pixels` is height x width x 3 RGB, of any size from 1x1.
    """
    if out is None:
        out = np.empty((size.height, size.width, 3), np.uint8)
    match how.fit:
        case Fit.CROP:
            _resize(_centre(pixels, size, how.fraction), out)
        case Fit.SQUEEZE:
            _resize(pixels, out)
        case Fit.LETTERBOX:
            out[:] = 128  # mid-grey, the value that normalises to nearly nothing
            _resize(pixels, _inner(pixels, out))
    return out


def _centre(pixels: Pixels, size: Size, fraction: float) -> Pixels:
    height, width = pixels.shape[:2]
    scale = fraction * min(width / size.width, height / size.height)
    keep_width = min(width, max(1, round(scale * size.width)))
    keep_height = min(height, max(1, round(scale * size.height)))
    left, top = (width - keep_width) // 2, (height - keep_height) // 2
    return pixels[top : top + keep_height, left : left + keep_width]


def _inner(pixels: Pixels, out: Pixels) -> Pixels:
    """The centred part of `out` that has the picture's aspect ratio."""
    height, width = pixels.shape[:2]
    scale = min(out.shape[1] / width, out.shape[0] / height)
    inner_width, inner_height = max(1, round(scale * width)), max(1, round(scale * height))
    left, top = (out.shape[1] - inner_width) // 2, (out.shape[0] - inner_height) // 2
    return out[top : top + inner_height, left : left + inner_width]


def _resize(pixels: Pixels, out: Pixels) -> None:
    height, width = out.shape[:2]
    while pixels.shape[1] >= 2 * width or pixels.shape[0] >= 2 * height:
        pixels = _halved(pixels, pixels.shape[1] >= 2 * width, pixels.shape[0] >= 2 * height)
    if out.flags.c_contiguous:
        cv2.resize(pixels, (width, height), dst=out, interpolation=cv2.INTER_LINEAR)
    else:
        out[:] = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)


def _halved(pixels: Pixels, across: bool, down: bool) -> Pixels:
    """Means of neighbours; an odd last column or row, at most half a pixel of the result, is left out."""
    step_x, step_y = 1 + across, 1 + down
    height, width = pixels.shape[0] // step_y, pixels.shape[1] // step_x
    whole = pixels[: height * step_y, : width * step_x]
    return cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


class InputCode:
    """How a byte from 0 to 255 is written into the interpreter's input tensor.

    A quantised input nearly always makes this the identity (uint8) or one exclusive-or with 0x80 (int8): the camera's
    bytes are the input. That is checked here, once, at load; any other affine mapping becomes a 256-entry table.
    """

    def __init__(self, dtype: np.dtype[np.generic], scale: float, zero_point: int, how: Preprocess | None) -> None:
        """Read the code off the input tensor; `how` None means that the file does not say what the network saw.

        A quantised input without a manifest takes the bytes as they are: its scale and zero point then span exactly
        what the network saw, whatever that was.
        """
        self.dtype = dtype
        self.table = _table(dtype, scale, zero_point, how)
        steps = np.arange(256)
        if dtype == np.uint8 and np.array_equal(self.table, steps):
            self.kind = "identity"
        elif dtype == np.int8 and np.array_equal(self.table, steps - 128):
            self.kind = "xor"
        else:
            self.kind = "table"

    def encode(self, pixels: Pixels, out: NDArray[np.generic]) -> None:
        """Write the bytes into `out`, of the same shape and of the tensor's type; `out` may be `pixels` itself."""
        if self.kind == "identity":
            if out is not pixels:
                np.copyto(out, pixels)
        elif self.kind == "xor":
            np.bitwise_xor(pixels, 0x80, out=out.view(np.uint8))
        else:
            np.take(self.table, pixels, out=out)


def _table(dtype: np.dtype[np.generic], scale: float, zero_point: int, how: Preprocess | None) -> NDArray[np.generic]:
    steps = np.arange(256)
    if not np.issubdtype(dtype, np.integer):
        return (how or Preprocess()).normalise(steps.astype(np.uint8)).astype(dtype)
    lowest, highest = np.iinfo(dtype).min, np.iinfo(dtype).max  # type: ignore[type-var]
    as_is = steps + lowest if dtype.itemsize == 1 else None
    if how is None and as_is is not None:
        return as_is.astype(dtype)
    wanted = how or Preprocess()
    exact = (steps - wanted.mean) / wanted.std / scale + zero_point
    # -1 to 1 in 255 steps puts every byte exactly between two codes: half a step off is as near as a byte can be.
    if as_is is not None and np.max(np.abs(exact - as_is)) <= 0.51:
        return as_is.astype(dtype)
    return np.clip(np.round(exact), lowest, highest).astype(dtype)
