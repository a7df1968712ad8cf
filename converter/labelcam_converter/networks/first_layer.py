# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the pictures, scaled as they will be, look to the network like those it has learned from.

Scaling twice or not at all makes the first convolution's results a hundred times too large or too small. Where the file
tells of a batch norm behind it, its gamma and beta say what every channel was like in training, and even 0 to 1 is
told from -1 to 1. Elsewhere only the hundredfold error can be seen, and the answers must agree that it is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelcam.preprocess import Preprocess
from labelcam.runtime import Interpreter

from .. import scaling
from ..flatbuffer import Graph
from ..pictures import Picture

Floats = NDArray[np.float64]

PICTURES = 12
"""So many are looked at."""

FEWEST = 4
"""With fewer pictures their answers cannot differ enough to mean anything."""

PATCHES = 60
"""Places in each picture at which the first convolution is computed."""

CANDIDATES = ("tf", "unit", "raw", "116,58")
"""What networks are fed in practice; the last is ImageNet's mean and spread."""


@dataclass(frozen=True, slots=True)
class FirstNorm:
    """The batch norm behind the first convolution, one number a channel."""

    gamma: tuple[float, ...]
    """Its absolute value was the standard deviation of the channel in training."""

    beta: tuple[float, ...]
    """The mean of the channel in training."""


def doubt(float_model: bytes, pictures: Sequence[Picture], how: Preprocess, norm: FirstNorm | None) -> str | None:
    """Return a warning if another scaling than `how` would suit the network much better, else None.

    `float_model` has one input and one output. It says nothing rather than something doubtful.
    """
    whole = [picture for picture in pictures if picture.whole][:: max(1, len(pictures) // PICTURES)][:PICTURES]
    convolution = _Convolution.first(Graph(float_model), whole)
    if convolution is None:
        return None
    scalings = {text: scaling.parse(text) for text in CANDIDATES}
    if norm is not None and len(norm.gamma) == convolution.channels:
        better = _by_norm(convolution, how, scalings, norm)
    else:
        better = _by_spread(convolution, how, scalings, float_model, whole)
    if not better:
        return None
    words = " or ".join(scaling.in_words(scalings[text]) for text in better)
    return (
        f"fed {scaling.in_words(how)} the network sees other values than it has learned from, as far as these pictures "
        f"tell; {words} would suit it: give --preprocess {' or '.join(better)}"
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Convolution:
    """The first convolution, and patches of pictures to compute it on."""

    weights: Floats
    """Output channels x values of a patch."""

    bias: Floats
    black: float
    """What the graph itself makes of 0 before the convolution, and of 255."""

    white: float
    patches: NDArray[np.uint8]
    """Patches x values."""

    @classmethod
    def first(cls, graph: Graph, pictures: Sequence[Picture]) -> "_Convolution | None":
        """None where the network begins in another way."""
        black, white, fed = scaling.beginning(graph)
        steps = [step for step in graph.operations if fed in step.inputs]
        if len(steps) != 1 or steps[0].kind != "CONV_2D" or not pictures:
            return None
        if len(steps[0].inputs) < 3 or min(steps[0].inputs) < 0:  # without a bias
            return None
        kernel, bias = (graph.tensors[index].constant() for index in steps[0].inputs[1:3])
        if kernel is None or bias is None or kernel.shape[3] != 3:
            return None
        count, height, width, _ = kernel.shape
        if height > pictures[0].pixels.shape[0] or width > pictures[0].pixels.shape[1]:
            return None
        patches = np.concatenate([_patches(picture, height, width) for picture in pictures])
        return cls(kernel.reshape(count, -1).astype(np.float64), bias.astype(np.float64), black, white, patches)

    @property
    def channels(self) -> int:
        return len(self.bias)

    def results(self, how: Preprocess) -> Floats:
        """Return what it computes for pictures scaled like this, before its activation: patches x channels."""
        fed = (self.patches.astype(np.float64) - how.mean) / how.std
        seen = self.black + (self.white - self.black) / 255 * fed
        return np.asarray(seen @ self.weights.T + self.bias, np.float64)


def _patches(picture: Picture, height: int, width: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, picture.pixels.shape[0] - height + 1, PATCHES)
    columns = rng.integers(0, picture.pixels.shape[1] - width + 1, PATCHES)
    cut = [
        picture.pixels[top : top + height, left : left + width].reshape(-1)
        for top, left in zip(rows, columns, strict=True)
    ]
    return np.stack(cut)


def _by_norm(
    convolution: _Convolution, how: Preprocess, scalings: dict[str, Preprocess], norm: FirstNorm
) -> tuple[str, ...]:
    """The scaling whose results have the mean and spread of training; none where the chosen one is not far worse."""
    chosen = _misfit(convolution.results(how), norm)
    found = {text: _misfit(convolution.results(each), norm) for text, each in scalings.items()}
    best = min(found, key=lambda text: found[text][0])
    (distance, shift), (least, best_shift) = chosen, found[best]
    # Measured on three networks and two sets of photographs: right 0.02 to 0.18 (of dark pictures up to 1.4), 0 to 1
    # for -1 to 1 and back 0.6 to 3.4, others from 4. Contrast differs between cameras, so the means must agree.
    far = distance > 0.5 and distance > 4 * least and shift > 2 * best_shift
    return (best,) if far and least < 0.3 else ()


def _misfit(results: Floats, norm: FirstNorm) -> tuple[float, float]:
    """KL divergence from the results to training, each channel a Gaussian, median; then the mean squared shift."""
    spread = np.abs(np.asarray(norm.gamma))
    alive = spread > 0.05 * np.median(spread)
    shift = (results.mean(axis=0) - np.asarray(norm.beta))[alive] / spread[alive]
    ratio = np.maximum(results.std(axis=0)[alive] / spread[alive], 1e-6)
    distance = 0.5 * (ratio**2 + shift**2 - 1 - 2 * np.log(ratio))
    return float(np.median(distance)), float(np.minimum(shift**2, 9).mean())


def _by_spread(
    convolution: _Convolution,
    how: Preprocess,
    scalings: dict[str, Preprocess],
    float_model: bytes,
    pictures: Sequence[Picture],
) -> tuple[str, ...]:
    """The scalings that give results of about 1 where the chosen one is a hundredfold off, and the answers agree."""
    chosen = _spread(convolution.results(how))
    if 0.03 <= chosen <= 12 or len(pictures) < FEWEST:
        return ()
    found = {text: _spread(convolution.results(each)) for text, each in scalings.items() if "," not in text}
    usual = tuple(text for text in found if 0.1 <= found[text] <= 6)
    told = _information(float_model, pictures, how)
    others = [_information(float_model, pictures, scalings[text]) for text in usual]
    better = max((each for each in others if each is not None), default=0.0)
    # A network that learned from large values answers the same to all small ones; saturated by far too large ones,
    # it is sure of something different for every picture.
    agreed = told is not None and better >= max(0.01, (0.1 if chosen > 12 else 5) * told)
    return usual if agreed else ()


def _spread(results: Floats) -> float:
    """The median over the channels of the standard deviation."""
    return float(np.median(results.std(axis=0)))


def _information(float_model: bytes, pictures: Sequence[Picture], how: Preprocess) -> float | None:
    """How much an answer tells about which picture it was, in nats; None for answers that are no probabilities."""
    interpreter = Interpreter(float_model)
    answers = []
    for picture in pictures:
        interpreter.write(how.normalise(picture.pixels)[None])
        interpreter.invoke()
        answers.append(interpreter.read().reshape(-1).astype(np.float64))
    scores = np.stack(answers)
    if not (np.all(scores >= 0) and np.all(np.abs(scores.sum(axis=1) - 1) < 1e-2)):
        return None
    return float(_entropy(scores.mean(axis=0)) - np.mean([_entropy(each) for each in scores]))


def _entropy(scores: Floats) -> float:
    floored = np.maximum(scores, 1e-12)
    return float(-np.sum(floored * np.log(floored)))
