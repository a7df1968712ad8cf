# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""A network of any scheme on a picture: bytes in, real scores out."""

import warnings
from collections.abc import Iterator

import numpy as np

from labelcam.images import Pixels
from labelcam.preprocess import InputCode, Preprocess
from labelcam.runtime import Array, Interpreter, Tensor

from .divergence import Distribution

THREADS = 2
"""Fixed, so that the same pictures give the same figures on machines with more cores."""


class Scorer:
    """A loaded network and how it is fed."""

    def __init__(self, model: bytes, how: Preprocess | None, keep_tensors: bool = False) -> None:
        """Load a .tflite; `how` None feeds a quantised one the bytes as they are. Raises ModelFileError."""
        with warnings.catch_warnings():
            # The interpreter warns that keeping every tensor costs memory; that is what is wanted here.
            warnings.simplefilter("ignore", UserWarning)
            self.interpreter = Interpreter(model, THREADS, keep_tensors=keep_tensors)
        fed = self.interpreter.input
        self._code = InputCode(fed.dtype, fed.scale, fed.zero_point, how)
        self._prepared = np.zeros(fed.shape, fed.dtype)

    @property
    def outputs(self) -> int:
        """How many scores an answer has."""
        return int(np.prod(self.interpreter.output.shape))

    def scores(self, pixels: Pixels) -> Distribution:
        """Return the answer to a picture of the network's size, dequantised, one score per label."""
        self._code.encode(pixels, self._prepared[0])
        self.interpreter.write(self._prepared)
        self.interpreter.invoke()
        return real(self.interpreter.output, self.interpreter.read()).reshape(-1)

    def tensors(self) -> Iterator[tuple[int, Distribution]]:
        """Yield the index and the real value of all that the last answer was computed from; with `keep_tensors`."""
        for tensor, value in self.interpreter.tensors():
            yield tensor.index, real(tensor, value)


def real(tensor: Tensor, value: Array) -> Distribution:
    """Return what codes stand for, or floats as they are."""
    exact = value.astype(np.float64)
    return (exact - tensor.zero_point) * tensor.scale if tensor.scale else exact
