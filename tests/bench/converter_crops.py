# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The protocol of the converter's bench: which crops calibrate and which judge, split by photograph, never by crop.

Beside ../shared/data: 13 crops of each of eight photographs of scikit-image calibrate (104), 92 of each of the eight
photographs in ../shared/data/photos judge (736). Without it scikit-image's photographs are divided.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from labelcam.images import Pixels, read_image
from labelcam.preprocess import Preprocess, Size, fit_image
from labelcam_converter import networks, zoo
from labelcam_converter.pictures import Picture
from labelcam_converter.pictures.photographs import photographs

SHARED = Path(__file__).parents[3] / "shared" / "data"

TO_CALIBRATE, TO_JUDGE = 104, 736
"""Crops; more than 700 narrow the interval of an agreement to two points either way."""

SEED_TO_CALIBRATE, SEED_TO_JUDGE = 1, 2

_IN_COLOUR = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "retina.jpg", "motorcycle_left.png")
_SCIENCE = ("hubble_deep_field.jpg", "ihc.png")


@dataclass(frozen=True, slots=True)
class Contest:
    """A float network, what it calibrates on and what it is judged on."""

    name: str
    source: networks.Source
    how: Preprocess
    size: Size


def contests(wanted: Sequence[str]) -> list[Contest]:
    """Return the networks by name, or where none is named the one that this machine has."""
    names = wanted or (["mobilenet_v2"] if SHARED.is_dir() else ["efficientnet_lite0"])
    return [_contest(name) for name in names]


def _contest(name: str) -> Contest:
    files = {
        "mobilenet_v2": (SHARED / "models" / "mobilenet_v2_1.0_224.keras", Preprocess(), Size(224, 224)),
        "vww_96": (SHARED / "models" / "vww_96.h5", Preprocess(mean=0.0, std=255.0), Size(96, 96)),
    }
    if name in files and SHARED.is_dir():
        path, how, size = files[name]
        return Contest(name, networks.open_file(path), how, size)
    entry = zoo.find(name)
    source = networks.open_zoo(entry, entry.alpha, entry.size, "imagenet", 0)
    return Contest(name, source, entry.preprocess, Size(entry.size, entry.size))


def to_calibrate(contest: Contest, count: int = TO_CALIBRATE) -> list[Picture]:
    """Return the crops that every tool takes its ranges from."""
    return crops(_photographs()[0], count, SEED_TO_CALIBRATE, contest)


def to_judge(contest: Contest, count: int = TO_JUDGE) -> list[Picture]:
    """Return the crops that the answers are compared on; no tool has seen their photographs."""
    return crops(_photographs()[1], count, SEED_TO_JUDGE, contest)


def _photographs() -> tuple[list[Path], list[Path]]:
    folder = photographs()[0].parent
    every = [folder / name for name in (*_IN_COLOUR, *_SCIENCE)]
    if SHARED.is_dir():
        return every, sorted(path for path in (SHARED / "photos").iterdir() if path.suffix in (".bmp", ".jpg"))
    return every[::2], every[1::2]


def crops(files: Sequence[Path], count: int, seed: int, contest: Contest) -> list[Picture]:
    """Return `count` random crops, the same number of each photograph, the same for the same seed."""
    found = []
    for number, path in enumerate(files):
        pixels = read_image(path)
        rng = np.random.default_rng([seed, number])
        share = count // len(files) + (number < count % len(files))
        parts = [_crop(pixels, rng) for _ in range(share)]
        found += [Picture(path, fit_image(part, contest.size, contest.how), whole=False) for part in parts]
    return found


def _crop(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A part of half to all of the shorter side, mirrored every other time."""
    height, width = pixels.shape[:2]
    side = max(1, int(min(height, width) * rng.uniform(0.5, 1.0)))
    top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
    part = pixels[top : top + side, left : left + side]
    return np.ascontiguousarray(part[:, ::-1] if rng.integers(2) else part)
