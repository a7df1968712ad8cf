# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What the weights of a layer are multiplied by: its inputs, gathered at some of its output positions."""

import numpy as np
from numpy.typing import NDArray

from .weighted import Layer

Rows = NDArray[np.float32]
"""Positions x places in the kernel x input channels."""

_SAME = 0
"""TFLite's number for 'same' padding."""


def taps(layer: Layer, fed: NDArray[np.float32], wanted: int, rng: np.random.Generator) -> Rows:
    """Return the inputs at up to `wanted` random output positions; `fed` is the layer's whole input."""
    if layer.step.kind == "FULLY_CONNECTED":
        return fed.reshape(-1, 1, fed.shape[-1])
    options = layer.step.options
    kernel = layer.weights.shape[1:3]
    stride = int(options["strideH"]), int(options["strideW"])
    dilation = int(options["dilationHFactor"]), int(options["dilationWFactor"])
    reach = [(size - 1) * apart + 1 for size, apart in zip(kernel, dilation, strict=True)]
    sides = fed.shape[1:3]
    if options["padding"] == _SAME:
        across = [-(-side // step) for side, step in zip(sides, stride, strict=True)]
        # As TFLite pads: half of what is missing in front, the odd one behind.
        front = [
            max((n - 1) * step + span - side, 0) // 2
            for n, step, span, side in zip(across, stride, reach, sides, strict=True)
        ]
    else:
        across = [(side - span) // step + 1 for side, span, step in zip(sides, reach, stride, strict=True)]
        front = [0, 0]
    places = across[0] * across[1]
    chosen = np.sort(rng.choice(places, min(wanted, places), replace=False, shuffle=False))
    rows = _reached(chosen // across[1], stride[0], front[0], kernel[0], dilation[0])
    columns = _reached(chosen % across[1], stride[1], front[1], kernel[1], dilation[1])
    return _gathered(fed[0], rows, columns)


def _reached(position: NDArray[np.intp], stride: int, front: int, kernel: int, dilation: int) -> NDArray[np.intp]:
    """Positions x places along one side of the kernel: where in the input each looks."""
    return position[:, None] * stride - front + np.arange(kernel) * dilation


def _gathered(picture: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Rows:
    height, width, channels = picture.shape
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    found = picture[np.clip(rows, 0, height - 1)[:, :, None], np.clip(columns, 0, width - 1)[:, None, :]]
    if not inside.all():
        found[~inside] = 0  # padding
    return found.reshape(len(rows), -1, channels)
