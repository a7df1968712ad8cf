# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The images to train on: one folder for each label, divided so that no scene is on both sides."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from labelcam.console import progress
from labelcam.errors import ImageError
from labelcam.images import image_files, read_thumbnail
from labelcam.model_file import parse_labels

from ..pictures.division import PARTS, classes_of
from ..pictures.near_duplicates import Gallery, look
from ..plurals import images

log = logging.getLogger(__name__)

LEAST = 8
"""Images of a label with which training makes sense at all; a hundred are better."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Images by label."""

    folder: Path
    labels: tuple[str, ...]
    """The names of the folders, sorted."""

    learned: tuple[tuple[Path, ...], ...]
    """For each label, the images to learn from."""

    judged: tuple[tuple[Path, ...], ...]
    """For each label, the images that only judge; none of them shows a scene of the others, where that can be had."""

    copies: int
    """Images left out because they are copies of others."""

    unreadable: int


def gather(folder: Path, share: float, seed: int) -> Dataset:
    """Return the images below a folder; `share` of each label's judge, at least one.

    Raises ImageError, in one line, if there are not two labels with enough readable images each.
    """
    found = _by_label(folder)
    seen = _without_copies(found)
    learned, judged = [], []
    first = 0
    for name, files in seen.kept.items():
        _check_enough(folder, name, len(files), len(found[name]))
        scenes = _scenes(seen.gallery, files, first)
        left, chosen = divide(scenes, max(1, round(share * len(files))), np.random.default_rng(seed))
        learned.append(left)
        judged.append(chosen)
        first += len(files)
    return Dataset(folder, tuple(found), tuple(learned), tuple(judged), seen.copies, seen.unreadable)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The images by label, and the gallery that has them in the same order."""

    gallery: Gallery
    kept: dict[str, list[Path]]
    copies: int
    unreadable: int


def _without_copies(found: dict[str, list[Path]]) -> _Seen:
    gallery, kept = Gallery(), {name: list[Path]() for name in found}
    copies = unreadable = 0
    with progress("looking for copies", sum(map(len, found.values()))) as tick:
        for name, path in ((name, path) for name, files in found.items() for path in files):
            try:
                if gallery.add(look(read_thumbnail(path))):
                    kept[name].append(path)
                else:
                    copies += 1
            except ImageError as error:
                log.warning("skipped: %s", error)
                unreadable += 1
            tick()
    return _Seen(gallery, kept, copies, unreadable)


def _by_label(folder: Path) -> dict[str, list[Path]]:
    if not folder.is_dir():
        raise ImageError(f"--images {folder}: no such folder; give one that holds a folder of images for each label")
    files = image_files(folder)
    classes = classes_of(folder, files)
    names = sorted({*classes.values(), *_label_folders(folder)})
    if len(names) < 2:
        found = f"only the label {names[0]}" if names else "no folders"
        raise ImageError(
            f"--images {folder}: holds {found}, but a network learns to tell labels apart: put the images of each "
            "label into a folder of its own, and what shows none of them into one more"
        )
    for name in names:
        if parse_labels(f"{name}\n") != (name,) or not _is_text(name):
            raise ImageError(f"--images {folder}: {name!r} is no name for a label; rename the folder")
    if loose := len(files) - len(classes):
        log.warning("%s: %s in no label's folder left out", folder, images(loose))
    return {name: [path for path in files if classes.get(path) == name] for name in names}


def _is_text(name: str) -> bool:
    """Whether UTF-8 can write it: a folder's name may be any bytes, a file of labels may not."""
    return name.encode(errors="ignore").decode() == name


def _label_folders(folder: Path) -> Iterator[str]:
    """The names of all folders that stand for a label, empty ones too."""
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith("."):
            if path.name.lower() in PARTS:
                yield from _label_folders(path)
            else:
                yield path.name


def _check_enough(folder: Path, label: str, kept: int, found: int) -> None:
    if kept < LEAST:
        left = "" if found == kept else f" that are readable and no copies, of {found}"
        raise ImageError(
            f"--images {folder}: the label {label} has {images(kept)}{left}; it needs {LEAST} or more, "
            "better a hundred: add some, or remove the folder"
        )


def _scenes(gallery: Gallery, files: Sequence[Path], first: int) -> list[list[Path]]:
    """The images of one label, those that may show the same scene together; the gallery has them from `first` on."""
    scenes: list[list[Path]] = []
    left = set(range(len(files)))
    while left:
        reached = [min(left)]
        left -= set(reached)
        scene: list[Path] = []
        while reached:
            position = reached.pop()
            scene.append(files[position])
            mates = {mate - first for mate in gallery.scene_mates(first + position)} & left
            left -= mates
            reached += sorted(mates)
        scenes.append(scene)
    return scenes


def divide(
    scenes: Sequence[Sequence[Path]], wanted: int, rng: np.random.Generator
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Return what is left and about `wanted` images chosen at random, scene by scene, both sorted.

    A scene too large for that (all pictures of a camera that never moves) is cut by the order of its names, so that
    what was taken at one time stays together.
    """
    chosen: list[Path] = []
    for index in rng.permutation(len(scenes)).tolist():
        if len(chosen) + len(scenes[index]) <= wanted:
            chosen += scenes[index]
    if len(chosen) < (wanted + 1) // 2:
        largest = [path for path in max(scenes, key=len) if path not in chosen]
        chosen += sorted(largest)[len(chosen) - wanted :]
    left = {path for scene in scenes for path in scene} - set(chosen)
    return tuple(sorted(left)), tuple(sorted(chosen))
