# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures calibrate and which compare."""

from pathlib import Path

import numpy as np

from labelcam.preprocess import Preprocess, Size
from labelcam_converter.pictures import choose, prepare


def test_few_images_all_calibrate(colour_images: Path) -> None:
    """Below 30 images none is held out."""
    choice = choose(colour_images, 100, 0)
    assert (len(choice.calibration), choice.held_out, choice.found) == (24, (), 24)


def test_held_out_images_are_never_calibrated_on(grey_images: Path) -> None:
    """The two parts share no image, whatever the seed."""
    for seed in range(5):
        choice = choose(grey_images, 100, seed)
        assert (len(choice.calibration), len(choice.held_out)) == (100, 80)
        assert not set(choice.calibration) & set(choice.held_out)


def test_the_choice_is_the_seed_s(grey_images: Path) -> None:
    """The same seed gives the same images, another seed others."""
    assert choose(grey_images, 50, 3) == choose(grey_images, 50, 3)
    assert choose(grey_images, 50, 3) != choose(grey_images, 50, 4)


def test_crops_make_up_for_missing_images(colour_images: Path) -> None:
    """24 images become 100 pictures of the network's size, the same ones every time."""
    files = choose(colour_images, 100, 0).calibration
    pictures, unreadable = prepare(files, 100, 0, Size(16, 12), Preprocess(), "reading")
    again, _ = prepare(files, 100, 0, Size(16, 12), Preprocess(), "reading")
    assert (len(pictures), sum(picture.whole for picture in pictures), unreadable) == (100, 24, [])
    assert {picture.pixels.shape for picture in pictures} == {(12, 16, 3)}
    assert all(np.array_equal(one.pixels, other.pixels) for one, other in zip(pictures, again, strict=True))


def test_the_default_is_ten_photographs() -> None:
    """Without a folder, scikit-image's photographs serve, and are known to be the default."""
    choice = choose(None, 100, 0)
    assert (len(choice.calibration), choice.default) == (10, True)
