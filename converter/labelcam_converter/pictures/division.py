# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Divides a folder's images between calibration and comparison: every class on both sides, no scene on both."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from labelcam.console import progress
from labelcam.errors import ImageError
from labelcam.images import read_thumbnail

from .near_duplicates import Gallery, look

log = logging.getLogger(__name__)

HOLD_OUT_FROM = 30
"""With fewer images than this, all of them calibrate: the ranges need them more than the comparison does."""

MOST_HELD_OUT = 500
"""More pictures than this would not narrow the interval of the agreement by much."""

PATIENCE = 4
"""So many times the images that are wanted are looked at before copies end the search, or LEAST_LOOKED_AT."""

LEAST_LOOKED_AT = 500

PARTS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
"""Folders that divide a data set and name no class."""

_PART_OR_CLASS = "train"
"""Of these, what images may show as well: COCO, Pascal VOC and CIFAR-100 have such a class."""


@dataclass(frozen=True, slots=True)
class Division:
    """Image files on the two sides, and how many were left out on the way."""

    calibration: tuple[Path, ...]
    held_out: tuple[Path, ...]
    unreadable: tuple[Path, ...]
    near_duplicates: int


@dataclass(slots=True)
class _Search:
    kept: list[Path]
    gallery: Gallery
    unreadable: list[Path]
    near_duplicates: int = 0


def classes_of(folder: Path, files: Sequence[Path]) -> dict[Path, str]:
    """Return the class of every file below a folder that has one folder a class; empty for a flat folder.

    The class is the uppermost folder that is not only a part of a data set, such as train; but one of that name that
    holds images and stands beside folders of classes is one of them: bus, car, train.
    """
    classes: dict[Path, str] = {}
    for path in files:
        names = [name for name in path.relative_to(folder).parts[:-1] if name.lower() not in PARTS]
        if names:
            classes[path] = names[0]
    beside = {path.parent.parent for path, name in classes.items() if path.parent.name == name}
    railways = (path for path in files if path.parent.name.lower() == _PART_OR_CLASS and path.parent != folder)
    return {path: path.parent.name for path in railways if path.parent.parent in beside} | classes


def held_out_of(images: int, samples: int) -> int:
    """Return how many of so many images are kept away from calibration."""
    return min(max(images - samples, images // 3), MOST_HELD_OUT) if images >= HOLD_OUT_FROM else 0


def divide(files: Sequence[Path], classes: Mapping[Path, str], samples: int, seed: int) -> Division:
    """Divide the images, the same way for the same files and seed. Raises ImageError if not one can be read."""
    wanted = min(samples, len(files)) + held_out_of(len(files), samples)
    found = _distinct(_interleaved(files, classes, seed), min(wanted, len(files)))
    spare = _held_out(found.kept, classes, held_out_of(len(found.kept), samples))
    shared = _on_both_sides(found, spare)
    rest = [path for path in found.kept if path not in spare] + [path for path in found.kept if path in shared]
    calibration, held_out = rest[:samples], spare - shared
    return Division(tuple(sorted(calibration)), tuple(sorted(held_out)), tuple(found.unreadable), found.near_duplicates)


def sample(files: Sequence[Path], classes: Mapping[Path, str], wanted: int, seed: int) -> Division:
    """Return so many distinct images, every class in proportion, all of them for comparison. Raises ImageError."""
    found = _distinct(_interleaved(files, classes, seed), min(wanted, len(files)))
    return Division((), tuple(sorted(found.kept)), tuple(found.unreadable), found.near_duplicates)


def _interleaved(files: Sequence[Path], classes: Mapping[Path, str], seed: int) -> list[Path]:
    """The files in an order of which every beginning holds the classes in proportion, after one of each."""
    order = np.random.default_rng(seed).permutation(len(files))
    sizes = Counter(classes.get(path, "") for path in files)
    taken: Counter[str] = Counter()
    ranked: list[tuple[bool, float, int]] = []
    for place, index in enumerate(order):
        name = classes.get(files[index], "")
        ranked.append((taken[name] > 0, (taken[name] + 0.5) / sizes[name], place))
        taken[name] += 1
    return [files[order[place]] for _, _, place in sorted(ranked)]


def _distinct(ordered: Sequence[Path], wanted: int) -> _Search:
    """The first images that can be read and are not copies of one before."""
    found = _Search([], Gallery(), [])
    with progress("looking at images", wanted) as tick:
        for path in ordered[: max(PATIENCE * wanted, LEAST_LOOKED_AT)]:
            try:
                fresh = found.gallery.add(look(read_thumbnail(path)))
            except ImageError as error:
                log.warning("skipped: %s", error)
                found.unreadable.append(path)
                continue
            if not fresh:
                found.near_duplicates += 1
                continue
            found.kept.append(path)
            tick()
            if len(found.kept) == wanted:
                break
    if not found.kept:
        raise none_readable(ordered)
    return found


def none_readable(files: Sequence[Path]) -> ImageError:
    """Return what to raise where not one of the files can be read."""
    which = "its only image cannot" if len(files) == 1 else f"none of its {len(files)} images can"
    return ImageError(f"{files[0].parent}: {which} be read; give others by --images DIR")


def _held_out(kept: Sequence[Path], classes: Mapping[Path, str], spare: int) -> set[Path]:
    """So many images, of every class in proportion and where it can be at least one, one of each being left."""
    by_class: dict[str, list[Path]] = {}
    for path in kept:
        by_class.setdefault(classes.get(path, ""), []).append(path)
    ranked = [
        # The first of a class calibrates, the second is held out; the rest of each follows in proportion.
        (number == 0, number > 1, number / len(of_class), path)
        for of_class in by_class.values()
        for number, path in enumerate(of_class)
    ]
    return {path for *_, path in sorted(ranked)[:spare]}


def _on_both_sides(found: _Search, held_out: set[Path]) -> set[Path]:
    """The held-out images whose scene calibrates as well; none where that is most of them: the camera is fixed."""
    scenes = _scenes(found)
    calibrating = {scene for path, scene in scenes.items() if path not in held_out}
    shared = {path for path in held_out if scenes[path] in calibrating}
    return shared if len(shared) <= len(held_out) // 2 else set()


def _scenes(found: _Search) -> dict[Path, int]:
    """A number for the scene of each image: frames are of one scene if a chain of neighbouring frames joins them."""
    scene = [-1] * len(found.kept)
    for first in range(len(scene)):
        todo = [first] if scene[first] < 0 else []
        while todo:
            number = todo.pop()
            if scene[number] < 0:
                scene[number] = first
                todo += found.gallery.scene_mates(number)
    return dict(zip(found.kept, scene, strict=True))
