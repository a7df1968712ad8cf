# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The calibration card: what a network was calibrated on, for the manifest and the report, with what looks wrong."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from labelcam.images import Pixels

from .pictures import Choice, Picture
from .plurals import images
from .quantization.effort import Quantised

BINS = 16
FEW = 20
"""Fewer images than this say little of what the camera will see."""

DARK, BRIGHT = 0.08, 0.92
"""Mean brightness, 0 to 1, outside of which the network hardly saw anything."""

FLAT = 0.03
"""Deviation of all pixels, 0 to 1, below which all pictures are of one colour."""

NOISE = 0.7
"""Mean step between neighbours by the deviation of the picture: 1.13 for white noise, up to 0.4 for photographs."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Image files that there were and that were not used."""

    unreadable: int
    near_duplicates: int
    not_needed: int


@dataclass(frozen=True, slots=True)
class Channel:
    """One colour of the calibration pictures."""

    mean: float
    """0 to 1."""

    histogram: tuple[float, ...]
    """Shares of the pixels in BINS steps from 0 to 255."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a network was calibrated on."""

    source: str
    images: int
    """Image files that were used."""

    found: int
    """Image files that there were."""

    classes: Mapping[str, int]
    """Image files that were used, by their folder; empty for a flat folder."""

    dropped: Dropped
    crops: int
    """Random parts of those images that were used as well."""

    held_out: int
    """Image files that were kept away from calibration."""

    ranges: str
    """How the ranges were taken from what was seen."""

    seed: int
    brightness: float
    """Mean of all pixels, 0 to 1."""

    brightness_histogram: tuple[float, ...]
    """Shares of the pixels in BINS steps of their luma (ITU-R BT.601)."""

    colours: Mapping[str, Channel]
    """Red, green and blue."""

    clipped: Mapping[str, float]
    """By layer, the share of its values that lay outside the range it was given; only layers that have any."""

    corrections: tuple[str, ...]
    """What was done to the network beyond choosing ranges."""

    tried: Mapping[str, float]
    """KL(float || quantised) in nats on calibration images kept apart for it, by what was tried; empty: nothing was."""

    warnings: tuple[str, ...]
    """What makes these pictures poor ones to calibrate on, one sentence each."""


def card(
    choice: Choice,
    pictures: Sequence[Picture],
    unreadable: int,
    seed: int,
    made: Quantised,
) -> Card:
    """Return the card of these pictures; `unreadable` counts the chosen files that could not be prepared."""
    used = [picture.path for picture in pictures if picture.whole]
    classes = dict(sorted(Counter(choice.classes[path] for path in used if path in choice.classes).items()))
    lost = choice.unreadable + unreadable
    unneeded = choice.found - len(used) - len(choice.held_out) - lost - choice.near_duplicates
    pixels = [picture.pixels for picture in pictures]
    grey = _histogram([_luma(each) for each in pixels])
    brightness = float(np.mean([each.mean() for each in pixels])) / 255
    return Card(
        source="ten photographs of scikit-image, too few for a product"
        if choice.default
        else "images of the builder's",
        images=len(used),
        found=choice.found,
        classes=classes,
        dropped=Dropped(lost, choice.near_duplicates, max(0, unneeded)),
        crops=len(pictures) - len(used),
        held_out=len(choice.held_out),
        ranges=made.ranges or "none needed",
        seed=seed,
        brightness=round(brightness, 3),
        brightness_histogram=grey,
        colours={name: _channel(pixels, number) for number, name in enumerate(("red", "green", "blue"))},
        clipped={name: round(share, 6) for name, share in made.clipped.items() if share > 0},
        corrections=made.corrections,
        tried={name: round(distance, 5) for name, distance in made.tried.items()},
        warnings=() if choice.default else tuple(_warnings(pixels, len(used), classes, brightness)),
    )


def _channel(pixels: Sequence[Pixels], number: int) -> Channel:
    values = [each[..., number] for each in pixels]
    return Channel(round(float(np.mean([each.mean() for each in values])) / 255, 3), _histogram(values))


def _histogram(values: Sequence[NDArray[np.uint8]]) -> tuple[float, ...]:
    counts = np.sum([np.bincount(each.ravel() // (256 // BINS), minlength=BINS) for each in values], axis=0)
    return tuple(round(float(share), 4) for share in counts / counts.sum())


def _luma(pixels: Pixels) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)  # rounded: a grey keeps its level


def _warnings(pixels: Sequence[Pixels], used: int, classes: Mapping[str, int], brightness: float) -> list[str]:
    found = []
    if used < FEW:
        found.append(f"only {images(used)} to calibrate on; give 100 or more, like those the camera will see")
    if len(classes) == 1:
        found.append(f"all calibration images are of one class, {next(iter(classes))}; give some of every class")
    if brightness < DARK:
        found.append(f"the calibration images are nearly black (mean brightness {brightness:.0%}); give some by day")
    elif brightness > BRIGHT:
        found.append(f"the calibration images are nearly white (mean brightness {brightness:.0%}); give darker ones")
    elif _spread(pixels) < FLAT:
        found.append("the calibration images are all of one colour; give photographs")
    if float(np.median([_roughness(each) for each in pixels])) > NOISE:
        found.append("the calibration images look like random noise; give photographs")
    return found


def _spread(pixels: Sequence[Pixels]) -> float:
    """The deviation of all pixels of the channel that varies most, 0 to 1."""
    squares = np.mean([np.square(each / 255).mean(axis=(0, 1)) for each in pixels], axis=0)
    means = np.mean([(each / 255).mean(axis=(0, 1)) for each in pixels], axis=0)
    return float(np.sqrt(np.maximum(0, squares - means**2)).max())


def _roughness(pixels: Pixels) -> float:
    grey = _luma(pixels).astype(np.float32)
    deviation = float(grey.std())
    steps = np.abs(np.diff(grey, axis=1))
    return float(steps.mean()) / deviation if deviation > 1 and steps.size else 0.0
