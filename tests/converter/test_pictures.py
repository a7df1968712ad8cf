# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures calibrate and which compare."""

import os
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from labelcam.errors import ImageError
from labelcam.images import Pixels, read_image
from labelcam.preprocess import Preprocess, Size
from labelcam_converter.pictures import Choice, choose, choose_to_compare, division, prepare
from labelcam_converter.pictures.division import classes_of
from labelcam_converter.pictures.photographs import photographs
from pictures_on_disk import write_png


def fill(folder: Path, count: int, seed: int = 0) -> None:
    """Fill a folder with pictures of coarse random patterns, all different."""
    rng = np.random.default_rng([seed, count])
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        coarse = rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)
        write_png(folder / f"{seed}_{number:03}.png", coarse.repeat(8, axis=0).repeat(8, axis=1))


def small(name: str) -> Pixels:
    """One of the ten photographs, small enough to be written many times."""
    (path,) = (path for path in photographs() if path.stem == name)
    return cv2.resize(read_image(path), (320, 240), interpolation=cv2.INTER_AREA).astype(np.uint8)


def test_few_images_all_calibrate(colour_images: Path) -> None:
    """Below 30 images none is held out."""
    choice = choose(colour_images, 100, 0)
    assert (len(choice.calibration), choice.held_out, choice.found) == (24, (), 24)


def test_held_out_images_are_never_calibrated_on(grey_images: Path) -> None:
    """The two parts share no image, whatever the seed."""
    for seed in range(3):
        choice = choose(grey_images, 100, seed)
        assert (len(choice.calibration), len(choice.held_out)) == (100, 80)
        assert not set(choice.calibration) & set(choice.held_out)


def test_the_choice_is_the_seed_s(grey_images: Path) -> None:
    """The same seed gives the same images, another seed others."""
    assert choose(grey_images, 50, 3) == choose(grey_images, 50, 3)
    assert choose(grey_images, 50, 3) != choose(grey_images, 50, 4)


def shares(choice: Choice) -> tuple[Counter[str], Counter[str]]:
    return Counter(map(choice.classes.get, choice.calibration)), Counter(map(choice.classes.get, choice.held_out))


def test_every_class_is_on_both_sides(tmp_path: Path) -> None:
    """In proportion, and at least one each, however rare."""
    for name, count in (("train/cat", 60), ("train/dog", 30), ("val/cat", 20), ("val/newt", 2)):
        fill(tmp_path / name, count, seed=len(name) + count)
    choice = choose(tmp_path, 40, 0)
    calibration, held_out = shares(choice)
    assert set(calibration) == set(held_out) == {"cat", "dog", "newt"}
    assert (sum(calibration.values()), calibration["newt"]) == (40, 1)
    assert calibration["cat"] == pytest.approx(40 * 80 / 112, abs=2)
    assert held_out["dog"] == pytest.approx(sum(held_out.values()) * 30 / 112, abs=3)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    """Beside other classes, also within the parts of a data set; a part with loose images in it names none."""
    for name in ("bus", "train", "val/bus", "val/train"):
        fill(tmp_path / name, 2, seed=len(name))
    files = sorted(tmp_path.rglob("*.png"))
    assert classes_of(tmp_path, files) == {path: path.parent.name for path in files}
    assert classes_of(tmp_path / "val", files[-4:]) == {path: path.parent.name for path in files[-4:]}
    fill(tmp_path / "set" / "val" / "cat", 2)
    fill(tmp_path / "set" / "val", 1)
    fill(tmp_path / "set" / "train", 1)
    assert set(classes_of(tmp_path / "set", sorted((tmp_path / "set").rglob("*.png"))).values()) == {"cat"}


def test_more_classes_than_samples(tmp_path: Path) -> None:
    """Forty folders of one picture are no reason to fail."""
    for number in range(40):
        fill(tmp_path / f"{number:02}", 1, seed=number)
    choice = choose(tmp_path, 20, 0)
    assert (len(choice.calibration), len(choice.held_out)) == (20, 20)


def test_copies_are_left_out(tmp_path: Path) -> None:
    """However often the same photograph is there, it is used once, and counted."""
    for name in ("astronaut", "chelsea", "coffee", "rocket", "camera"):
        for quality in range(20, 100, 10):
            cv2.imwrite(str(tmp_path / f"{name}_{quality}.jpg"), small(name), [cv2.IMWRITE_JPEG_QUALITY, quality])
    choice = choose(tmp_path, 100, 0)
    assert (choice.found, choice.near_duplicates, len(choice.calibration), choice.held_out) == (40, 35, 5, ())


def test_a_burst_stays_on_one_side(tmp_path: Path) -> None:
    """Frames of one scene, the camera moved a little, never calibrate and judge at the same time."""
    fill(tmp_path, 60)
    for number in range(12):
        write_png(tmp_path / f"burst_{number:02}.png", small("coffee")[number * 2 :, number * 4 :])
    for seed in range(4):
        choice = choose(tmp_path, 30, seed)
        sides = [any("burst" in path.name for path in side) for side in (choice.calibration, choice.held_out)]
        assert sides != [True, True]


def test_a_fixed_camera_can_be_judged(tmp_path: Path) -> None:
    """Where every image shows the same scene, that does not keep all of them from being held out."""
    rng = np.random.default_rng(0)
    for number in range(40):
        seen = small("coffee")
        top, left = rng.integers(0, 160), rng.integers(0, 240)
        seen[top : top + 80, left : left + 80] = rng.integers(0, 256, (4, 4, 3)).repeat(20, axis=0).repeat(20, axis=1)
        write_png(tmp_path / f"{number}.png", seen)
    choice = choose(tmp_path, 20, 0)
    assert len(choice.held_out) >= 8


def test_no_more_is_read_than_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large folder only as many images are looked at as will be used, and the copies in between."""
    fill(tmp_path, 60)
    for number in range(200):
        os.link(tmp_path / "0_000.png", tmp_path / f"link_{number}.png")
    read: list[Path] = []

    def read_and_count(path: Path) -> Pixels:
        read.append(path)
        return read_image(path)

    monkeypatch.setattr(division, "read_thumbnail", read_and_count)
    choice = choose_to_compare(tmp_path, 12, 0)
    assert (choice.found, choice.calibration, len(choice.held_out)) == (260, (), 12)
    assert len(read) == 12 + choice.near_duplicates < 260


def test_crops_make_up_for_missing_images(colour_images: Path) -> None:
    """24 images become 100 pictures of the network's size, the same ones every time."""
    files = choose(colour_images, 100, 0).calibration
    pictures, unreadable = prepare(files, 100, 0, Size(16, 12), Preprocess(), "reading")
    again, _ = prepare(files, 100, 0, Size(16, 12), Preprocess(), "reading")
    assert (len(pictures), sum(picture.whole for picture in pictures), unreadable) == (100, 24, [])
    assert {picture.pixels.shape for picture in pictures} == {(12, 16, 3)}
    assert all(np.array_equal(one.pixels, other.pixels) for one, other in zip(pictures, again, strict=True))


def test_unreadable_images_are_counted(tmp_path: Path) -> None:
    """They are skipped where others can be read; where none can, one line says so."""
    fill(tmp_path / "some", 3)
    (tmp_path / "some" / "broken.jpg").write_bytes(b"no picture at all")
    choice = choose(tmp_path / "some", 100, 0)
    assert (choice.unreadable, len(choice.calibration)) == (1, 3)
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "broken.webp").write_bytes(b"RIFF")
    with pytest.raises(ImageError, match="its only image cannot be read"):
        choose(tmp_path / "none", 100, 0)


def test_the_default_is_ten_photographs() -> None:
    """Without a folder, scikit-image's photographs serve, and are known to be the default."""
    choice = choose(None, 100, 0)
    assert (len(choice.calibration), choice.default) == (10, True)
