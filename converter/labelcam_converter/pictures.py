# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures a network is calibrated on and compared on, the same for the same folder and seed."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from labelcam.console import progress
from labelcam.errors import ImageError
from labelcam.images import Pixels, image_files, read_image
from labelcam.preprocess import Preprocess, Size, fit_image

from .photographs import photographs

log = logging.getLogger(__name__)

HOLD_OUT_FROM = 30
"""With fewer images than this, all of them calibrate: the ranges need them more than the comparison does."""

MOST_HELD_OUT = 500
"""More pictures than this would not narrow the interval of the agreement by much."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Image files, divided between calibration and comparison."""

    calibration: tuple[Path, ...]
    held_out: tuple[Path, ...]
    """None of these is calibrated on; empty where there are too few images."""

    found: int
    """Images in the folder."""

    default: bool
    """The ten photographs, not images of the user's own."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image, or a crop of one, at the network's size."""

    path: Path
    pixels: Pixels
    whole: bool
    """False for a random crop."""


def choose(folder: Path | None, samples: int, seed: int) -> Choice:
    """Divide a folder's images, or the ten photographs. Raises ImageError if the folder holds none."""
    files = image_files(folder) if folder else photographs()
    order = np.random.default_rng(seed).permutation(len(files))
    shuffled = [files[index] for index in order]
    spare = min(max(len(files) - samples, len(files) // 3), MOST_HELD_OUT) if len(files) >= HOLD_OUT_FROM else 0
    rest = shuffled[spare:][:samples]
    return Choice(tuple(sorted(rest)), tuple(sorted(shuffled[:spare])), len(files), folder is None)


def prepare(
    files: tuple[Path, ...], wanted: int, seed: int, size: Size, how: Preprocess, title: str
) -> tuple[list[Picture], list[Path]]:
    """Return the pictures and, where there are fewer than `wanted`, random crops of them; then the unreadable files.

    Raises ImageError if not one can be read.
    """
    rng = np.random.default_rng([seed, len(files)])
    pictures: list[Picture] = []
    unreadable: list[Path] = []
    with progress(title, len(files)) as tick:
        for number, path in enumerate(files):
            try:
                pixels = read_image(path)
            except ImageError as error:
                log.warning("skipped: %s", error)
                unreadable.append(path)
            else:
                pictures.append(Picture(path, fit_image(pixels, size, how), whole=True))
                crops = _share(max(0, wanted - len(files)), len(files), number)
                pictures += [Picture(path, fit_image(_crop(pixels, rng), size, how), whole=False) for _ in range(crops)]
            tick()
    if not pictures:
        which = "its only image cannot" if len(files) == 1 else f"none of its {len(files)} images can"
        raise ImageError(f"{files[0].parent}: {which} be read; give others by --images DIR")
    return pictures, unreadable


def _share(total: int, among: int, number: int) -> int:
    return total // among + (number < total % among)


def _crop(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A part of half to all of the shorter side, mirrored every other time: what a camera nearby might see."""
    height, width = pixels.shape[:2]
    side = max(1, int(min(height, width) * rng.uniform(0.5, 1.0)))
    top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
    part = pixels[top : top + side, left : left + side]
    return np.ascontiguousarray(part[:, ::-1] if rng.integers(2) else part)
