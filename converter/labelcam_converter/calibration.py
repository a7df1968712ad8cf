# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration: the range of every value that the float network computes, over the calibration pictures."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from labelcam.console import progress
from labelcam.preprocess import Preprocess
from labelcam.runtime import Interpreter

from .pictures import Choice, Picture

THREADS = 2
"""Fixed, so that the same pictures give the same ranges on machines with more cores."""


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest value of a tensor."""

    low: float
    high: float

    def joined(self, other: "Range") -> "Range":
        """Return the range that covers both."""
        return Range(min(self.low, other.low), max(self.high, other.high))


@dataclass(frozen=True, slots=True)
class Card:
    """What a network was calibrated on, for the manifest and the report."""

    source: str
    images: int
    """Image files that were used."""

    found: int
    """Image files that there were."""

    skipped: int
    """Image files that could not be read."""

    crops: int
    """Random parts of those images that were used as well."""

    held_out: int
    """Image files that were kept away from calibration."""

    ranges: str
    seed: int
    brightness: float
    """Mean of all pixels, 0 to 1."""


def card(choice: Choice, pictures: Sequence[Picture], skipped: int, seed: int) -> Card:
    """Return the calibration card."""
    return Card(
        source="ten photographs of scikit-image, too few for a product"
        if choice.default
        else "images of the builder's",
        images=sum(picture.whole for picture in pictures),
        found=choice.found,
        skipped=skipped,
        crops=sum(not picture.whole for picture in pictures),
        held_out=len(choice.held_out),
        ranges="minmax",
        seed=seed,
        brightness=round(float(np.mean([picture.pixels.mean() for picture in pictures])) / 255, 3),
    )


def measure(float_model: bytes, pictures: Sequence[Picture], how: Preprocess) -> Mapping[str, Range]:
    """Return the range of the input and of every tensor that an operation writes, by name."""
    with _quiet():
        interpreter = Interpreter(float_model, THREADS, keep_tensors=True)
    ranges: dict[str, Range] = {}
    with progress("calibrating", len(pictures)) as tick:
        for picture in pictures:
            interpreter.write(how.normalise(picture.pixels)[None])
            interpreter.invoke()
            for name, found in _spans(interpreter):
                ranges[name] = found.joined(ranges.get(name, found))
            tick()
    # Not what was seen but what can be: so every byte of a camera is one step of the quantised input.
    black, white = how.normalise(np.array([0, 255], np.uint8))
    ranges[interpreter.input.name] = Range(float(black), float(white))
    return ranges


def _spans(interpreter: Interpreter) -> Iterator[tuple[str, Range]]:
    for tensor, value in interpreter.tensors():
        if tensor.dtype == np.float32 and value.size:
            yield tensor.name, Range(float(value.min()), float(value.max()))


@contextmanager
def _quiet() -> Iterator[None]:
    # The interpreter warns that keeping every tensor costs memory; that is what we want here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
