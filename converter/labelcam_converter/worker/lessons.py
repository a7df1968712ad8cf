# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures that a network learns from and is judged on, and the altered views of them that it is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelcam.errors import ImageError
from labelcam.images import read_image
from labelcam.preprocess import Fit, Preprocess, Size, fit_image

from .refusal import Refused
from .reporting import Reporter

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """Pictures with their right labels."""

    pixels: NDArray[np.uint8]
    """Pictures x height x width x 3, as the device prepares them."""

    targets: NDArray[np.int64]
    """The number of each one's label."""

    weights: Floats
    """What an error on each one counts, so that every label counts the same in all."""

    def part(self, which: NDArray[np.bool_]) -> "Lessons":
        """Return some of them."""
        return Lessons(self.pixels[which], self.targets[which], self.weights[which])

    def __len__(self) -> int:
        return len(self.targets)


def read_lessons(request: dict[str, Any], size: Size, reporter: Reporter) -> tuple[Lessons, Lessons]:
    """Return what to learn from, and what to be judged on. Raises Refused if a picture cannot be read."""
    files, how = request["files"], Preprocess(fit=Fit(request["fit"]))
    pixels = np.empty((len(files), size.height, size.width, 3), np.uint8)
    reporter.begin("reading images", len(files))
    for number, file in enumerate(files):
        try:
            pixels[number] = fit_image(read_image(Path(file)), size, how)
        except ImageError as error:
            raise Refused(str(error)) from error
        reporter.advance()
    targets, judging = np.array(request["targets"], np.int64), np.array(request["validation"], np.bool_)
    whole = Lessons(pixels, targets, balance(targets, targets[~judging]))
    return whole.part(~judging), whole.part(judging)


def balance(targets: NDArray[np.int64], learned: NDArray[np.int64]) -> Floats:
    """Return the weight of each target: the rarer its label among the `learned` ones, the more, 1 on average there."""
    counts = np.bincount(learned, minlength=int(targets.max()) + 1)
    return (len(learned) / (len(counts) * counts))[targets].astype(np.float32)


def augmentation(seed: int) -> Callable[[NDArray[np.uint8]], Any]:
    """Return a function that alters a batch as another look through the same camera might: pixels in, pixels out.

    Mirrored, turned by up to 10 degrees, moved and zoomed by up to a tenth, a fifth brighter or darker, with more or
    less contrast. It is no part of the network that is saved.
    """
    import keras
    import tensorflow as tf

    layers = keras.layers
    pipeline = keras.Sequential(
        [
            layers.RandomFlip("horizontal", seed=seed),
            layers.RandomRotation(10 / 360, fill_mode="reflect", seed=seed + 1),
            layers.RandomTranslation(0.1, 0.1, fill_mode="reflect", seed=seed + 2),
            layers.RandomZoom((-0.1, 0.1), fill_mode="reflect", seed=seed + 3),
            layers.RandomBrightness(0.2, value_range=(0, 255), seed=seed + 4),
            layers.RandomContrast(0.2, value_range=(0, 255), seed=seed + 5),
        ]
    )
    altered = tf.function(lambda batch: pipeline(batch, training=True), reduce_retracing=True)
    return lambda batch: altered(tf.cast(batch, tf.float32))


def in_batches(
    function: Callable[[Any], Any], pixels: NDArray[np.uint8], batch: int, reporter: Reporter | None = None
) -> Floats:
    """Return what a function gives for every picture, told batch by batch to a reporter that has been begun."""
    found = []
    for begin in range(0, len(pixels), batch):
        found.append(np.asarray(function(pixels[begin : begin + batch]), np.float32))
        if reporter:
            reporter.advance()
    return np.concatenate(found)
