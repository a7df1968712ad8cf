# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures a network is calibrated on and compared on, the same for the same folder and seed."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from labelcam.console import progress
from labelcam.errors import ImageError
from labelcam.images import Pixels, image_files, read_image
from labelcam.preprocess import Preprocess, Size, fit_image

from .division import Division, classes_of, divide, none_readable, sample
from .photographs import photographs

log = logging.getLogger(__name__)


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

    classes: Mapping[Path, str] = field(default_factory=dict)
    """The folder that stands for each file's class; empty for a flat folder."""

    unreadable: int = 0
    near_duplicates: int = 0
    """Left out because another one that was looked at shows the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image, or a crop of one, at the network's size."""

    path: Path
    pixels: Pixels
    whole: bool
    """False for a random crop."""


def choose(folder: Path | None, samples: int, seed: int) -> Choice:
    """Divide a folder's images, or the ten photographs.

    No more images are looked at than are needed. Raises ImageError if the folder holds none, or none that can be read.
    """
    if folder is None:
        # Known to differ, and too few to hold any out.
        return Choice(tuple(_shuffled(photographs(), samples, seed)), (), len(photographs()), default=True)
    files = image_files(folder)
    classes = classes_of(folder, files)
    return _chosen(divide(files, classes, samples, seed), files, classes)


def choose_to_compare(folder: Path, wanted: int, seed: int) -> Choice:
    """Choose up to `wanted` images that differ, none to calibrate on. Raises ImageError as `choose` does."""
    files = image_files(folder)
    classes = classes_of(folder, files)
    return _chosen(sample(files, classes, wanted, seed), files, classes)


def _chosen(division: Division, files: Sequence[Path], classes: Mapping[Path, str]) -> Choice:
    return Choice(
        division.calibration,
        division.held_out,
        len(files),
        default=False,
        classes={path: classes[path] for path in (*division.calibration, *division.held_out) if path in classes},
        unreadable=len(division.unreadable),
        near_duplicates=division.near_duplicates,
    )


def _shuffled(files: Sequence[Path], samples: int, seed: int) -> list[Path]:
    order = np.random.default_rng(seed).permutation(len(files))[:samples]
    return sorted(files[index] for index in order)


def prepare(
    files: Sequence[Path], wanted: int, seed: int, size: Size, how: Preprocess, title: str
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
        raise none_readable(files)
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
