# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Quantisation by TensorFlow's TFLiteConverter: for the Edge TPU compiler, which is proven with its files only."""

import io
from collections.abc import Sequence
from typing import Literal

import numpy as np

from labelcam.errors import ModelFileError
from labelcam.preprocess import Preprocess

from ..networks import Source, request_of
from ..pictures import Picture
from ..tensorflow_process import require_tensorflow, tensorflow_task


def quantize_with_tensorflow(
    source: Source,
    pictures: Sequence[Picture],
    how: Preprocess,
    *,
    io_type: Literal["uint8", "int8", "float32"] = "uint8",
    scheme: Literal["int8", "int16x8"] = "int8",
    per_channel_dense: bool = True,
    verbose: bool = False,
) -> bytes:
    """Return the network quantised by TFLiteConverter, its ranges taken from the pictures.

    The Edge TPU compiler wants `per_channel_dense` False: one scale for all outputs of a dense layer. Raises
    ModelFileError if the network is a .tflite already, or if TensorFlow refuses it.
    """
    blamed = str(source.path or source.name)
    if source.kind == "tflite":
        raise ModelFileError(
            f"{blamed}: TensorFlow cannot quantise a .tflite; give the .keras, .h5 or SavedModel it was made from"
        )
    require_tensorflow("quantising for the Edge TPU")
    request = {**request_of(source), "scheme": scheme, "io": io_type, "per_channel_dense": per_channel_dense}
    files = {"samples.npy": _samples(pictures, how)}
    with tensorflow_task("quantize", blamed, request, files, verbose=verbose) as answer:
        return answer.file("int8.tflite")


def _samples(pictures: Sequence[Picture], how: Preprocess) -> bytes:
    pixels = np.stack([picture.pixels for picture in pictures])
    # One black and one white pixel: so every byte of a camera is one step of the quantised input.
    pixels[0, 0, 0], pixels[0, -1, -1] = 0, 255
    file = io.BytesIO()
    np.save(file, how.normalise(pixels))
    return file.getvalue()
