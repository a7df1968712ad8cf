# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The calibration card says what was seen, and what is wrong with it."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from labelcam.images import Pixels, read_image
from labelcam.preprocess import Preprocess, Size, fit_image
from labelcam_converter.calibration_card import Card, card
from labelcam_converter.pictures import Choice, Picture, choose, prepare
from labelcam_converter.pictures.photographs import photographs
from labelcam_converter.quantization.effort import Quantised

MADE = Quantised(b"", "full-integer int8", "minmax")


def card_of(pixels: list[Pixels], classes: tuple[str, ...] = ()) -> Card:
    """The card of pictures in a folder of the user's own, which classes take in turns."""
    paths = [Path(f"{number}.png") for number in range(len(pixels))]
    folders = {path: classes[number % len(classes)] for number, path in enumerate(paths)} if classes else {}
    choice = Choice(tuple(paths), (), len(pixels) + 5, default=False, classes=folders, near_duplicates=3, unreadable=1)
    return card(choice, [Picture(*pair, whole=True) for pair in zip(paths, pixels, strict=True)], 0, 7, MADE)


def real(count: int) -> list[Pixels]:
    """Real photographs at a network's size, over and over."""
    some = [fit_image(read_image(path), Size(64, 64), Preprocess()) for path in photographs()]
    return [some[number % len(some)] for number in range(count)]


def test_everything_is_counted() -> None:
    """Images used, by class, and those that were not used, by the reason."""
    told = card_of(real(30), ("cat", "dog", "fox"))
    assert (told.images, told.found, told.seed, told.classes) == (30, 35, 7, {"cat": 10, "dog": 10, "fox": 10})
    assert asdict(told.dropped) == {"unreadable": 1, "near_duplicates": 3, "not_needed": 1}
    assert told.warnings == ()
    assert json.loads(json.dumps(asdict(told)))["colours"]["red"]["mean"] == told.colours["red"].mean


def test_histograms_are_shares() -> None:
    """Sixteen shares that add up to 1, for brightness and for each colour."""
    grey = card_of([np.full((8, 8, 3), 128, np.uint8)] * 20)
    assert grey.brightness_histogram == grey.colours["green"].histogram
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    told = card_of([red] * 20)
    assert (len(told.brightness_histogram), told.brightness_histogram[4]) == (16, 1.0)  # 0.299 * 255 = 76
    assert (told.colours["red"].mean, told.colours["red"].histogram[15], told.colours["blue"].histogram[0]) == (1, 1, 1)
    for each in (card_of(real(20)).brightness_histogram, card_of(real(20)).colours["green"].histogram):
        assert sum(each) == pytest.approx(1, abs=0.001)


NOISE = [np.random.default_rng(n).integers(0, 256, (32, 32, 3)).astype(np.uint8) for n in range(20)]
POOR = {
    "few": (real(19), (), "only 19 images"),
    "one class": (real(30), ("cat",), "of one class, cat"),
    "dark": ([pixels // 20 for pixels in real(20)], (), "nearly black"),
    "white": ([255 - pixels // 20 for pixels in real(20)], (), "nearly white"),
    "one colour": ([np.full((8, 8, 3), 120, np.uint8)] * 20, (), "of one colour"),
    "noise": (NOISE, (), "random noise"),
}


@pytest.mark.parametrize("case", POOR)
def test_poor_images_are_warned_about(case: str) -> None:
    """Exactly one sentence for what is wrong."""
    pixels, classes, words = POOR[case]
    (warning,) = card_of(pixels, classes).warnings
    assert words in warning


def test_the_ten_photographs_are_known() -> None:
    """The default is too few for a product, says so in its source, and is not warned about twice."""
    choice = choose(None, 100, 0)
    pictures, unreadable = prepare(choice.calibration, 100, 0, Size(32, 32), Preprocess(), "reading")
    told = card(choice, pictures, len(unreadable), 0, Quantised(b"", "int8", "mse", {"conv": 0.001, "add": 0.0}))
    assert (told.images, told.crops, told.warnings, told.ranges) == (10, 90, (), "mse")
    assert (told.clipped, "too few for a product" in told.source) == ({"conv": 0.001}, True)
